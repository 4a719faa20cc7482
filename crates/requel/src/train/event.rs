//! [`TrainEvent`], what the training loop tells those who listen.

use requel_envs::{Step, VectorEnv};
use serde::{Deserialize, Serialize};

use crate::agent::Statistics;

use super::{BestPolicy, Confirmation, EpisodeRecord, Evaluation, Finding};

/// Something that happened in training.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "one is told at a time")]
#[non_exhaustive]
pub enum TrainEvent<'a> {
    /// Every environment made a step. Told only to observers that ask for it.
    Stepped {
        /// Env steps so far, all environments together.
        env_steps: u64,
        /// The environments, after the step.
        envs: &'a VectorEnv,
        /// What was done in each.
        actions: &'a [usize],
        /// What came of it in each.
        steps: &'a [Step],
        /// What each shows now, environments × observation length.
        observations: &'a [f32],
    },
    /// An episode of training ended.
    EpisodeEnded {
        /// Env steps so far.
        env_steps: u64,
        /// The episode.
        episode: EpisodeRecord,
    },
    /// What the environments report beside their rewards, see [`EnvSpec::metrics`](requel_envs::EnvSpec::metrics); only of
    /// environments that report something.
    EnvReported {
        /// Env steps so far.
        env_steps: u64,
        /// The number of the episode that ended, told before [`TrainEvent::EpisodeEnded`]; `None` for means over the last 100
        /// episodes, told before [`TrainEvent::Progress`].
        episode: Option<u64>,
        /// `env/` and the name of each metric, and its number; NaN where nothing was reported.
        metrics: &'a [(String, f64)],
    },
    /// `log.every_steps` env steps have passed, or training is over. Told after the evaluation of the same step.
    Progress(Aggregates),
    /// What the agent reports of itself that [`Aggregates`] have no place for. Told after [`TrainEvent::Progress`], of an agent
    /// that reports such numbers.
    AgentReported {
        /// Env steps so far.
        env_steps: u64,
        /// Numbers by name.
        statistics: &'a [(String, f64)],
    },
    /// Numbers that were given to the [`Logger`](super::Logger) of the training, told in the step in which they were recorded.
    NumbersLogged {
        /// Env steps so far.
        env_steps: u64,
        /// The latest number of each name, by name.
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
        /// Set where it is the best policy so far: its parameters and the like.
        best: Option<&'a BestPolicy>,
    },
    /// A policy that may stop training was tried on many fresh episodes.
    Confirmed {
        /// Updates so far.
        updates: u64,
        /// What it came to.
        confirmation: Confirmation,
    },
    /// An episode of the scores at the end of training ended.
    FinalEpisode {
        /// Env steps of the whole training.
        env_steps: u64,
        /// Episodes played so far, of both policies.
        played: usize,
        /// Episodes that will be played.
        episodes: usize,
    },
    /// The best and the final policy got their last scores.
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
    /// A step was dropped, or the first observation of an episode, because a number in it was NaN or infinite. The environment
    /// was reset; its episode does not count.
    Skipped {
        /// Env steps taken before the dropped step.
        env_steps: u64,
        /// Where: `observation` or `reward`.
        site: &'static str,
        /// The number.
        value: f64,
        /// The environment that it came from.
        env: usize,
        /// The action that led there.
        action: usize,
        /// How often that happened so far.
        skipped: u64,
    },
    /// An episode of training has got as long as `log.long_episode_steps` and goes on.
    LongEpisode {
        /// Env steps so far.
        env_steps: u64,
        /// The environment that it is in.
        env: usize,
        /// Its length so far, env steps.
        length: u64,
    },
    /// Something is wrong with how learning goes. Told once for each check, and only through a
    /// [`Watch`](crate::diagnose::Watch).
    Diagnosed {
        /// Env steps so far.
        env_steps: u64,
        /// What is wrong.
        finding: &'a Finding,
    },
    /// The complete state is on disk.
    CheckpointSaved {
        /// Env steps that it holds.
        env_steps: u64,
        /// Where it is.
        path: &'a std::path::Path,
    },
}

/// Training in numbers, since the last time they were told. Logs have them under these names; what stands in the line of an evaluation
/// is left out there, and what an older version did not write is unknown.
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
    /// Mean loss of the updates since the last time; `None` where there were none.
    pub loss: Option<f64>,
    /// Mean q(s, a) of the same updates.
    pub mean_q: Option<f64>,
    /// Mean return of the latest evaluation; `None` before the first.
    #[serde(skip)]
    pub evaluation_return: Option<f64>,
    /// Mean length of the episodes of the latest evaluation, env steps.
    #[serde(skip)]
    pub evaluation_length: Option<f64>,
    /// ε in force; `None` of an agent that does not explore by it.
    pub epsilon: Option<f64>,
    /// Learning rate in force; `None` of an agent that reports none.
    pub learning_rate: Option<f64>,
    /// What else is known of the same updates.
    #[serde(flatten)]
    pub statistics: Statistics,
}
