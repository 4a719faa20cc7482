//! The table of faults, on the terminal and in `results/faults.md`.

use anyhow::{Context, Result};

use super::rule::{Extent, Finding, RULES, Rule};
use xtask::{machine, workspace};

/// A rule and what came of it.
pub struct Line {
    pub rule: &'static Rule,
    pub finding: Result<Finding>,
    pub seconds: f64,
    /// What was tried, by its commit.
    pub commit: String,
    pub extent: Extent,
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
        let extent = self.extent.pick("", ", few faults");
        format!("| {id} | {fault} | {promise} | {faults} | {verdict} | {:.0} | {}{extent} |", self.seconds, self.commit)
    }
}

const HEAD: &str = "| id | fault | must be | faults | was | s | commit |\n|---|---|---|--:|---|--:|---|\n";

/// The table of `lines`.
pub fn table(lines: &[Line]) -> String {
    lines.iter().fold(HEAD.to_owned(), |table, line| table + &line.row() + "\n")
}

/// Puts `line` into `results/faults.md`, in the place of what is there of the same rule.
///
/// # Errors
/// When the disk refuses.
pub fn write(line: &Line) -> Result<()> {
    let path = workspace::root().join("results").join("faults.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let page = merged(&before, line.rule.id, &line.row());
    let text = format!(
        "# Faults\n\nWritten by `cargo xtask faults --write`, rule by rule; each row has the commit that it was tried on. \
         Seconds are by the clock, beside whatever else the machine did.\n\n- machine: {}\n\n{HEAD}{page}",
        machine::description()
    );
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The rows of a page with `row` in the place of the one of rule `id`, in the order of the rules.
fn merged(page: &str, id: &str, row: &str) -> String {
    let of = |rule: &Rule| {
        let begins = format!("| {} |", rule.id);
        if rule.id == id { Some(row) } else { page.lines().find(|line| line.starts_with(&begins)) }
    };
    RULES.iter().filter_map(of).map(|row| format!("{row}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_place_of_its_rule_and_no_other() {
        let page = merged("", "R2", "| R2 | old |");
        let page = merged(&format!("# Faults\n\n{HEAD}{page}"), "R11", "| R11 | x |");
        let page = merged(&page, "R1", "| R1 | y |");
        assert_eq!(merged(&page, "R2", "| R2 | new |"), "| R1 | y |\n| R2 | new |\n| R11 | x |\n");
    }
}
