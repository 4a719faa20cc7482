//! The verb: which rules, how many faults, and the table at the end.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use super::page::{self, Line};
use super::rule::{Extent, RULES};
use crate::UsageError;

/// Tries the rules named in `arguments`, or all; `--quick` puts in few faults, `--write` writes the page in `results/`.
///
/// # Errors
/// For a name that is no rule. A rule that is broken is not an error but a failing exit code.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (options, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|a| a.starts_with("--"));
    for option in &options {
        if !["--quick", "--write"].contains(&option.as_str()) {
            bail!(UsageError(format!("unknown option `{option}`; there are: --quick, --write")));
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
    let mut lines = Vec::new();
    for rule in RULES.iter().filter(|rule| names.is_empty() || names.iter().any(|name| name.as_str() == rule.id)) {
        eprintln!("\n━━ {}: {}: {}", rule.id, rule.fault, rule.promise);
        let start = Instant::now();
        let finding = (rule.check)(extent);
        let line = Line { rule, finding, seconds: start.elapsed().as_secs_f64() };
        eprintln!("{}", line.row());
        lines.push(line);
    }
    print!("\n{}", page::table(&lines));
    if given("--write") {
        page::write(&lines, arguments)?;
    }
    let broken = lines.iter().filter(|line| line.finding.is_err()).count();
    println!("{} held, {broken} broken", lines.len() - broken);
    Ok(if broken > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
