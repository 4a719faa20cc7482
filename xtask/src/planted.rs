//! `cargo xtask planted`: makes ten well-known mistakes on purpose, one at a time, and sees that a test catches each.
//!
//! `crates/requel/tests/PLANTED.md` is the list; the mistakes themselves are behind the crate's feature `planted-bugs`.

use anyhow::{Context, Result, bail, ensure};

use crate::command::CommandLine;
use crate::{UsageError, workspace};

const LIST: &str = "crates/requel/tests/PLANTED.md";

/// A row of the list.
struct Planted {
    fault: String,
    /// `lib`, or the name of an integration test.
    target: String,
    test: String,
}

/// Runs every test of the list, without its mistake and with it.
///
/// # Errors
/// For any argument, a test that fails without a mistake, or one that passes with it.
pub fn run(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), UsageError("`planted` takes no arguments".into()));
    let list = read_list()?;
    let mut missed = Vec::new();
    for planted in &list {
        planted.command().run().context("the test fails without any mistake")?;
        let caught = !planted.command().env("REQUEL_PLANTED_BUG", &planted.fault).succeeds();
        println!("{}: {} by {}", planted.fault, if caught { "caught" } else { "MISSED" }, planted.test);
        if !caught {
            missed.push(planted.fault.as_str());
        }
    }
    ensure!(missed.is_empty(), "{} of {} mistakes are not caught: {}", missed.len(), list.len(), missed.join(", "));
    println!("all {} mistakes are caught", list.len());
    Ok(())
}

impl Planted {
    fn command(&self) -> CommandLine {
        let command = CommandLine::new("cargo").args(["test", "--quiet", "--package", "requel"]);
        let command = command.args(["--features", "planted-bugs"]);
        let command = match self.target.as_str() {
            "lib" => command.arg("--lib"),
            name => command.args(["--test", name]),
        };
        command.args([&self.test, "--", "--exact"])
    }
}

/// The rows of the list's table: fault, what goes wrong, test target, test.
fn read_list() -> Result<Vec<Planted>> {
    let text = std::fs::read_to_string(workspace::root().join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let mut list = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let &[fault, _, target, test] = &cells[..] else { bail!("{LIST}: a row without four cells: {line}") };
        list.push(Planted { fault: fault.into(), target: target.into(), test: test.into() });
    }
    ensure!(!list.is_empty(), "{LIST} has no rows");
    Ok(list)
}
