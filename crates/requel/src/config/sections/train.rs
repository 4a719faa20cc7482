//! Budget, evaluation, checkpoints and logs.

use serde::{Deserialize, Serialize};

/// Budget and pace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainConfig {
    /// The seed that every stream of randomness derives from.
    pub seed: u64,
    /// Stop after this many env steps (all environments together); 0: no such limit.
    pub env_steps: u64,
    /// Stop after this many finished episodes; 0: no such limit.
    pub episodes: u64,
    /// Environments stepped side by side.
    pub num_envs: usize,
    /// Learn every so many env steps.
    pub every_steps: u64,
    /// Updates each time.
    pub updates: u64,
    /// What comes of a NaN or infinity that an environment gives.
    pub on_nan: OnNan,
}

/// What comes of a NaN or infinity in an observation or a reward of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnNan {
    /// Training stops and names it.
    Stop,
    /// The step is dropped and counted, and the environment reset.
    Skip,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig {
            seed: 0,
            env_steps: 50_000,
            episodes: 0,
            num_envs: 1,
            every_steps: 1,
            updates: 1,
            on_nan: OnNan::Stop,
        }
    }
}

/// How and when the greedy policy is scored, on environments of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaluationConfig {
    /// Score every so many env steps; 0: not by steps.
    pub every_steps: u64,
    /// Score after every so many episodes, the first included; 0: not by episodes.
    pub every_episodes: u64,
    /// Episodes per score.
    pub episodes: usize,
    /// Episodes of the last score, for the best and the final policy.
    pub final_episodes: usize,
    /// An evaluation episode is cut off after this many env steps.
    pub max_episode_steps: u64,
    /// Stop when this many scores in a row reach `stop_return`; 0: never.
    pub stop_after: u64,
    /// Fresh episodes over which a policy has to reach `stop_return` too before training stops for it; 0: none.
    pub confirm_episodes: usize,
    /// The mean return to stop at; absent: the environment's own reward threshold. It is the goal too where the environment has
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_return: Option<f64>,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        EvaluationConfig {
            every_steps: 5_000,
            every_episodes: 0,
            episodes: 20,
            final_episodes: 100,
            max_episode_steps: 100_000,
            stop_after: 0,
            confirm_episodes: 1_000,
            stop_return: None,
        }
    }
}

/// When the complete state is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckpointConfig {
    /// Save every so many env steps, beside the end; 0: only at the end and when interrupted.
    pub every_steps: u64,
    /// Checkpoints kept, the newest ones; at least 2, so that a damaged one can be stepped over.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        CheckpointConfig { every_steps: 50_000, keep: 2 }
    }
}

/// When aggregates are logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogConfig {
    /// A line of training aggregates every so many env steps.
    pub every_steps: u64,
    /// An episode that gets so long, in env steps, is told; 0: none is.
    pub long_episode_steps: u64,
    /// Which episodes have a line in the log of a run.
    pub episodes: EpisodeLog,
    /// Whether `monitor.csv` is written too, a line per episode as Stable-Baselines3 has it.
    pub monitor: bool,
}

/// Which of the episodes of training have a line in `metrics.jsonl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EpisodeLog {
    /// The first 32,768, of the next 32,768 every second one, of the 65,536 after them every fourth, and so on: a log grows
    /// with the logarithm of their number.
    #[default]
    Auto,
    /// Every one.
    All,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { every_steps: 1_000, long_episode_steps: 100_000, episodes: EpisodeLog::Auto, monitor: false }
    }
}
