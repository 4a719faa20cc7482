//! How training ends.

use requel_envs::EnvError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Evaluation, ObserverError};
use crate::agent::AgentError;
use crate::config::ConfigError;
use crate::state::StateError;

/// Why training stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Termination {
    /// `train.env_steps` or `train.episodes` are used up.
    BudgetUsed,
    /// The return at which the environment counts as solved was reached and held, over `evaluation.confirm_episodes` fresh
    /// episodes.
    Solved,
    /// `evaluation.stop_return` was reached and held in the same way; it is below the environment's goal.
    StopReturnReached,
    /// An observer asked for it: [`Observer::asks_to_stop`](super::Observer::asks_to_stop).
    Asked,
}

/// The best policy of a training run so far, by its evaluation; the latest among equals.
#[derive(Clone, Debug, PartialEq)]
pub struct BestPolicy {
    /// Its parameters.
    pub parameters: Vec<f32>,
    /// Mean return of the evaluation that chose it.
    pub mean_return: f64,
    /// Standard deviation of the returns in that evaluation.
    pub std_return: f64,
    /// Env steps at which it was found.
    pub env_steps: u64,
}

/// The result of a policy over many fresh episodes that were not used to choose anything.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Env steps of training behind the policy.
    pub env_steps: u64,
    /// Episodes played. Fewer than `evaluation.confirm_episodes` if the mean fell short earlier.
    pub episodes: usize,
    /// Episodes whose return is below the environment's goal, or below the return that stops training if it has none.
    pub failed: usize,
    /// Mean return.
    pub mean_return: f64,
    /// Standard deviation of the returns over the episodes.
    pub std_return: f64,
    /// Whether the mean over all episodes reached what was required.
    pub is_confirmed: bool,
}

/// The result of finished training. A function of version and config only.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why it stopped.
    pub termination: Termination,
    /// Env steps, all environments together.
    pub env_steps: u64,
    /// Updates.
    pub updates: u64,
    /// Finished training episodes.
    pub episodes: u64,
    /// How often a NaN or infinity cost a step or the start of an episode; 0 unless `train.on_nan` is `skip`.
    pub skipped: u64,
    /// How often training was resumed with new episodes because the environments cannot save their state; unless it is 0, the results
    /// differ from those of uninterrupted training.
    pub inexact_resumes: u64,
    /// Mean return of the last 100 training episodes, exploration included.
    pub train_return_last_100: Option<f64>,
    /// The best policy on fresh episodes that were not used to choose anything.
    pub best_evaluation: Evaluation,
    /// Env steps at which the best policy was found.
    pub best_env_steps: u64,
    /// The final policy on the same episodes.
    pub final_evaluation: Evaluation,
    /// The mean return at which the environment counts as solved, if there is such a goal.
    pub goal: Option<f64>,
    /// The final policy over many more episodes, if it was tried on them.
    pub confirmation: Option<Confirmation>,
    /// BLAKE3 of the final parameters, hexadecimal.
    pub weights_blake3: String,
}

/// Why training cannot start or continue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A value in the config is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An environment returned an error.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The agent cannot be created.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A program's own component refuses the config or the environment.
    #[error("`{key} = {name:?}`: {source}")]
    Part {
        /// The key of the config that names it.
        key: &'static str,
        /// Its name.
        name: String,
        /// Why it refuses.
        source: Box<TrainError>,
    },
    /// A saved state does not fit.
    #[error(transparent)]
    State(#[from] StateError),
    /// Training cannot start from what was learned elsewhere.
    #[error("cannot start from it: {reason}")]
    Beginning {
        /// What does not fit.
        reason: String,
    },
    /// A number is not finite.
    #[error(
        "{site} is {value} at env step {env_steps}{}{}",
        .env.map(|w| format!(" in environment {w}")).unwrap_or_default(),
        .action.map(|a| format!(" after action {a}")).unwrap_or_default()
    )]
    NotFinite {
        /// Where: `observation`, `reward`, `reward times agent.reward_scale`, `loss`, `mean q`, `gradient`, `weight`, `observation in evaluation`,
        /// `reward in evaluation`, `evaluation return`.
        site: &'static str,
        /// The number.
        value: f64,
        /// Environment steps taken before the faulty one: training steps during training, steps of the episode during an evaluation. For a
        /// faulty evaluation return, the training step at which the evaluation ran.
        env_steps: u64,
        /// The environment it came from, if it came from one; in an evaluation, the number of the episode.
        env: Option<usize>,
        /// The action before it in that environment, unless it is in the very first observation.
        action: Option<usize>,
    },
    /// An evaluation was aborted because a stop was requested; training can continue from the state before it.
    #[error("stopped during an evaluation")]
    Interrupted,
    /// An observer failed.
    #[error("training stopped because an observer failed: {0}")]
    Observer(ObserverError),
}

impl TrainError {
    /// What to try next, if there is anything to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            TrainError::Config(error) => error.hint(),
            TrainError::Agent(AgentError::UnknownPart { key, .. }) => Some(format!(
                "leave `{key}` empty to use requel's own; your own program can register others: docs/extend.md"
            )),
            TrainError::Part { key, source, .. } => source.hint().or_else(|| {
                Some(format!("change the settings that it refuses, or leave `{key}` empty to use requel's own"))
            }),
            _ => None,
        }
    }

    /// This error as the refusal of a program's own component, which the config names under `key`.
    pub(crate) fn of_part(self, key: &'static str, name: &str) -> Self {
        match self {
            // These say where training was, not what a component refuses.
            error @ (TrainError::NotFinite { .. } | TrainError::Interrupted | TrainError::Observer(_)) => error,
            error => TrainError::Part { key, name: name.to_owned(), source: Box::new(error) },
        }
    }
}
