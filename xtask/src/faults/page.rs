//! The table of faults, on the terminal and in `results/faults.md`.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::rule::{Finding, Rule};
use crate::{machine, workspace};

/// A rule and what came of it.
pub struct Line {
    pub rule: &'static Rule,
    pub finding: Result<Finding>,
    pub seconds: f64,
}

impl Line {
    /// A row of a Markdown table.
    pub fn row(&self) -> String {
        let Rule { id, fault, promise, .. } = self.rule;
        let (faults, verdict) = match &self.finding {
            Ok(Finding { faults, note }) if note.is_empty() => (faults.to_string(), "held".to_owned()),
            Ok(Finding { faults, note }) => (faults.to_string(), format!("held: {note}")),
            Err(error) => ("–".into(), format!("**BROKEN**: {}", format!("{error:#}").replace('\n', " "))),
        };
        format!("| {id} | {fault} | {promise} | {faults} | {verdict} | {:.0} |", self.seconds)
    }
}

/// The table of `lines`.
pub fn table(lines: &[Line]) -> String {
    let mut table = "| id | fault | must be | faults | was | s |\n|---|---|---|--:|---|--:|\n".to_owned();
    for line in lines {
        table.push_str(&line.row());
        table.push('\n');
    }
    table
}

/// Writes `results/faults.md`.
///
/// # Errors
/// When git or the disk refuses.
pub fn write(lines: &[Line], arguments: &[String]) -> Result<()> {
    let mut page = "# Faults\n\n".to_owned();
    writeln!(page, "Written by `cargo xtask faults {}`.\n", arguments.join(" "))?;
    writeln!(page, "- machine: {}", machine::description())?;
    writeln!(page, "- commit: {}\n", machine::git_commit()?)?;
    page.push_str(&table(lines));
    let path = workspace::root().join("results").join("faults.md");
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}
