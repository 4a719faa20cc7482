//! Rules that the tests of the library try, since they need to be inside of it; here they are run and counted.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::rule::{Extent, Finding};
use super::runs;
use crate::command::CommandLine;
use crate::workspace;

/// R2.
///
/// # Errors
/// When a test fails.
pub fn crashes(_: Extent) -> Result<Finding> {
    tests(&["storage::a_crash_at_any_call", "storage::what_was_saved_survives"])
}

/// R3.
///
/// # Errors
/// When a test fails, or a full disk is not heard.
pub fn errors(_: Extent) -> Result<Finding> {
    let suites = tests(&["storage::an_error_at_any_call", "storage::a_save_that_fails_in_the_background"])?;
    let faults = suites.faults;
    let desk = runs::desk("full")?;
    let disk = desk.join("disk");
    std::fs::create_dir_all(&disk)?;
    let mount = CommandLine::new("mount").args(["-t", "tmpfs", "-o", "size=600k", "tmpfs"]).arg(&disk);
    if !mount.succeeds() {
        return Ok(Finding { faults, note: "the tests alone: a tmpfs may not be mounted here".into() });
    }
    let result = full_disk(&workspace::release_binary()?, &disk);
    CommandLine::new("umount").arg(&disk).run_quietly()?;
    result?;
    Ok(Finding { faults: faults + 1, note: "with a real full tmpfs".into() })
}

/// Trains on a small disk until it is full; what was saved before must be there, and enough to go on from.
fn full_disk(binary: &Path, disk: &Path) -> Result<()> {
    let dir = disk.join("run");
    let training = &runs::TRAININGS[0];
    let mut command = training.command(binary, &dir);
    // Grows until nothing fits any more: metrics of each episode, and four checkpoints.
    command.args(["--set", "train.env_steps=400000", "--keep", "2"]);
    let output = command.stderr(Stdio::piped()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "a full disk ended with {}: {said}", output.status);
    ensure!(said.contains("No space left"), "a full disk is not named: {said}");
    let verified = Command::new(binary).arg("verify").arg(&dir).output()?;
    ensure!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    ensure!(!runs::checkpoints(&dir)?.is_empty(), "no checkpoint is left on the full disk");
    Ok(())
}

/// R5.
///
/// # Errors
/// When a test fails.
pub fn hostile_files(_: Extent) -> Result<Finding> {
    tests(&["hostile::", "checkpoints::manifests_that_lead_elsewhere", "storage::segments_that_are_not_what"])
}

/// R8.
///
/// # Errors
/// When a test fails.
pub fn bad_numbers(_: Extent) -> Result<Finding> {
    tests(&["failures::numbers_that_are_not_finite", "failures::a_score_that", "failures::a_training_that_diverges"])
}

/// R9.
///
/// # Errors
/// When a test fails.
pub fn bad_worlds(_: Extent) -> Result<Finding> {
    tests(&["bad_worlds::"])
}

/// Runs those tests of the ladder, and counts them.
fn tests(names: &[&str]) -> Result<Finding> {
    let command = workspace::cargo().args(["test", "--package", "requel", "--locked", "--test", "ladder", "--"]);
    let output = command.args(names).output()?;
    let line = output.lines().find(|line| line.starts_with("test result:")).context("no test was run")?;
    let passed = line.split_whitespace().nth(3).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
    ensure!(passed >= names.len(), "only {passed} tests for {names:?}: {line}");
    Ok(Finding { faults: passed, note: format!("{passed} tests, each over many faults") })
}
