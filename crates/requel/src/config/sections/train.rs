//! Budget, evaluation, checkpoints and logs.

use crate::agent::DeviceName;
use crate::config::declare::Condition::Is;
use crate::config::declare::Range::{self, Any, Whole};
use crate::config::declare::{Scale, Tuning, choice, section};

choice! {
    /// What happens when a training step gives an observation or a reward that is NaN or infinite.
    pub enum OnNan {
        /// Training stops with an error that names it.
        "stop" => Stop,
        /// The step is dropped and counted, and the environment is reset.
        "skip" => Skip,
    }
}

choice! {
    /// Which episodes of training have a line in `metrics.jsonl`.
    pub enum EpisodeLog {
        /// The first 32,768, every second one of the next 32,768, every fourth of the 65,536 after them, and so on: the log grows
        /// with the logarithm of their number.
        "auto" => Auto,
        /// All episodes.
        "all" => All,
    }
}

section! {
    /// Budget and pace.
    pub struct TrainConfig = "train" {
        /// Seed from which all random numbers are derived.
        // TOML has no larger numbers, and the config of a run is written as TOML.
        seed: u64 = 0, in Whole(0, i64::MAX as u64);
        /// Stop after this many environment steps, over all environments (0: no limit).
        env_steps: u64 = 50_000, unit "environment steps", may change;
        /// Stop after this many finished episodes (0: no limit).
        episodes: u64 = 0, unit "episodes", may change;
        /// Number of environments stepped in parallel.
        num_envs: usize = 1, in Whole(1, 65_536), unit "environments";
        /// Learn every N environment steps.
        every_steps: u64 = 1, in Range::at_least(1), unit "environment steps", may change,
            tune Tuning::whole(1, 8, Scale::Log).when(&[Is("agent.kind", "dqn")]);
        /// Number of updates each time the agent learns.
        // Signals are checked before each learning phase, so these updates must take seconds at most.
        updates: u64 = 1, in Whole(1, 10_000), unit "updates", may change;
        /// What to do when an environment gives NaN or infinity.
        on_nan: OnNan = OnNan::Stop, may change;
        /// Device that networks are computed on: auto (the faster one), cpu, cuda or cuda:N.
        ///
        /// No result depends on it. Devices other than the CPU are available in programs that are built with the feature `cuda`: see
        /// `docs/gpu.md`. Unset, it is `auto`.
        #[serde(skip_serializing_if = "is_auto")]
        device: String = "auto".to_owned(), may change;
    }
}

/// An unset key is not written: configs from before this choice existed stay unchanged.
fn is_auto(device: &str) -> bool {
    device == "auto"
}

impl TrainConfig {
    /// The requested device.
    pub(crate) fn device_name(&self) -> DeviceName {
        self.device.parse().unwrap_or_default()
    }
}

section! {
    /// How and when the greedy policy is evaluated, in environments of its own.
    pub struct EvaluationConfig = "evaluation" {
        /// Evaluate the greedy policy every N environment steps (0: not by steps).
        every_steps: u64 = 5_000, unit "environment steps", may change;
        /// Evaluate after every N episodes, starting with the first (0: not by episodes).
        every_episodes: u64 = 0, unit "episodes", may change;
        /// Number of episodes per evaluation.
        // Every return is kept until the evaluation is reported.
        episodes: usize = 20, in Whole(1, 1_000_000), unit "episodes", may change;
        /// Number of episodes in the last evaluation, of the best policy and of the final one.
        final_episodes: usize = 100, in Whole(1, 1_000_000), unit "episodes", may change;
        /// Cut off an evaluation episode after this many environment steps.
        max_episode_steps: u64 = 100_000, in Range::at_least(1), unit "environment steps", may change;
        /// Stop training once this many evaluations in a row reach `stop_return` (0: never).
        stop_after: u64 = 0, unit "evaluations", may change;
        /// Number of fresh episodes whose mean must also reach `stop_return` before training stops (0: none).
        confirm_episodes: usize = 1_000, in Whole(0, 1_000_000), unit "episodes", may change;
        /// Mean return at which to stop (unset: the environment's reward threshold).
        ///
        /// It is also the goal that a run is measured against if the environment has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        stop_return: Option<f64> = None, in Any, unit "units of return", may change;
    }
}

section! {
    /// When the complete state is saved.
    pub struct CheckpointConfig = "checkpoint" {
        /// Save the complete state every N environment steps (0: only at the end or when interrupted).
        every_steps: u64 = 50_000, unit "environment steps", may change;
        /// Number of checkpoints to keep, the newest ones.
        ///
        /// At least 2, so that a damaged one can be skipped.
        keep: usize = 2, in Range::at_least(2), unit "checkpoints", may change;
    }
}

section! {
    /// What is logged, and when.
    pub struct LogConfig = "log" {
        /// Log aggregates of training every N environment steps.
        every_steps: u64 = 1_000, in Range::at_least(1), unit "environment steps", may change;
        /// Report an episode once it exceeds this many environment steps (0: never).
        long_episode_steps: u64 = 100_000, unit "environment steps", may change;
        /// Which episodes have a line in metrics.jsonl.
        episodes: EpisodeLog = EpisodeLog::Auto, may change;
        /// Also write monitor.csv, which the plotters of Stable-Baselines3 read.
        monitor: bool = false, may change;
    }
}
