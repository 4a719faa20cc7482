//! R1: SIGKILL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs::{self, Draws, TRAININGS, Training};
use xtask::workspace;

/// Kills runs at random moments, more than half of the time during a save, until each has finished.
///
/// # Errors
/// When a run does not resume, or ends with other bytes than the undisturbed one.
pub fn check(extent: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let mut notes = Vec::new();
    let mut kills = 0;
    for training in &TRAININGS {
        let mut victim = Victim::new(training, &binary)?;
        let wanted = extent.pick(training.kills, 6);
        for run in 0.. {
            if victim.kills >= wanted && victim.in_saves * 2 >= victim.kills {
                notes.push(format!(
                    "{}: {} kills of {run} runs, {} of them during a save",
                    training.name, victim.kills, victim.in_saves
                ));
                break;
            }
            ensure!(
                run < 20 + 5 * wanted,
                "{}: only {} of {} kills came during a save, of {run} runs",
                training.name,
                victim.in_saves,
                victim.kills
            );
            victim.kill_and_compare(run)?;
        }
        kills += victim.kills;
    }
    Ok(Finding { faults: kills, note: notes.join("; ") })
}

/// A training that is killed again and again.
struct Victim<'a> {
    training: &'a Training,
    binary: &'a Path,
    desk: PathBuf,
    /// How long it takes undisturbed.
    length: Duration,
    expected: BTreeMap<String, Vec<u8>>,
    draws: Draws,
    kills: usize,
    /// After how many of them a checkpoint was staged that was not yet renamed.
    in_saves: usize,
}

/// Kills per run, limited so that each run finishes.
const KILLS: usize = 4;

impl<'a> Victim<'a> {
    fn new(training: &'a Training, binary: &'a Path) -> Result<Self> {
        let desk = runs::desk(&format!("kill-{}", training.name.replace(", ", "-")))?;
        let whole = desk.join("whole");
        let started = Instant::now();
        runs::succeed(training.command(binary, &whole))?;
        let length = started.elapsed();
        let expected = runs::bytes(&whole)?;
        Ok(Victim { training, binary, desk, length, expected, draws: Draws(1), kills: 0, in_saves: 0 })
    }

    /// One run, from its beginning over kills to its end.
    fn kill_and_compare(&mut self, run: usize) -> Result<()> {
        let dir = self.desk.join(format!("{run}"));
        let mut command = self.training.command(self.binary, &dir);
        for kill in 0..=KILLS {
            let mut child = runs::start(command)?;
            // Later ones have less before them.
            let moment = self.length.mul_f64(self.draws.below(1000) as f64 / 1000.0 / (kill + 1) as f64);
            // Of those that are aimed at a save some come when it is over, so that it takes more than half of them.
            let aimed = self.in_saves * 2 <= self.kills;
            if kill == KILLS || !wait(&mut child, &dir, moment, aimed)? {
                let status = child.wait()?;
                ensure!(status.success(), "{} ended with {status} after {kill} kills", dir.display());
                break;
            }
            child.kill()?;
            child.wait()?;
            self.kills += 1;
            self.in_saves += usize::from(is_saving(&dir));
            command = self.go_on(&dir)?;
        }
        runs::same(&self.expected, &dir)?;
        Ok(std::fs::remove_dir_all(&dir)?)
    }

    /// The command that continues a run that was killed. If it was killed before the run existed, it is started again.
    fn go_on(&self, dir: &Path) -> Result<Command> {
        if dir.join("config.toml").exists() {
            return Ok(runs::resume(self.binary, dir));
        }
        if dir.exists() {
            std::fs::remove_dir_all(dir)?;
        }
        Ok(self.training.command(self.binary, dir))
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
pub(super) fn is_saving(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir.join("checkpoints")) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(".staged-"))
}
