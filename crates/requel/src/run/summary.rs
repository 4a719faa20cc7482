//! [`Summary`], the results of a finished run, as stored in `summary.json`.

use serde::{Deserialize, Serialize};

use crate::train::{Confirmation, Evaluation, Outcome, Termination};

/// The summary of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean undiscounted return.
    pub mean_return: f64,
    /// Standard deviation over the episodes.
    pub std_return: f64,
    /// Number of episodes.
    pub episodes: usize,
    /// How many of them were cut off at `evaluation.max_episode_steps` before they ended.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cut_off: usize,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl From<&Evaluation> for Score {
    fn from(evaluation: &Evaluation) -> Self {
        Score {
            mean_return: evaluation.mean_return(),
            std_return: evaluation.std_return(),
            episodes: evaluation.episodes(),
            cut_off: evaluation.cut_off,
        }
    }
}

/// The results of a finished run: a function of version and config, written to `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Why training stopped.
    pub termination: Termination,
    /// Env steps, all environments together.
    pub env_steps: u64,
    /// Updates.
    pub updates: u64,
    /// Finished training episodes.
    pub episodes: u64,
    /// How often a NaN or infinity cost a step or the start of an episode; 0 unless `train.on_nan` is `skip`.
    #[serde(default)]
    pub skipped: u64,
    /// How often training was resumed with new episodes because the environments cannot save their state; unless it is 0, the results
    /// differ from those of uninterrupted training.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub inexact_resumes: u64,
    /// Mean return of the last 100 training episodes, exploration included.
    pub train_return_last_100: Option<f64>,
    /// The best policy on fresh episodes.
    pub best_evaluation: Score,
    /// Env steps at which the best policy was found.
    pub best_env_steps: u64,
    /// The final policy on the same episodes.
    pub final_evaluation: Score,
    /// The mean return at which the environment counts as solved, if it has such a goal.
    #[serde(default)]
    pub goal: Option<f64>,
    /// The final policy over many more fresh episodes: always present if the environment is called solved.
    #[serde(default)]
    pub confirmation: Option<Confirmation>,
    /// BLAKE3 of the final weights, hexadecimal.
    pub weights_blake3: String,
    /// The device on which the last session computed networks, unless that is the CPU. No result depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Summary {
    /// Reads `summary.json`.
    ///
    /// # Errors
    /// What is wrong with it, if it is not a summary that a finished run writes.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let summary: Summary = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let hash = &summary.weights_blake3;
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("its weights_blake3 is not a BLAKE3 hash".into());
        }
        Ok(summary)
    }
}

impl From<&Outcome> for Summary {
    fn from(outcome: &Outcome) -> Self {
        Summary {
            termination: outcome.termination,
            env_steps: outcome.env_steps,
            updates: outcome.updates,
            episodes: outcome.episodes,
            skipped: outcome.skipped,
            inexact_resumes: outcome.inexact_resumes,
            train_return_last_100: outcome.train_return_last_100,
            best_evaluation: Score::from(&outcome.best_evaluation),
            best_env_steps: outcome.best_env_steps,
            final_evaluation: Score::from(&outcome.final_evaluation),
            goal: outcome.goal,
            confirmation: outcome.confirmation,
            weights_blake3: outcome.weights_blake3.clone(),
            device: None,
        }
    }
}

impl Summary {
    /// Whether the final policy reached the environment's goal over many fresh episodes that were not used to choose anything.
    pub fn is_solved(&self) -> bool {
        let confirmed = self.confirmation.filter(|confirmation| confirmation.is_confirmed);
        self.goal.zip(confirmed).is_some_and(|(goal, confirmation)| confirmation.mean_return >= goal)
    }
}

/// How long this process took; it depends on the clock and is not part of any result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Seconds from the start of the session to its end, evaluations and checkpoints included.
    pub wall_seconds: f64,
    /// Env steps of this process per second.
    pub env_steps_per_second: f64,
    /// Updates of this process per second.
    pub updates_per_second: f64,
}
