//! The course of one training, read back from its run folder.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Env steps and mean return of the last 100 training episodes, from the log of the run at `folder`, finished or still going.
///
/// # Errors
/// When the log cannot be read or is not what a run writes. A last line that is still being written is left out.
pub fn returns(folder: &Path) -> Result<Vec<(u64, f64)>> {
    let metrics = std::fs::read_to_string(folder.join("metrics.jsonl")).context("cannot read metrics.jsonl")?;
    parse(&metrics)
}

fn parse(metrics: &str) -> Result<Vec<(u64, f64)>> {
    let mut returns = Vec::new();
    let whole = metrics.rfind('\n').map_or("", |end| &metrics[..end]);
    for line in whole.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
        if event["event"] == "train" {
            let steps = event["env_steps"].as_u64().with_context(|| format!("no `env_steps`: {line}"))?;
            returns.extend(event["return_mean_100"].as_f64().map(|value| (steps, value)));
        }
    }
    Ok(returns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = r#"{"event":"episode","env_steps":6,"return":0.0}
{"event":"train","env_steps":10,"return_mean_100":1.5}
{"event":"train","env_steps":20}
{"event":"evaluation","env_steps":20,"mean_return":4.0}
{"event":"train","env_steps":30,"return_mean_100":2.5}
"#;

    #[test]
    fn training_returns_are_read_where_there_are_any() {
        assert_eq!(parse(METRICS).unwrap(), [(10, 1.5), (30, 2.5)]);
    }

    #[test]
    fn a_run_that_is_still_going_may_be_within_a_line() {
        assert_eq!(parse(&METRICS[..METRICS.len() - 3]).unwrap(), [(10, 1.5)]);
        assert_eq!(parse("").unwrap(), []);
        assert!(parse("{\"event\":\nx\n").is_err());
    }
}
