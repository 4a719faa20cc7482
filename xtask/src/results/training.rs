//! The course of one training, read back from its run folder.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::finished::Evaluation;

/// What a run folder tells, of a finished run or one that is still going.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Env steps so far.
    pub frames: u64,
    /// (env steps, mean return of the last 100 training episodes).
    pub returns: Vec<(u64, f64)>,
    /// (env steps, mean return of the greedy policy).
    pub evaluations: Vec<(u64, f64)>,
    /// Training time so far, seconds, of all sessions of the run together.
    pub seconds: Option<f64>,
    /// The scores at its end; `None` while it has none.
    pub summary: Option<Summary>,
}

/// The scores that a run ends with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Of the best policy kept.
    pub best: Evaluation,
    /// Of the policy at the end.
    pub last: Evaluation,
}

impl Training {
    /// Reads the run at `folder`.
    ///
    /// # Errors
    /// When a file cannot be read or is not what a run writes. A last line that is still being written is left out.
    pub fn read(folder: &Path) -> Result<Self> {
        let metrics = std::fs::read_to_string(folder.join("metrics.jsonl")).context("cannot read metrics.jsonl")?;
        let timing = std::fs::read_to_string(folder.join("timing.csv")).unwrap_or_default();
        Self::parse(&metrics, &timing)
    }

    fn parse(metrics: &str, timing: &str) -> Result<Self> {
        let mut training = Training {
            frames: 0,
            returns: Vec::new(),
            evaluations: Vec::new(),
            seconds: seconds(timing),
            summary: None,
        };
        let whole_lines = metrics.rfind('\n').map_or("", |end| &metrics[..end]);
        for line in whole_lines.lines() {
            let event: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
            let steps = event["env_steps"].as_u64().with_context(|| format!("no `env_steps`: {line}"))?;
            training.frames = training.frames.max(steps);
            match event["event"].as_str() {
                Some("train") => {
                    training.returns.extend(event["return_mean_100"].as_f64().map(|value| (steps, value)));
                }
                Some("evaluation") => {
                    training.evaluations.extend(event["mean_return"].as_f64().map(|value| (steps, value)));
                }
                Some("final_evaluation") => {
                    let scores = (Evaluation::read(&event["best"])?, Evaluation::read(&event["last"])?);
                    training.summary = match scores {
                        (Some(best), Some(last)) => Some(Summary { best, last }),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        Ok(training)
    }

    /// The last mean return of 100 training episodes.
    pub fn last_return(&self) -> Option<f64> {
        self.returns.last().map(|&(_, value)| value)
    }
}

/// The sum over sessions of the last `wall_seconds` of each, from lines of `session,env_steps,wall_seconds,…`.
fn seconds(timing: &str) -> Option<f64> {
    let mut by_session: Vec<(&str, f64)> = Vec::new();
    for line in timing.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (Some(&session), Some(seconds)) = (fields.first(), fields.get(2).and_then(|field| field.parse().ok()))
        else {
            continue;
        };
        match by_session.last_mut() {
            Some(last) if last.0 == session => last.1 = seconds,
            _ => by_session.push((session, seconds)),
        }
    }
    if by_session.is_empty() { None } else { Some(by_session.iter().map(|(_, seconds)| seconds).sum()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = r#"{"event":"episode","env_steps":6,"return":0.0}
{"event":"train","env_steps":10,"return_mean_100":1.5}
{"event":"train","env_steps":20}
{"event":"evaluation","env_steps":20,"mean_return":4.0}
{"event":"final_evaluation","env_steps":20,"best":{"mean_return":5.0,"std_return":1.0,"episodes":100},"last":{"mean_return":4.5,"std_return":2.0,"episodes":100}}
"#;
    const TIMING: &str = "session,env_steps,wall_seconds,env_steps_per_second\n1,10,2.0,5\n1,12,2.5,5\n2,20,4.0,5\n";

    #[test]
    fn curves_scores_and_time_are_read() {
        let training = Training::parse(METRICS, TIMING).unwrap();
        assert_eq!(training.frames, 20);
        assert_eq!(training.returns, [(10, 1.5)]);
        assert_eq!(training.evaluations, [(20, 4.0)]);
        assert_eq!(training.seconds, Some(6.5));
        let summary = training.summary.unwrap();
        assert_eq!((summary.best.mean, summary.last.mean), (5.0, 4.5));
    }

    #[test]
    fn a_run_that_is_still_going_may_be_within_a_line() {
        let cut = &METRICS[..METRICS.find("\"mean_return\"").unwrap()];
        let training = Training::parse(cut, "").unwrap();
        assert_eq!((training.frames, training.summary, training.seconds), (20, None, None));
        assert!(training.evaluations.is_empty());
        assert!(Training::parse("{\"event\":\nx\n", "").is_err());
    }
}
