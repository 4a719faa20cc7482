//! `cargo xtask test`: every check of the project, in order, each with a headline, its time, and a summary at the end.
//!
//! A check that fails does not stop those after it: one run says everything that is wrong. What each prints is passed
//! through, so that cargo's own closing lines stay readable to whoever reads this log. The last line is the plain
//! `N passed, M failed`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use xtask::command::CommandLine;
use xtask::python::VirtualEnvironment;
use xtask::{UsageError, finished_line, machine, workspace};

use crate::{house, lab, ptx, tools};

/// One thing that must hold.
struct Check {
    /// What it is called on the command line.
    name: &'static str,
    /// What must hold, in a few words.
    promise: &'static str,
    run: fn() -> Result<Outcome>,
}

/// How a check that did not fail ended.
enum Outcome {
    Passed,
    /// It could not be made here, for the reason given.
    Skipped(String),
}

/// All checks, the quick ones first, so that a slip shows early.
const CHECKS: &[Check] = &[
    Check { name: "fmt", promise: "the code is formatted", run: formatting },
    Check { name: "house", promise: "the rules of this house that no compiler knows", run: house_rules },
    Check { name: "deny", promise: "licences, sources and banned crates of the dependencies", run: dependencies },
    Check { name: "clippy", promise: "clippy has nothing to say", run: clippy },
    Check { name: "wasm", promise: "the libraries compile for wasm32", run: wasm },
    Check { name: "test", promise: "all tests and doctests pass", run: tests },
    Check { name: "doc", promise: "the documentation builds without warnings", run: documentation },
    Check { name: "rollout", promise: "environments equal to the real Gymnasium, step by step", run: rollout },
    Check { name: "tensorboard", promise: "the real TensorBoard reads a run", run: tensorboard },
    Check {
        name: "ptx",
        promise: "the committed PTX is what the pinned compiler makes of the kernels",
        run: ptx_bytes,
    },
    Check { name: "python", promise: "the Python package installs and its tests pass", run: python_package },
    Check { name: "instructions", promise: "the hot path takes no more instructions than before", run: instructions },
    Check { name: "results", promise: "the runs that pages rest on come out the same", run: results_check },
    Check { name: "same-bits", promise: "the same run from a development and a release build", run: same_bits },
];

/// Checks that take minutes and that few changes can break: made where they are named.
const ON_DEMAND: &[Check] = &[
    Check {
        name: "machines",
        promise: "200 runs by four processes on a bad disk, two of them killed; a search that is killed ten times",
        run: machines,
    },
    Check { name: "ray", promise: "studies, Tune and remote collectors on three raylets, some killed", run: ray },
];

/// Runs the checks named in `arguments`, or all.
///
/// # Errors
/// For a name that is no check. A check that fails is not an error but a failing exit code.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    if arguments.iter().any(|argument| argument == "--list") {
        for check in CHECKS {
            println!("{:<12} {}", check.name, check.promise);
        }
        for check in ON_DEMAND {
            println!("{:<12} {} (only where it is named)", check.name, check.promise);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(arguments)?;
    let mut reports = Vec::new();
    for (index, check) in chosen.iter().enumerate() {
        eprintln!("\n━━ [{}/{}] {}: {}", index + 1, chosen.len(), check.name, check.promise);
        let start = Instant::now();
        let result = (check.run)();
        let report = Report { name: check.name, result, elapsed: start.elapsed() };
        eprintln!("{}", report.line());
        reports.push(report);
    }
    eprintln!("\n━━ summary");
    for report in &reports {
        eprintln!("{}", report.line());
    }
    println!("{}", closing_line(&reports));
    let failed = reports.iter().any(|report| report.result.is_err());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How one check went.
struct Report {
    name: &'static str,
    result: Result<Outcome>,
    elapsed: Duration,
}

impl Report {
    fn line(&self) -> String {
        let seconds = self.elapsed.as_secs_f64();
        let (verdict, reason) = match &self.result {
            Ok(Outcome::Passed) => ("passed", String::new()),
            Ok(Outcome::Skipped(reason)) => ("SKIPPED", format!("  {reason}")),
            Err(error) => ("FAILED", format!("  {error:#}")),
        };
        format!("{verdict:<7} {:<12} {seconds:>7.1} s{reason}", self.name)
    }
}

/// The line that the continuous integration reads, with the skipped ones named only when there are any.
fn closing_line(reports: &[Report]) -> String {
    let count = |wanted: fn(&Result<Outcome>) -> bool| reports.iter().filter(|report| wanted(&report.result)).count();
    let passed = count(|result| matches!(result, Ok(Outcome::Passed)));
    let skipped = count(|result| matches!(result, Ok(Outcome::Skipped(_))));
    let failed = count(Result::is_err);
    match skipped {
        0 => format!("{passed} passed, {failed} failed"),
        _ => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Check>> {
    let all = || CHECKS.iter().chain(ON_DEMAND);
    for name in names {
        if !all().any(|check| check.name == name) {
            let known: Vec<&str> = all().map(|check| check.name).collect();
            bail!(UsageError(format!("no check is called `{name}`; there are: {}", known.join(", "))));
        }
    }
    if names.is_empty() {
        return Ok(CHECKS.iter().collect());
    }
    Ok(all().filter(|check| names.iter().any(|name| name == check.name)).collect())
}

fn formatting() -> Result<Outcome> {
    passed(workspace::cargo().args(["fmt", "--all", "--check"]).run())
}

fn clippy() -> Result<Outcome> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    // Every `unsafe` block carries its argument; clippy knows where the blocks are better than a text search.
    passed(workspace::cargo().args(arguments).args(["-D", "clippy::undocumented_unsafe_blocks"]).run())
}

fn wasm() -> Result<Outcome> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let libraries = CommandLine::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    if !std::path::Path::new(libraries.trim()).exists() {
        return Ok(Outcome::Skipped(format!("the target is not installed; `rustup target add {TARGET}` installs it")));
    }
    let packages = ["--package", "requel-envs", "--package", "requel-nn", "--package", "requel"];
    workspace::cargo().args(["check", "--locked", "--target", TARGET]).args(packages).run()?;
    // On its own: beside the others it would have the features that they ask for.
    passed(workspace::cargo().args(["check", "--locked", "--target", TARGET, "--package", "requel-policy"]).run())
}

fn tests() -> Result<Outcome> {
    let tests = workspace::cargo().args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    passed(match machine::folder_in_memory() {
        Some(folder) => tests.env("TMPDIR", folder).run(),
        None => tests.run(),
    })
}

fn documentation() -> Result<Outcome> {
    let doc = workspace::cargo().args(["doc", "--workspace", "--no-deps", "--locked"]);
    passed(doc.env("RUSTDOCFLAGS", "-D warnings").run())
}

fn house_rules() -> Result<Outcome> {
    let faults = house::faults()?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    ensure!(faults.is_empty(), "{} broken, listed above", plural(faults.len(), "rule"));
    Ok(Outcome::Passed)
}

fn dependencies() -> Result<Outcome> {
    let Some(cargo_deny) = tools::cargo_deny() else {
        return Ok(Outcome::Skipped("cargo-deny is not installed; `cargo xtask tools` installs it".into()));
    };
    // Not `advisories`: they need a database from the network, and would fail a commit that changed nothing.
    passed(cargo_deny.args(["--workspace", "--locked", "check", "licenses", "bans", "sources"]).run())
}

fn rollout() -> Result<Outcome> {
    const SCRIPT: &str = "xtask/golden/rollout_check.py";
    ensure!(workspace::root().join(SCRIPT).exists(), "{SCRIPT} is missing");
    let binary = workspace::release_binary()?;
    passed(VirtualEnvironment::for_tests()?.python().arg(SCRIPT).arg(binary).run())
}

fn tensorboard() -> Result<Outcome> {
    let python = VirtualEnvironment::for_tests()?.python();
    let run_dir = fresh_run_dir("tb-run")?;
    // Short, but long enough to learn and to evaluate, so that every tag has its points.
    let settings = ["train.env_steps=5000", "evaluation.every_steps=1000", "evaluation.episodes=5"];
    train(workspace::release_binary()?, &run_dir, &settings)?;
    passed(python.arg("xtask/golden/tensorboard_check.py").arg(run_dir).run())
}

fn ptx_bytes() -> Result<Outcome> {
    if !ptx::is_possible() {
        return Ok(Outcome::Skipped("the pinned compiler is for Linux on x86-64".into()));
    }
    passed(ptx::run(&["--check".into()]))
}

fn python_package() -> Result<Outcome> {
    let environment = VirtualEnvironment::for_package()?;
    install_package(&environment)?;
    passed(environment.python().args(["-m", "pytest", "-p", "no:cacheprovider", "--durations=5"]).run())
}

fn ray() -> Result<Outcome> {
    let environment = VirtualEnvironment::for_ray()?;
    install_package(&environment)?;
    let tests = ["-m", "pytest", "-p", "no:cacheprovider", "--durations=5", "python/tests_ray"];
    passed(environment.python().args(tests).run())
}

/// Builds the wheel and installs it.
fn install_package(environment: &VirtualEnvironment) -> Result<()> {
    let wheels = workspace::target_dir().join("python-wheel");
    workspace::empty_folder(&wheels)?;
    let build = ["-m", "maturin", "build", "--release", "--locked", "--quiet", "--out"];
    environment.python().args(build).arg(&wheels).run()?;
    let mut built = std::fs::read_dir(&wheels).with_context(|| format!("cannot read {}", wheels.display()))?;
    let wheel = built.next().context("maturin built no wheel")??.path();
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--force-reinstall"];
    environment.python().args(install).arg(wheel).run()
}

fn machines() -> Result<Outcome> {
    let test = ["test", "--package", "requel-cli", "--test", "program", "--locked", "--", "--ignored"];
    let modules = ["machines::", "tuning::"];
    passed(workspace::cargo().args(test).args(modules).run())
}

fn same_bits() -> Result<Outcome> {
    let settings = ["train.env_steps=3000", "evaluation.every_steps=1000", "evaluation.episodes=5"];
    let mut results = Vec::new();
    for (name, binary) in [("development", workspace::development_binary()?), ("release", workspace::release_binary()?)]
    {
        let run_dir = fresh_run_dir(&format!("same-bits-{name}"))?;
        let finished = train(binary, &run_dir, &settings)?;
        let hash = finished["weights_blake3"].as_str().context("no `weights_blake3` in the last line")?.to_owned();
        let metrics = run_dir.join("metrics.jsonl");
        let metrics = std::fs::read(&metrics).with_context(|| format!("cannot read {}", metrics.display()))?;
        ensure!(!metrics.is_empty(), "the {name} build wrote an empty metrics.jsonl");
        results.push((hash, metrics));
    }
    let [(development_hash, development_metrics), (release_hash, release_metrics)] = &results[..] else {
        bail!("two builds were run and {} reported", results.len());
    };
    ensure!(development_hash == release_hash, "weights differ: development {development_hash}, release {release_hash}");
    ensure!(development_metrics == release_metrics, "metrics.jsonl differs between the development and release builds");
    println!("development and release build: weights {release_hash}, metrics.jsonl byte-equal");
    Ok(Outcome::Passed)
}

fn results_check() -> Result<Outcome> {
    passed(lab::command(&["results", "--check"]).run())
}

fn instructions() -> Result<Outcome> {
    // Its last line says whether they could be counted.
    let said = lab::command(&["bench", "--check"]).output()?;
    let last = said.lines().next_back().unwrap_or_default();
    match last.strip_prefix("skipped: ") {
        Some(reason) => Ok(Outcome::Skipped(reason.to_owned())),
        None => Ok(Outcome::Passed),
    }
}

/// Trains CartPole-v1 and hands back the `run_finished` line.
fn train(binary: PathBuf, run_dir: &std::path::Path, settings: &[&str]) -> Result<serde_json::Value> {
    let mut command = CommandLine::new(binary).args(["train", "CartPole-v1", "--seed", "0", "--json", "--run-dir"]);
    command = command.arg(run_dir);
    for setting in settings {
        command = command.args(["--set", setting]);
    }
    finished_line(&command.output()?).with_context(|| format!("`{command}`"))
}

/// A path under the target folder at which no run is.
fn fresh_run_dir(name: &str) -> Result<PathBuf> {
    let run_dir = workspace::target_dir().join("xtask").join(name);
    workspace::empty_folder(&run_dir)?;
    std::fs::remove_dir(&run_dir)?;
    Ok(run_dir)
}

fn passed(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(result: Result<Outcome>) -> Report {
        Report { name: "x", result, elapsed: Duration::from_millis(1500) }
    }

    #[test]
    fn the_closing_line_counts_and_names_skips_only_when_there_are_any() {
        let mut reports = vec![report(Ok(Outcome::Passed)), report(Ok(Outcome::Passed)), report(bailing())];
        assert_eq!(closing_line(&reports), "2 passed, 1 failed");
        reports.push(report(Ok(Outcome::Skipped("no tool".into()))));
        assert_eq!(closing_line(&reports), "2 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_failed_check_says_why_on_its_line() {
        assert_eq!(report(bailing()).line(), "FAILED  x                1.5 s  `cargo fmt` failed");
    }

    #[test]
    fn checks_run_in_their_own_order_whatever_the_order_asked() {
        let chosen = choose(&["clippy".into(), "fmt".into()]).unwrap();
        assert_eq!(chosen.iter().map(|check| check.name).collect::<Vec<_>>(), ["fmt", "clippy"]);
        assert_eq!(choose(&[]).unwrap().len(), CHECKS.len());
    }

    #[test]
    fn a_check_that_does_not_exist_is_refused_by_name() {
        let error = choose(&["fnt".into()]).err().unwrap();
        assert!(error.is::<UsageError>() && error.to_string().contains("`fnt`"), "{error}");
    }

    fn bailing() -> Result<Outcome> {
        bail!("`cargo fmt` failed")
    }
}
