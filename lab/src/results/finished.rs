//! What `requel train --json` says of a run on its last line.

use anyhow::{Context, Result};
use serde_json::Value;
use xtask::finished_line;

/// The figures of one finished run that the tables use.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Transitions taken, over all parallel environments.
    pub env_steps: u64,
    /// Gradient steps.
    pub updates: u64,
    /// Episodes begun and ended in training.
    pub episodes: u64,
    /// Training time as the program measures it, seconds.
    pub wall_seconds: f64,
    /// Mean return of the last 100 training episodes; none were finished where it is `None`.
    pub train_return_last_100: Option<f64>,
    /// Greedy evaluation of the best policy; none was made where it is `None`.
    pub best_evaluation: Option<Evaluation>,
    /// Greedy evaluation of the policy at the end of training; none was made where it is `None`.
    pub final_evaluation: Option<Evaluation>,
    /// Of the confirmation's episodes, how many fell short of the goal; none was made where it is `None`.
    pub failed: Option<(u64, u64)>,
    /// Hash of the final weights, hexadecimal.
    pub weights_blake3: String,
}

/// Returns of fresh greedy episodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean return.
    pub mean: f64,
    /// Standard deviation of the returns.
    pub std: f64,
    /// How many episodes.
    pub episodes: u64,
}

impl Finished {
    /// Reads the last line of `stdout`.
    ///
    /// # Errors
    /// As [`finished_line`](fn@finished_line), and when a figure is missing or of another type.
    pub fn from_stdout(stdout: &str) -> Result<Self> {
        let line = finished_line(stdout)?;
        Ok(Self {
            env_steps: whole(&line, "env_steps")?,
            updates: whole(&line, "updates")?,
            episodes: whole(&line, "episodes")?,
            wall_seconds: number(&line, "wall_seconds")?,
            train_return_last_100: line["train_return_last_100"].as_f64(),
            best_evaluation: Evaluation::read(&line["best_evaluation"])?,
            final_evaluation: Evaluation::read(&line["final_evaluation"])?,
            failed: match &line["confirmation"] {
                Value::Null => None,
                confirmation => Some((whole(confirmation, "failed")?, whole(confirmation, "episodes")?)),
            },
            weights_blake3: line["weights_blake3"].as_str().context("no `weights_blake3`")?.to_owned(),
        })
    }
}

impl Evaluation {
    pub(super) fn read(value: &Value) -> Result<Option<Self>> {
        if value.is_null() {
            return Ok(None);
        }
        Ok(Some(Self {
            mean: number(value, "mean_return")?,
            std: number(value, "std_return")?,
            episodes: whole(value, "episodes")?,
        }))
    }
}

fn number(value: &Value, key: &str) -> Result<f64> {
    value[key].as_f64().with_context(|| format!("no number `{key}` in {value}"))
}

fn whole(value: &Value, key: &str) -> Result<u64> {
    value[key].as_u64().with_context(|| format!("no whole number `{key}` in {value}"))
}

#[cfg(test)]
impl Finished {
    /// A run for the tests of tables, which say what matters to them.
    pub fn sample() -> Self {
        Finished {
            env_steps: 1000,
            updates: 10,
            episodes: 5,
            wall_seconds: 1.0,
            train_return_last_100: None,
            best_evaluation: None,
            final_evaluation: None,
            failed: None,
            weights_blake3: "ab".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"event":"run_finished","env_steps":50000,"updates":12450,"episodes":310,"wall_seconds":2.5,"env_steps_per_second":20000.0,"updates_per_second":4980.0,"train_return_last_100":212.5,"best_evaluation":{"mean_return":500.0,"std_return":0.0,"episodes":100},"final_evaluation":{"mean_return":480.0,"std_return":9.5,"episodes":100},"weights_blake3":"00ff","run_dir":"runs/x"}"#;

    #[test]
    fn the_last_line_is_read_whatever_stands_before_it() {
        let finished = Finished::from_stdout(&format!("{{\"event\":\"episode\"}}\n{LINE}\n")).unwrap();
        assert_eq!(finished.env_steps, 50_000);
        assert_eq!(finished.train_return_last_100, Some(212.5));
        assert_eq!(finished.best_evaluation, Some(Evaluation { mean: 500.0, std: 0.0, episodes: 100 }));
        assert_eq!(finished.final_evaluation, Some(Evaluation { mean: 480.0, std: 9.5, episodes: 100 }));
        assert_eq!(finished.weights_blake3, "00ff");
    }

    #[test]
    fn a_run_without_evaluation_or_full_episodes_is_read_as_such() {
        let mut value: Value = serde_json::from_str(LINE).unwrap();
        value["best_evaluation"] = Value::Null;
        value["train_return_last_100"] = Value::Null;
        let finished = Finished::from_stdout(&value.to_string()).unwrap();
        assert_eq!((finished.best_evaluation, finished.train_return_last_100), (None, None));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(finished_line("").is_err());
        assert!(finished_line("{\"event\":\"episode\"}").is_err());
        let error = Finished::from_stdout(&LINE.replace("\"updates\":", "\"upd\":")).unwrap_err().to_string();
        assert!(error.contains("`updates`"), "{error}");
    }
}
