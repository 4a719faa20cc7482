//! R4: damage to the files of a checkpoint.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::rule::{Extent, Finding};
use super::runs::{self, Draws};
use super::suites;
use xtask::workspace;

/// Flips bits in every file of a run, cuts those of a checkpoint short, and swaps them between checkpoints; `requel verify` must name each file.
///
/// # Errors
/// When damage goes unseen, or the program panics.
pub fn check(extent: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let desk = runs::desk("damage")?;
    let dir = desk.join("run");
    // More than 4 MiB of replay, so that there are segments.
    let mut train = runs::quiet(&binary);
    train.args(["train", "--preset", "notebook", "--quiet", "--run-dir"]).arg(&dir);
    let settings = ["train.episodes=0", "train.env_steps=120000", "replay.capacity=120000", "replay.start=100000"];
    let more = ["train.every_steps=1000", "checkpoint.every_steps=110000", "evaluation.every_episodes=0"];
    for setting in settings.iter().chain(&more) {
        train.args(["--set", setting]);
    }
    runs::succeed(train)?;
    ensure!(verify(&binary, &dir)?.is_none(), "a whole run is said to be damaged");
    let checkpoints = runs::checkpoints(&dir)?;
    let [other, newest] = &checkpoints[..] else { anyhow::bail!("{} checkpoints", checkpoints.len()) };
    let mut files: Vec<_> = std::fs::read_dir(newest)?.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
    files.sort();
    let of_checkpoint = files.clone();
    // The files next to the checkpoints, some of which only the checksums of a finished run cover.
    let beside = ["config.toml", "metrics.jsonl", "progress.csv", "timing.csv", "summary.json", "checksums.blake3"];
    files.extend(beside.iter().chain(&["best/policy.safetensors"]).map(|name| dir.join(name)));
    let mut draws = Draws(4);
    let (mut flips, mut cuts, mut swaps) = (0, 0, 0);
    let wanted = extent.pick(10_000, 60);
    while flips < wanted {
        let file = &files[draws.below(files.len())];
        let whole = std::fs::read(file)?;
        // Many flips per file read: a segment is large.
        for _ in 0..20.min(wanted - flips) {
            let mut damaged = whole.clone();
            let at = draws.below(damaged.len());
            damaged[at] ^= 1 << draws.below(8);
            found(&binary, &dir, file, &damaged, &format!("bit flipped in byte {at}"))?;
            flips += 1;
        }
        std::fs::write(file, whole)?;
    }
    for file in &of_checkpoint {
        let whole = std::fs::read(file)?;
        let boundaries: Vec<usize> = (0..whole.len()).step_by(64).collect();
        // With a process each not all of them can be tried of a large file, only some spread over it.
        let stride = boundaries.len().div_ceil(extent.pick(200, 4));
        for len in boundaries.into_iter().step_by(stride) {
            found(&binary, &dir, file, &whole[..len], &format!("cut to {len} bytes"))?;
            cuts += 1;
        }
        let theirs = std::fs::read(other.join(file.file_name().context("a name")?)).unwrap_or_default();
        if theirs != whole && !theirs.is_empty() {
            found(&binary, &dir, file, &theirs, "swapped")?;
            swaps += 1;
        }
        std::fs::write(file, whole)?;
    }
    let all_cuts = suites::truncations()?;
    ensure!(verify(&binary, &dir)?.is_none(), "a whole run is said to be damaged after all");
    let note = format!(
        "{flips} flips, {swaps} swaps, {cuts} cuts by the program and {all_cuts} by the library: every boundary of a \
         checkpoint of 4 MiB; none silent, no panic"
    );
    Ok(Finding { faults: flips + cuts + swaps + all_cuts, note })
}

/// Puts `contents` in the place of a file, which must be named.
fn found(binary: &Path, dir: &Path, file: &Path, contents: &[u8], what: &str) -> Result<()> {
    // A new file: two checkpoints may share the old one.
    std::fs::remove_file(file)?;
    std::fs::write(file, contents)?;
    let said = verify(binary, dir)?.with_context(|| format!("{}: {what}: not seen", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().replace("manifest.blake3", "manifest");
    ensure!(said.contains(&*name), "{name}: {what}: said was {said}");
    Ok(())
}

/// What `requel verify` finds; `None` where all is whole.
fn verify(binary: &Path, dir: &Path) -> Result<Option<String>> {
    let mut command = Command::new(binary);
    let output = command.arg("verify").arg(dir).stdin(Stdio::null()).output()?;
    match output.status.code() {
        Some(0) => Ok(None),
        Some(1) => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
        code => anyhow::bail!("verify ended with {code:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}
