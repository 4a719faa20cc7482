//! `cargo xtask fuzz`: runs the fuzz targets for a while, and adds to what is recorded of that.
//!
//! `results/fuzz.csv` has a row per target and run, which only ever grows; `results/fuzz.md` is made of it. What was found along
//! the way is merged into `fuzz/corpus`, as few and as small inputs as cover the same.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use xtask::command::CommandLine;
use xtask::{UsageError, machine, workspace};

/// Seconds of each target where nobody says.
const SECONDS: u64 = 60;
/// What a target may take, MiB.
const MOST_MEMORY: u32 = 2048;
/// No input takes longer, seconds by the clock: on a busy machine a process may wait for minutes.
const LONGEST: u32 = 1200;
/// A corpus that is committed is never larger than this in files; what is left out was found and does no harm.
const MOST_FILES: usize = 28;
/// Nor one of its files, bytes.
const MOST_FILE: u64 = 8 << 10;

const HEADER: &str = "target,commit,cpu_seconds,executions,features,findings\n";

/// Runs the targets named in `arguments`, or all; `--seconds N` says how long each.
///
/// # Errors
/// For a name that is no target, when a tool is missing, and after all have run when one of them found something.
pub fn run(arguments: &[String]) -> Result<()> {
    let (seconds, names) = parse(arguments)?;
    let desk = workspace::target_dir().join("xtask").join("fuzz");
    std::fs::create_dir_all(&desk)?;
    let target = desk.join("build");
    let build = CommandLine::new("cargo").args(["+nightly", "fuzz", "build", "--target-dir"]).arg(&target);
    build.run().context("cargo-fuzz and a nightly toolchain are needed; see fuzz/README.md")?;
    let programs = find_programs(&target)?;
    // Of what was built, whatever is committed while it runs.
    let commit = machine::git_commit()?;
    let mut found = Vec::new();
    for name in names {
        let fuzzing = Fuzzing { program: programs.join(&name), desk: desk.join(&name), name };
        let row = fuzzing.run(seconds)?;
        if row.findings > 0 {
            found.push(format!("{}: see {}", row.target, fuzzing.desk.display()));
        }
        append(&row, &commit)?;
        fuzzing.merge()?;
    }
    write_page()?;
    ensure!(found.is_empty(), "something was found: {}", found.join("; "));
    Ok(())
}

fn parse(arguments: &[String]) -> Result<(u64, Vec<String>)> {
    let (mut seconds, mut names) = (SECONDS, Vec::new());
    let all = targets()?;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let number = rest.next().and_then(|n| n.parse().ok());
            seconds = number.ok_or_else(|| UsageError("--seconds needs a number".into()))?;
        } else if all.contains(argument) {
            names.push(argument.clone());
        } else {
            bail!(UsageError(format!("no target is called `{argument}`; there are: {}", all.join(", "))));
        }
    }
    Ok((seconds, if names.is_empty() { all } else { names }))
}

/// The targets, by their corpora.
fn targets() -> Result<Vec<String>> {
    let corpora = workspace::root().join("fuzz").join("corpus");
    let names = std::fs::read_dir(&corpora)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<String>>>()?;
    names.sort();
    Ok(names)
}

/// Where the built targets are: below the name of the platform.
fn find_programs(target: &Path) -> Result<PathBuf> {
    let platforms = std::fs::read_dir(target)?.flatten().map(|entry| entry.path().join("release"));
    platforms.into_iter().find(|dir| dir.join("config").is_file()).context("the built targets are not to be found")
}

/// One target at work.
struct Fuzzing {
    name: String,
    program: PathBuf,
    /// Its corpus in the making, and what it finds.
    desk: PathBuf,
}

/// A row of `results/fuzz.csv`.
struct Row {
    target: String,
    cpu_seconds: f64,
    executions: u64,
    /// libFuzzer's count of what its corpus reaches.
    features: u64,
    findings: u64,
}

impl Fuzzing {
    fn committed(&self) -> PathBuf {
        workspace::root().join("fuzz").join("corpus").join(&self.name)
    }

    fn corpus(&self) -> PathBuf {
        self.desk.join("corpus")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args([format!("-rss_limit_mb={MOST_MEMORY}"), "-print_funcs=0".into()]);
        command.args([format!("-timeout={LONGEST}"), format!("-report_slow_units={LONGEST}")]);
        command.env("ASAN_OPTIONS", "symbolize=0:detect_odr_violation=0").stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn run(&self, seconds: u64) -> Result<Row> {
        std::fs::create_dir_all(self.corpus())?;
        let log = self.desk.join("log");
        let mut command = self.command();
        command.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".into()]);
        command.arg(format!("-artifact_prefix={}/found-", self.desk.display()));
        command.args([self.corpus(), self.committed()]).stderr(std::fs::File::create(&log)?);
        eprintln!("━━ {}: {seconds} s", self.name);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let cpu_seconds = wait(&mut child)?;
        let log = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
        let after = |mark: &str| log.rsplit(mark).next()?.split_whitespace().next()?.parse::<u64>().ok();
        let findings = std::fs::read_dir(&self.desk)?.flatten();
        let findings = findings.filter(|entry| entry.file_name().to_string_lossy().starts_with("found-")).count();
        Ok(Row {
            target: self.name.clone(),
            cpu_seconds,
            executions: after("stat::number_of_executed_units:").unwrap_or(0),
            features: after(" ft: ").unwrap_or(0),
            findings: findings as u64,
        })
    }

    /// Puts into the committed corpus what reaches more than it does, as long as it stays small.
    fn merge(&self) -> Result<()> {
        let status =
            self.command().arg("-merge=1").args([self.committed(), self.corpus()]).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "the corpus of {} cannot be merged: {status}", self.name);
        let named_by_hash = |name: &str| name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut merged = Vec::new();
        for entry in std::fs::read_dir(self.committed())?.flatten() {
            let (path, len) = (entry.path(), entry.metadata()?.len());
            // Those with a name of their own were put there by a person.
            if named_by_hash(&entry.file_name().to_string_lossy()) {
                merged.push((len, path));
            }
        }
        merged.sort();
        for (_, path) in merged.iter().skip_while(|(len, _)| *len <= MOST_FILE).chain(merged.iter().skip(MOST_FILES)) {
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Waits for a process; the seconds of processor time that it took, to a tenth or so.
fn wait(child: &mut Child) -> Result<f64> {
    let mut ticks = 0;
    while child.try_wait()?.is_none() {
        ticks = processor_ticks(child.id()).unwrap_or(ticks).max(ticks);
        std::thread::sleep(Duration::from_millis(100));
    }
    // Linux counts in hundredths of a second.
    Ok(ticks as f64 / 100.0)
}

/// User and system time of a process.
fn processor_ticks(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // Behind the name, which may hold anything, come the state and ten numbers, then these two.
    let mut numbers = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(numbers.next()?.parse::<u64>().ok()? + numbers.next()?.parse::<u64>().ok()?)
}

fn record() -> PathBuf {
    workspace::root().join("results").join("fuzz.csv")
}

fn append(row: &Row, commit: &str) -> Result<()> {
    let path = record();
    let mut text = std::fs::read_to_string(&path).unwrap_or_else(|_| HEADER.to_owned());
    let Row { target, cpu_seconds, executions, features, findings } = row;
    writeln!(text, "{target},{commit},{cpu_seconds:.1},{executions},{features},{findings}")?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// What a target came to over all its rows.
#[derive(Default)]
struct Total {
    runs: u64,
    cpu_seconds: f64,
    executions: u64,
    features: u64,
    findings: u64,
}

fn totals(csv: &str) -> Result<BTreeMap<&str, Total>> {
    let mut totals: BTreeMap<&str, Total> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [target, _, cpu_seconds, executions, features, findings] = cells[..] else { bail!("no row: {line}") };
        let total = totals.entry(target).or_default();
        total.runs += 1;
        total.cpu_seconds += cpu_seconds.parse::<f64>()?;
        total.executions += executions.parse::<u64>()?;
        total.features = total.features.max(features.parse()?);
        total.findings += findings.parse::<u64>()?;
    }
    Ok(totals)
}

/// Writes `results/fuzz.md` from `results/fuzz.csv`.
fn write_page() -> Result<()> {
    let csv = std::fs::read_to_string(record())?;
    let mut page =
        "# Fuzzing\n\nWritten by `cargo xtask fuzz`, which adds a row per target and run to `fuzz.csv`.\n\n".to_owned();
    writeln!(page, "- machine of the last run: {}", machine::description())?;
    writeln!(page, "- aim: an hour of processor time per target; what is missing is to be added\n")?;
    page.push_str("| target | runs | processor time, min | of an hour | executions | features | findings |\n");
    page.push_str("|---|--:|--:|--:|--:|--:|--:|\n");
    for (target, total) in totals(&csv)? {
        let Total { runs, cpu_seconds, executions, features, findings } = total;
        let (minutes, share) = (cpu_seconds / 60.0, 100.0 * cpu_seconds / 3600.0);
        writeln!(page, "| {target} | {runs} | {minutes:.1} | {share:.0} % | {executions} | {features} | {findings} |")?;
    }
    let path = workspace::root().join("results").join("fuzz.md");
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_target_add_up() {
        let csv = format!("{HEADER}a,c0,10.5,100,7,0\nb,c0,1.0,5,3,1\na,c1,20.0,50,6,0\n");
        let totals = totals(&csv).unwrap();
        let Total { runs, cpu_seconds, executions, features, findings } = totals["a"];
        assert_eq!((runs, cpu_seconds, executions, features, findings), (2, 30.5, 150, 7, 0));
        assert_eq!(totals["b"].findings, 1);
        assert!(super::totals(&format!("{HEADER}a,b\n")).is_err());
    }

    #[test]
    fn this_process_has_taken_time() {
        let begun = std::time::Instant::now();
        while processor_ticks(std::process::id()).unwrap() == 0 && begun.elapsed() < Duration::from_secs(20) {}
        assert!(processor_ticks(std::process::id()).unwrap() > 0);
    }
}
