//! R11: signals that ask to stop.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs::{self, Draws, TRAININGS};
use crate::command::CommandLine;
use crate::workspace;

/// The signals with the exit code of each.
const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// Asks runs to stop at random moments: in training, evaluation, saves and resets.
///
/// # Errors
/// When one does not stop within 5 s, exits otherwise, or ends with other bytes once resumed.
pub fn check(extent: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let training = &TRAININGS[0];
    let desk = runs::desk("signals")?;
    let whole = desk.join("whole");
    let started = Instant::now();
    runs::succeed(training.command(&binary, &whole))?;
    let length = started.elapsed();
    let expected = runs::bytes(&whole)?;
    let mut draws = Draws(11);
    let (mut stopped, mut slowest, mut too_late) = (0, Duration::ZERO, 0);
    for (signal, code) in SIGNALS {
        for number in 0..extent.pick(50, 3) {
            let dir = desk.join(format!("{signal}-{number}"));
            let mut child = runs::start(training.command(&binary, &dir))?;
            // Not before it listens, which is after the run is there.
            while !dir.join("timing.csv").exists() && child.try_wait()?.is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(Duration::from_millis(20) + length.mul_f64(draws.below(900) as f64 / 1000.0));
            if child.try_wait()?.is_some() {
                too_late += 1;
                std::fs::remove_dir_all(&dir)?;
                continue;
            }
            let asked = Instant::now();
            CommandLine::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).run_quietly()?;
            let status = child.wait()?;
            slowest = slowest.max(asked.elapsed());
            ensure!(asked.elapsed() < Duration::from_secs(5), "SIG{signal}: took {:?}", asked.elapsed());
            let ended_by_itself = status.code() == Some(0);
            ensure!(
                ended_by_itself || status.code() == Some(code),
                "SIG{signal}: exit {:?}, signal {:?}, not {code}",
                status.code(),
                status.signal()
            );
            if !ended_by_itself {
                stopped += 1;
                runs::succeed(runs::resume(&binary, &dir))?;
            }
            runs::same(&expected, &dir)?;
            std::fs::remove_dir_all(&dir)?;
        }
    }
    ensure!(stopped * 2 > SIGNALS.len() * extent.pick(50, 3), "only {stopped} signals came in time");
    let note = format!("{stopped} stopped and resumed, {too_late} came after the end, slowest {slowest:.1?}");
    Ok(Finding { faults: stopped, note })
}
