//! R7: the same bits whatever trains.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::rule::{Extent, Finding};
use super::runs::{self, TRAININGS, Training, WIDE};
use xtask::command::CommandLine;
use xtask::workspace;

/// What trains: a build, with the kernel of a register width.
struct Setting<'a> {
    binary: &'a Path,
    kernel: &'static str,
}

/// Several seeds at once, so that threads have something to do.
const SEEDS: [u64; 3] = [0, 1, 2];

/// Trains with every kernel of this machine in both builds: in one to four threads, in parallel with others, and with the dashboard.
///
/// # Errors
/// When any of them ends with other bytes.
pub fn check(extent: Extent) -> Result<Finding> {
    let desk = runs::desk("bits")?;
    let builds = [("release", workspace::release_binary()?), ("development", workspace::development_binary()?)];
    let kernels: Vec<&'static str> =
        ["scalar", "avx2", "avx512", "neon"].into_iter().filter(|kernel| is_here(&builds[0].1, kernel)).collect();
    ensure!(kernels.len() > 1, "only the kernels {kernels:?} are here");
    let with_terminal = CommandLine::new("script").arg("--version").succeeds();
    let (mut trained, mut watched) = (0, 0);
    let trainings: Vec<&Training> = [&WIDE].into_iter().chain(&TRAININGS).collect();
    for training in &trainings[..extent.pick(trainings.len(), 2)] {
        let mut expected: BTreeMap<u64, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for (build, binary) in &builds[..extent.pick(2, 1)] {
            for kernel in kernels.iter().copied() {
                let setting = Setting { binary, kernel };
                for threads in [1, 2, 4] {
                    let dir = desk.join(format!("{build}-{kernel}-{threads}"));
                    setting.train_alone(training, &dir, threads)?;
                    compare(&mut expected, SEEDS[0], &dir)
                        .with_context(|| format!("{} {build} {kernel} {threads} threads", training.name))?;
                    std::fs::remove_dir_all(&dir)?;
                    trained += 1;
                }
                // Several at once, with more at a time than this machine has cores.
                let dir = desk.join(format!("{build}-{kernel}-seeds"));
                setting.train_seeds(training, &dir)?;
                for seed in SEEDS {
                    let run = dir.join(format!("seed-{seed}"));
                    compare(&mut expected, seed, &run)
                        .with_context(|| format!("{} {build} {kernel} seed {seed}", training.name))?;
                    trained += 1;
                }
                std::fs::remove_dir_all(&dir)?;
                if with_terminal {
                    let dir = desk.join(format!("{build}-{kernel}-dashboard"));
                    setting.train_under_dashboard(training, &dir)?;
                    compare(&mut expected, SEEDS[0], &dir).with_context(|| format!("{build} {kernel} dashboard"))?;
                    std::fs::remove_dir_all(&dir)?;
                    (trained, watched) = (trained + 1, watched + 1);
                }
            }
        }
    }
    let note = format!(
        "{trained} runs byte-equal: kernels {}, 1, 2 and 4 threads, 1 to 512 environments, {watched} under the dashboard",
        kernels.join(", ")
    );
    Ok(Finding { faults: trained, note })
}

/// Whether this machine has a kernel.
fn is_here(binary: &Path, kernel: &str) -> bool {
    let doctor = Command::new(binary).arg("doctor").env("REQUEL_KERNEL", kernel).stdin(Stdio::null()).output();
    doctor.is_ok_and(|output| output.status.success())
}

/// Holds a run against the first one of its seed.
fn compare(expected: &mut BTreeMap<u64, BTreeMap<String, Vec<u8>>>, seed: u64, dir: &Path) -> Result<()> {
    match expected.get(&seed) {
        None => drop(expected.insert(seed, runs::bytes(dir)?)),
        Some(expected) => runs::same(expected, dir)?,
    }
    Ok(())
}

impl Setting<'_> {
    fn train_alone(&self, training: &Training, dir: &Path, threads: usize) -> Result<()> {
        let mut command = training.command(self.binary, dir);
        command.args(["--seed", "0", "--threads", &threads.to_string()]).env("REQUEL_KERNEL", self.kernel);
        runs::succeed(command)
    }

    fn train_seeds(&self, training: &Training, dir: &Path) -> Result<()> {
        let seeds = SEEDS.map(|seed| seed.to_string()).join(",");
        let mut command = runs::quiet(self.binary);
        command.args(["train", "--quiet", "--seeds", &seeds, "--jobs", "3", "--run-dir"]).arg(dir);
        command.args(training.arguments()).env("REQUEL_KERNEL", self.kernel);
        runs::succeed(command)
    }

    /// In a terminal of its own, which is what the dashboard shows itself in.
    fn train_under_dashboard(&self, training: &Training, dir: &Path) -> Result<()> {
        let words = [self.binary.to_string_lossy().into_owned(), "train".into(), "--run-dir".into()];
        let words = words.into_iter().chain([dir.to_string_lossy().into_owned()]);
        let all = words.chain(training.arguments().into_iter().map(str::to_owned)).chain(["--seed=0".to_owned()]);
        let quoted: Vec<String> = all.map(|word| format!("'{word}'")).collect();
        let line = format!("stty cols 120 rows 40; {}", quoted.join(" "));
        let mut command = runs::quiet(Path::new("script"));
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command.env("REQUEL_KERNEL", self.kernel).env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        // Held open: the end of the keys would be taken for one.
        let keys = child.stdin.take();
        let mut drawn = Vec::new();
        child.stdout.take().context("a pipe")?.read_to_end(&mut drawn)?;
        let status = child.wait()?;
        drop(keys);
        ensure!(status.success(), "{}: {status}", dir.display());
        // The terminal was taken over, which only the dashboard does.
        let drawn = String::from_utf8_lossy(&drawn);
        ensure!(drawn.contains("\u{1b}[?1049h"), "{}: there was no dashboard", dir.display());
        Ok(())
    }
}
