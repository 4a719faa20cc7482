//! Rules that the tests of the library try, since they need to be inside of it; here they are run and counted.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs;
use xtask::command::CommandLine;
use xtask::workspace;

/// R2.
///
/// # Errors
/// When a test fails.
pub fn crashes(_: Extent) -> Result<Finding> {
    let suite = LADDER.run(&["storage::a_crash_at_any_call", "storage::what_was_saved_survives"])?;
    Ok(suite.finding("crashes"))
}

/// R3.
///
/// # Errors
/// When a test fails, or a full disk is not heard.
pub fn errors(_: Extent) -> Result<Finding> {
    let suite = LADDER.run(&["storage::an_error_at_any_call", "storage::a_save_that_fails_in_the_background"])?;
    let mut finding = suite.finding("failed calls");
    let desk = runs::desk("full")?;
    let disk = desk.join("disk");
    std::fs::create_dir_all(&disk)?;
    let mount = CommandLine::new("mount").args(["-t", "tmpfs", "-o", "size=600k", "tmpfs"]).arg(&disk);
    if !mount.succeeds() {
        finding.note.push_str("; no full disk: a tmpfs may not be mounted here");
        return Ok(finding);
    }
    let result = full_disk(&workspace::release_binary()?, &desk, &disk);
    CommandLine::new("umount").arg(&disk).run_quietly()?;
    result?;
    finding.faults += 1;
    finding.note.push_str("; and a real full tmpfs, resumed once there was room");
    Ok(finding)
}

/// Trains on a small disk until it is full; what was saved before must be there, and enough to go on from.
fn full_disk(binary: &Path, desk: &Path, disk: &Path) -> Result<()> {
    // Grows until nothing fits any more: metrics of each episode, and a checkpoint now and then.
    let training = |dir: &Path| {
        let mut command = runs::TRAININGS[0].command(binary, dir);
        command.args(["--set", "train.env_steps=60000", "--keep", "2"]);
        command
    };
    let (dir, whole) = (disk.join("run"), desk.join("whole"));
    runs::succeed(training(&whole))?;
    let output = training(&dir).stderr(Stdio::piped()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "a full disk ended with {}: {said}", output.status);
    ensure!(said.contains("No space left"), "a full disk is not named: {said}");
    let verified = Command::new(binary).arg("verify").arg(&dir).output()?;
    ensure!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    ensure!(!runs::checkpoints(&dir)?.is_empty(), "no checkpoint is left on the full disk");
    CommandLine::new("mount").args(["-o", "remount,size=20m"]).arg(disk).run_quietly()?;
    runs::succeed(runs::resume(binary, &dir))?;
    runs::same(&runs::bytes(&whole)?, &dir)
}

/// R5.
///
/// # Errors
/// When a test fails.
pub fn hostile_files(_: Extent) -> Result<Finding> {
    let names = ["hostile::", "checkpoints::manifests_that_lead_elsewhere", "storage::segments_that_are_not_what"];
    Ok(LADDER.run(&names)?.finding("files, none of which took more than 4 MiB"))
}

/// R8.
///
/// # Errors
/// When a test fails.
pub fn bad_numbers(_: Extent) -> Result<Finding> {
    let matrix = LIBRARY.run(&["train::bad_numbers_tests::"])?;
    let names =
        ["failures::numbers_that_are_not_finite", "failures::a_score_that", "failures::a_training_that_diverges"];
    let others = LADDER.run(&[&names[..], &["failures::an_observation_that", "skipping::"]].concat())?;
    PROGRAM.run(&["verifying::numbers_that_are_not_finite"])?;
    let mut finding =
        matrix.finding("of 3 numbers × 4 sites × 3 times × 3 agents, a third of them resumed to the same weights");
    finding.note.push_str(&format!("; {} more tests, of evaluations and of `train.on_nan = \"skip\"`", others.passed));
    Ok(finding)
}

/// R9.
///
/// # Errors
/// When a test fails.
pub fn bad_envs(_: Extent) -> Result<Finding> {
    Ok(LADDER.run(&["bad_envs::"])?.finding("environments that break the contract"))
}

/// R15.
///
/// # Errors
/// When a test fails.
pub fn readers(_: Extent) -> Result<Finding> {
    let names = ["seals::no_reader_takes", "seals::a_policy_of_another", "seals::a_damaged_summary"];
    Ok(PROGRAM.run(&names)?.finding("commands on runs that are not what they were"))
}

/// R16.
///
/// # Errors
/// When a test fails.
pub fn bounds(_: Extent) -> Result<Finding> {
    let names = ["seals::pipes_devices", "seals::what_is_given_as_input", "refusals::every_count_has_a_bound"];
    Ok(PROGRAM.run(&names)?.finding("commands given what has no end"))
}

/// R4, for truncation: the library's own look at every boundary, which a process each would take hours for.
///
/// # Errors
/// When a test fails.
pub(super) fn truncations() -> Result<usize> {
    Ok(LADDER.run(&["storage::a_checkpoint_cut_at_any_64_byte_boundary", "--include-ignored"])?.faults)
}

/// Tests of a package.
struct Tests {
    name: &'static str,
    arguments: &'static [&'static str],
}

const LIBRARY: Tests = Tests { name: "library", arguments: &["--package", "requel", "--lib"] };
const LADDER: Tests = Tests { name: "ladder", arguments: &["--package", "requel", "--test", "ladder"] };
const PROGRAM: Tests = Tests { name: "program", arguments: &["--package", "requel-cli", "--test", "program"] };

/// What tests came to that all passed.
struct Passed {
    passed: usize,
    /// What they say of themselves, in lines `faults put in: N`.
    faults: usize,
}

impl Tests {
    /// Runs those whose names begin so.
    fn run(&self, names: &[&str]) -> Result<Passed> {
        let command = match workspace::built_tests(self.name) {
            Some(tests) => CommandLine::new(tests),
            None => workspace::cargo().args(["test", "--locked"]).args(self.arguments).arg("--"),
        };
        let output = command.args(names).args(["--nocapture", "--test-threads=1"]).output()?;
        // Lines of tests that print begin with the name of the test.
        let number = |line: &str| line.split("faults put in: ").nth(1)?.trim().parse::<usize>().ok();
        let faults = output.lines().filter_map(number).sum();
        let result = output.lines().find(|line| line.starts_with("test result:")).unwrap_or_default();
        let passed = result.split_whitespace().nth(3).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        let wanted = names.iter().filter(|name| !name.starts_with("--")).count();
        ensure!(passed >= wanted, "only {passed} tests for {names:?}: {result}");
        Ok(Passed { passed, faults })
    }
}

impl Passed {
    fn finding(&self, what: &str) -> Finding {
        let Passed { passed, faults } = self;
        let tests = if *passed == 1 { "test" } else { "tests" };
        Finding { faults: *faults, note: format!("{faults} {what} ({passed} {tests})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_that_a_rule_names_is_there() {
        let rules = include_str!("suites.rs").split("#[cfg(test)]").next().unwrap();
        let quoted = rules.split('"').skip(1).step_by(2);
        let named: Vec<&str> = quoted.filter(|text| text.contains("::") && !text.contains(' ')).collect();
        assert!(named.len() > 15, "{named:?}");
        let files = workspace::files().unwrap();
        for name in named {
            let (module, test) = name.rsplit_once("::").unwrap();
            let module = module.replace("::", "/");
            let ends = [format!("{module}.rs"), format!("{module}/mod.rs")];
            let has = |path: &&std::path::PathBuf| {
                let text = std::fs::read_to_string(workspace::root().join(path)).unwrap_or_default();
                text.contains("#[test]") && text.contains(&format!("fn {test}"))
            };
            assert!(
                files.iter().filter(|path| ends.iter().any(|end| path.ends_with(end))).any(|path| has(&path)),
                "{name}"
            );
        }
    }
}
