//! R11: signals that ask to stop.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::kill::is_saving;
use super::rule::{Extent, Finding};
use super::runs::{self, Draws, TRAININGS};
use xtask::command::CommandLine;
use xtask::workspace;

/// The signals with the exit code of each.
const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];
/// No stop may take longer.
const LONGEST: Duration = Duration::from_secs(5);

/// When a signal comes, by what the program does for most of its time or is seen to do.
struct Phase {
    name: &'static str,
    /// Settings over those of the plain training, `key=value`.
    settings: &'static [&'static str],
    /// The environment in place of CartPole.
    env: Option<&'static str>,
    /// The signal waits until a checkpoint is staged.
    while_saving: bool,
}

const PHASES: [Phase; 4] = [
    Phase { name: "training", settings: &[], env: None, while_saving: false },
    // Nine of ten steps are those of evaluations.
    Phase {
        name: "evaluation",
        settings: &["train.env_steps=3000", "evaluation.every_steps=50", "evaluation.episodes=40"],
        env: None,
        while_saving: false,
    },
    Phase { name: "save", settings: &[], env: None, while_saving: true },
    // Every other step ends an episode.
    Phase {
        name: "reset",
        settings: &["train.env_steps=30000", "checkpoint.every_steps=3000", "evaluation.every_steps=9000"],
        env: Some("Blackjack-v1"),
        while_saving: false,
    },
];

/// Asks runs to stop: in training, evaluations, saves and resets.
///
/// # Errors
/// When one does not stop within 5 s, exits otherwise, or ends with other bytes once resumed.
pub fn check(extent: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let mut notes = Vec::new();
    let (mut stopped, mut slowest) = (0, Duration::ZERO);
    for (index, phase) in PHASES.iter().enumerate() {
        let mut asked = Asked::new(phase, &binary)?;
        for (signal, code) in SIGNALS {
            // 50 of each signal over the phases: 13, 13, 12, 12.
            let wanted = extent.pick(if index < 2 { 13 } else { 12 }, 2);
            let mut stops = 0;
            for attempt in 0.. {
                if stops == wanted {
                    break;
                }
                ensure!(
                    attempt < 10 * wanted,
                    "only {stops} of {attempt} SIG{signal} came before the end: {}",
                    phase.name
                );
                stops += usize::from(asked.stop_and_compare(signal, code)?);
            }
            stopped += stops;
        }
        notes.push(format!("{} in {}", 3 * extent.pick(if index < 2 { 13 } else { 12 }, 2), phase.name));
        slowest = slowest.max(asked.slowest);
    }
    let note = format!("{stopped} stopped and resumed ({}), slowest {slowest:.1?}", notes.join(", "));
    Ok(Finding { faults: stopped, note })
}

/// A training that is asked to stop again and again.
struct Asked<'a> {
    phase: &'a Phase,
    binary: &'a Path,
    desk: PathBuf,
    length: Duration,
    expected: BTreeMap<String, Vec<u8>>,
    draws: Draws,
    slowest: Duration,
}

impl<'a> Asked<'a> {
    fn new(phase: &'a Phase, binary: &'a Path) -> Result<Self> {
        let desk = runs::desk(&format!("signals-{}", phase.name))?;
        let whole = desk.join("whole");
        let started = Instant::now();
        runs::succeed(command(phase, binary, &whole))?;
        let length = started.elapsed();
        let expected = runs::bytes(&whole)?;
        Ok(Asked { phase, binary, desk, length, expected, draws: Draws(11), slowest: Duration::ZERO })
    }

    /// One run with a signal and what follows; `false` where the signal came after the end.
    fn stop_and_compare(&mut self, signal: &str, code: i32) -> Result<bool> {
        let dir = self.desk.join("run");
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        let mut child = runs::start(command(self.phase, self.binary, &dir))?;
        let in_time = self.wait(&mut child, &dir)?;
        if in_time {
            CommandLine::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).run_quietly()?;
        }
        let asked = Instant::now();
        let status = child.wait()?;
        self.slowest = self.slowest.max(asked.elapsed());
        ensure!(asked.elapsed() < LONGEST, "SIG{signal} in {}: took {:?}", self.phase.name, asked.elapsed());
        let ended_by_itself = status.code() == Some(0);
        ensure!(
            ended_by_itself || status.code() == Some(code),
            "SIG{signal} in {}: exit {:?}, signal {:?}, not {code}",
            self.phase.name,
            status.code(),
            status.signal()
        );
        if !ended_by_itself {
            ensure!(!runs::checkpoints(&dir)?.is_empty(), "SIG{signal} in {}: nothing was saved", self.phase.name);
            runs::succeed(runs::resume(self.binary, &dir))?;
        }
        runs::same(&self.expected, &dir)?;
        Ok(!ended_by_itself)
    }

    /// Waits for the moment of the signal; `false` if the program ended before.
    fn wait(&mut self, child: &mut Child, dir: &Path) -> Result<bool> {
        // Not before it listens, which is right after the run is there.
        while !dir.join("timing.csv").exists() {
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_millis(20) + self.length.mul_f64(self.draws.below(800) as f64 / 1000.0));
        while self.phase.while_saving && !is_saving(dir) {
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
        }
        Ok(child.try_wait()?.is_none())
    }
}

fn command(phase: &Phase, binary: &Path, dir: &Path) -> Command {
    let mut command = TRAININGS[0].command(binary, dir);
    command.args(phase.env);
    command.args(phase.settings.iter().flat_map(|setting| ["--set", *setting]));
    command
}
