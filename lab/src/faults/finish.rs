//! R14: SIGKILL of a group, most of all at the ends of its runs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs::{self, Draws};
use xtask::workspace;

const SEEDS: usize = 3;
/// How many times one group is killed before it may finish.
const KILLS: usize = 3;

/// Kills groups of seeds, every other time right after a run has written its summary, and gives the same command until it is done.
///
/// # Errors
/// When a run lacks its page, its seal or its bytes in the end, or `verify` calls one whole whose end was cut off.
pub fn check(extent: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let desk = runs::desk("finish")?;
    let whole = desk.join("whole");
    let started = Instant::now();
    runs::succeed(training(&binary, &whole))?;
    let length = started.elapsed();
    let expected = (0..SEEDS).map(|seed| runs::bytes(&seed_in(&whole, seed))).collect::<Result<Vec<_>>>()?;
    let sealed = sealed_lines(&seed_in(&whole, 0));
    let wanted = extent.pick(120, 6);
    let (mut draws, mut kills, mut at_ends, mut cut_off, mut groups) = (Draws(14), 0, 0, 0, 0);
    while kills < wanted {
        groups += 1;
        ensure!(groups < 20 + 2 * wanted, "only {kills} of {wanted} kills came before the end, of {groups} groups");
        let dir = desk.join("group");
        for kill in 0..=KILLS {
            let mut child = runs::start(training(&binary, &dir))?;
            let aimed = kill % 2 == 0;
            let moment = match aimed {
                true => Duration::from_micros(200 * draws.below(60) as u64),
                false => length.mul_f64(draws.below(1000) as f64 / 1000.0),
            };
            let wait_for = aimed.then(|| summaries(&dir) + 1);
            if kill == KILLS || !wait(&mut child, &dir, (wait_for, moment))? {
                let status = child.wait()?;
                ensure!(status.success(), "{} ended with {status} after {kill} kills", dir.display());
                break;
            }
            child.kill()?;
            child.wait()?;
            kills += 1;
            at_ends += usize::from(aimed);
            cut_off += looked_through(&binary, &dir, sealed)?;
        }
        // The last one may have been killed on its way.
        runs::succeed(training(&binary, &dir))?;
        for (seed, expected) in expected.iter().enumerate() {
            let run = seed_in(&dir, seed);
            runs::same(expected, &run)?;
            ensure!(run.join("report.html").exists(), "{} has no page", run.display());
            ensure!(sealed_lines(&run) == sealed, "{} is sealed by {} lines", run.display(), sealed_lines(&run));
            runs::succeed(verify(&binary, &run))?;
            let left: Vec<String> = names(&run)?.into_iter().filter(|name| name.ends_with(".new")).collect();
            ensure!(left.is_empty(), "{} still has {left:?}", run.display());
        }
        std::fs::remove_dir_all(&dir)?;
    }
    let note = format!(
        "{kills} kills of {groups} groups of {SEEDS} seeds, {at_ends} of them right after a summary; {cut_off} ends were cut off and \
         named by `verify`, and all were made again"
    );
    Ok(Finding { faults: kills, note })
}

fn training(binary: &Path, dir: &Path) -> Command {
    let mut command = runs::TRAININGS[0].command(binary, dir);
    command.args(["--seeds", &format!("0..{SEEDS}"), "--jobs", "2"]);
    command.args(["--set", "train.env_steps=1500", "--set", "evaluation.every_steps=700"]);
    command
}

fn seed_in(dir: &Path, seed: usize) -> PathBuf {
    dir.join(format!("seed-{seed}"))
}

fn summaries(dir: &Path) -> usize {
    (0..SEEDS).filter(|seed| seed_in(dir, *seed).join("summary.json").exists()).count()
}

/// Waits until this many runs have a summary, and then for some time more; `false` if the program ended before.
fn wait(child: &mut Child, dir: &Path, (wait_for, time): (Option<usize>, Duration)) -> Result<bool> {
    while wait_for.is_some_and(|count| summaries(dir) < count) {
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
    }
    std::thread::sleep(time);
    Ok(child.try_wait()?.is_none())
}

/// Counts the runs whose end was cut off, each of which `verify` must name.
fn looked_through(binary: &Path, dir: &Path, sealed: usize) -> Result<usize> {
    let mut cut_off = 0;
    for run in (0..SEEDS).map(|seed| seed_in(dir, seed)) {
        if run.join("summary.json").exists() && sealed_lines(&run) < sealed {
            cut_off += 1;
            let output = verify(binary, &run).output()?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let named = output.status.code() == Some(1) && said.contains("the end of the run was interrupted");
            ensure!(named, "{} is called whole: {said}", run.display());
        }
    }
    Ok(cut_off)
}

fn verify(binary: &Path, run: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("verify").arg(run);
    command
}

fn sealed_lines(run: &Path) -> usize {
    std::fs::read_to_string(run.join("checksums.blake3")).map_or(0, |text| text.lines().count())
}

fn names(run: &Path) -> Result<Vec<String>> {
    std::fs::read_dir(run)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
