//! The verb: which rules, how many faults, and the table at the end.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use super::page::{self, Line};
use super::rule::{Extent, RULES};
use xtask::{UsageError, machine, workspace};

/// Tries the rules named in `arguments`, or all; `--quick` puts in few faults, `--write` puts each row into the page in `results/`,
/// `--built=DIR` tries the programs `release/requel` and `debug/requel` there, and the tests
/// `tests/library`, `tests/ladder` and `tests/program` if there are such, in place of building them.
///
/// # Errors
/// For a name that is no rule. A rule that is broken is not an error but a failing exit code.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (options, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|a| a.starts_with("--"));
    for option in &options {
        if let Some(dir) = option.strip_prefix("--built=") {
            workspace::use_built(std::path::absolute(dir)?);
        } else if !["--quick", "--write"].contains(&option.as_str()) {
            bail!(UsageError(format!("unknown option `{option}`; there are: --quick, --write, --built=DIR")));
        }
    }
    for name in &names {
        if !RULES.iter().any(|rule| rule.id == name.as_str()) {
            let known: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
            bail!(UsageError(format!("no rule is called `{name}`; there are: {}", known.join(", "))));
        }
    }
    let given = |option: &str| options.iter().any(|o| o.as_str() == option);
    let extent = if given("--quick") { Extent::Quick } else { Extent::Full };
    let commit = machine::git_commit()?;
    let mut lines = Vec::new();
    for rule in RULES.iter().filter(|rule| names.is_empty() || names.iter().any(|name| name.as_str() == rule.id)) {
        eprintln!("\n━━ {}: {}: {}", rule.id, rule.fault, rule.promise);
        let start = Instant::now();
        let finding = (rule.check)(extent);
        let seconds = start.elapsed().as_secs_f64();
        let line = Line { rule, finding, seconds, commit: commit.clone(), extent };
        eprintln!("{}", line.row());
        // One by one: what is known already is not lost when a later rule takes too long.
        if given("--write") {
            page::write(&line)?;
        }
        lines.push(line);
    }
    print!("\n{}", page::table(&lines));
    let broken = lines.iter().filter(|line| line.finding.is_err()).count();
    println!("{} held, {broken} broken", lines.len() - broken);
    Ok(if broken > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
