//! What `requel train --json` says of a run on its last line.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The last line of `stdout`, which must be a `run_finished` event.
///
/// # Errors
/// When there is no such line, or it is not JSON.
pub fn finished_line(stdout: &str) -> Result<Value> {
    let line = stdout.lines().next_back().context("the run wrote nothing to standard output")?;
    let value: Value = serde_json::from_str(line).with_context(|| format!("the last line is not JSON: {line}"))?;
    ensure!(value["event"] == "run_finished", "the last line is no `run_finished` event: {line}");
    Ok(value)
}
