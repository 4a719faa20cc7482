//! [`TrainEvent`], the events of the training loop.

use requel_envs::{Step, VectorEnv};
use serde::{Deserialize, Serialize};

use crate::agent::Statistics;

use super::{BestPolicy, Confirmation, EpisodeRecord, Evaluation, Finding};

/// An event of training.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "one is told at a time")]
#[non_exhaustive]
pub enum TrainEvent<'a> {
    /// Every environment made a step. Only for observers that request it.
    Stepped {
        /// Env steps so far, all environments together.
        env_steps: u64,
        /// The environments, after the step.
        envs: &'a VectorEnv,
        /// The action in each.
        actions: &'a [usize],
        /// The result in each.
        steps: &'a [Step],
        /// The current observations, environments × observation length.
        observations: &'a [f32],
    },
    /// A training episode ended.
    EpisodeEnded {
        /// Env steps so far.
        env_steps: u64,
        /// The episode.
        episode: EpisodeRecord,
    },
    /// The metrics of the environments, see [`EnvSpec::metrics`](requel_envs::EnvSpec::metrics); only for environments that report some.
    EnvReported {
        /// Env steps so far.
        env_steps: u64,
        /// The number of the episode that ended, emitted before [`TrainEvent::EpisodeEnded`]; `None` for means over the last 100 episodes,
        /// emitted before [`TrainEvent::Progress`].
        episode: Option<u64>,
        /// `env/` and the name of each metric, and its number; NaN if nothing was reported.
        metrics: &'a [(String, f64)],
    },
    /// `log.every_steps` env steps have passed, or training is over. Emitted after the evaluation of the same step.
    Progress(Aggregates),
    /// Statistics of the agent that are not part of [`Aggregates`]. Emitted after [`TrainEvent::Progress`], if the agent reports such
    /// numbers.
    AgentReported {
        /// Env steps so far.
        env_steps: u64,
        /// Numbers by name.
        statistics: &'a [(String, f64)],
    },
    /// Numbers passed to the [`Logger`](super::Logger) of the training, emitted in the step in which they were recorded.
    NumbersLogged {
        /// Env steps so far.
        env_steps: u64,
        /// The latest number for each name, ordered by name.
        numbers: &'a [(String, f64)],
    },
    /// The greedy policy was scored.
    Evaluated {
        /// Env steps so far.
        env_steps: u64,
        /// Updates so far.
        updates: u64,
        /// The score.
        evaluation: &'a Evaluation,
        /// Set if it is the best policy so far: its parameters and so on.
        best: Option<&'a BestPolicy>,
    },
    /// A policy that may stop training was tried on many fresh episodes.
    Confirmed {
        /// Updates so far.
        updates: u64,
        /// The result.
        confirmation: Confirmation,
    },
    /// An episode of the final evaluation ended.
    FinalEpisode {
        /// Env steps of the whole training.
        env_steps: u64,
        /// Episodes played so far, of both policies.
        played: usize,
        /// Episodes that will be played.
        episodes: usize,
    },
    /// The best and the final policy received their final scores.
    FinalEvaluated {
        /// Env steps of the whole training.
        env_steps: u64,
        /// Updates of the whole training.
        updates: u64,
        /// The best policy's score on fresh episodes.
        best: &'a Evaluation,
        /// The final policy's score on the same episodes.
        last: &'a Evaluation,
    },
    /// A step, or the first observation of an episode, was dropped because a number in it was NaN or infinite. The environment was reset;
    /// its episode does not count.
    Skipped {
        /// Env steps taken before the dropped step.
        env_steps: u64,
        /// Where: `observation` or `reward`.
        site: &'static str,
        /// The number.
        value: f64,
        /// The environment it came from.
        env: usize,
        /// The action that led there.
        action: usize,
        /// How often this has happened so far.
        skipped: u64,
    },
    /// A training episode has reached `log.long_episode_steps` and continues.
    LongEpisode {
        /// Env steps so far.
        env_steps: u64,
        /// Its environment.
        env: usize,
        /// Its length so far, env steps.
        length: u64,
    },
    /// Something is wrong with learning. Emitted once per check, and only through a [`Watch`](crate::diagnose::Watch).
    Diagnosed {
        /// Env steps so far.
        env_steps: u64,
        /// What is wrong.
        finding: &'a Finding,
    },
    /// The complete state is on disk.
    CheckpointSaved {
        /// Env steps in the checkpoint.
        env_steps: u64,
        /// Its path.
        path: &'a std::path::Path,
    },
}

/// Statistics of training since the last report. Logs use these names; the line of an evaluation contains only some of them, and numbers
/// that an older version did not write are unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Aggregates {
    /// Env steps so far, all environments together.
    pub env_steps: u64,
    /// Finished episodes so far.
    #[serde(default)]
    pub episodes: u64,
    /// Updates so far.
    #[serde(default)]
    pub updates: u64,
    /// Mean return of the last 100 episodes; `None` before the first ended.
    #[serde(rename = "return_mean_100")]
    pub return_mean: Option<f64>,
    /// Mean length of the last 100 episodes, env steps.
    #[serde(rename = "length_mean_100")]
    pub length_mean: Option<f64>,
    /// Mean loss of the updates since the last report; `None` if there were none.
    pub loss: Option<f64>,
    /// Mean q(s, a) of the same updates.
    pub mean_q: Option<f64>,
    /// Mean return of the latest evaluation; `None` before the first.
    #[serde(skip)]
    pub evaluation_return: Option<f64>,
    /// Mean length of the episodes of the latest evaluation, env steps.
    #[serde(skip)]
    pub evaluation_length: Option<f64>,
    /// The current ε; `None` if the agent does not use ε.
    pub epsilon: Option<f64>,
    /// The current learning rate; `None` if the agent reports none.
    pub learning_rate: Option<f64>,
    /// Other statistics of the same updates.
    #[serde(flatten)]
    pub statistics: Statistics,
}
