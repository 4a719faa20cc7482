//! R1: SIGKILL.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs::{self, Draws, TRAININGS, Training};
use crate::workspace;

/// Kills runs at random moments, every other one during a save, until each has come to its end.
///
/// # Errors
/// When a run does not resume, or ends with other bytes than the undisturbed one.
pub fn check(extent: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let (mut kills, mut in_saves, mut runs) = (0, 0, 0);
    for training in TRAININGS {
        let desk = runs::desk(&format!("kill-{}", training.name))?;
        let whole = desk.join("whole");
        let started = Instant::now();
        runs::succeed(training.command(&binary, &whole))?;
        let length = started.elapsed();
        let expected = runs::bytes(&whole)?;
        let mut draws = Draws(1);
        for number in 0..extent.pick(200, 6) {
            let dir = desk.join(format!("{number}"));
            let (killed, saving) = killed_until_done(training, &binary, &dir, length, number % 2 == 0, &mut draws)?;
            runs::same(&expected, &dir)?;
            std::fs::remove_dir_all(&dir)?;
            (kills, in_saves, runs) = (kills + killed, in_saves + saving, runs + 1);
        }
    }
    ensure!(in_saves * 2 >= runs, "only {in_saves} of {kills} kills of {runs} runs came during a save");
    let agents: Vec<&str> = TRAININGS.iter().map(|training| training.name).collect();
    let note = format!("{runs} runs of {}, {kills} kills, {in_saves} of them during a save", agents.join(", "));
    Ok(Finding { faults: kills, note })
}

/// Trains with kills; says how many there were, and how many of them while a checkpoint was being written.
fn killed_until_done(
    training: &Training,
    binary: &Path,
    dir: &Path,
    length: Duration,
    in_save: bool,
    draws: &mut Draws,
) -> Result<(usize, usize)> {
    let (mut kills, mut saving) = (0, 0);
    let mut command = training.command(binary, dir);
    loop {
        let mut child = runs::start(command)?;
        let moment = length.mul_f64(draws.below(1000) as f64 / 1000.0);
        let came = wait(&mut child, dir, moment, in_save && kills < 3)?;
        // Three kills per run, so that each comes to its end.
        if !came || kills == 3 {
            let status = child.wait()?;
            ensure!(status.success(), "{} ended with {status} after {kills} kills", dir.display());
            return Ok((kills, saving));
        }
        child.kill()?;
        child.wait()?;
        kills += 1;
        saving += usize::from(is_saving(dir));
        // Killed before there was a run, it is begun once more.
        command = if dir.join("config.toml").exists() {
            runs::resume(binary, dir)
        } else {
            if dir.exists() {
                std::fs::remove_dir_all(dir)?;
            }
            training.command(binary, dir)
        };
    }
}

/// Waits for the moment, and from there on for a save where one is wanted; `false` if the program ended before.
fn wait(child: &mut Child, dir: &Path, moment: Duration, for_save: bool) -> Result<bool> {
    let started = Instant::now();
    while started.elapsed() < moment || (for_save && !is_saving(dir)) {
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        if started.elapsed() < moment {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    Ok(child.try_wait()?.is_none())
}

/// Whether a checkpoint is staged at this moment.
fn is_saving(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir.join("checkpoints")) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(".staged-"))
}
