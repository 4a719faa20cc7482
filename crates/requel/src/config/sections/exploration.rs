//! Exploration.

use crate::config::declare::Condition::{Is, IsNot};
use crate::config::declare::Range::{self, Share};
use crate::config::declare::{Scale, Tuning, choice, section};

choice! {
    /// The schedule of epsilon.
    pub enum ExplorationKind {
        /// Always `start`.
        "constant" => Constant,
        /// Linear, from `start` to `end` over `env_steps`.
        "linear" => Linear,
        /// `end + (start - end) * exp(-t / env_steps)`.
        "exponential" => Exponential,
    }
}

section! {
    /// Epsilon-greedy exploration: a random action with probability epsilon.
    pub struct ExplorationConfig = "exploration" {
        /// Schedule of epsilon.
        kind: ExplorationKind = ExplorationKind::Linear, may change;
        /// Name of an explorer of your own, registered by the program, in place of epsilon-greedy exploration (empty: none).
        #[serde(skip_serializing_if = "String::is_empty")]
        name: String = String::new();
        /// Epsilon at the first environment step.
        start: f64 = 1.0, in Share, may change,
            tune Tuning::number(0.01, 0.3, Scale::Log).when(&[Is("exploration.kind", "constant")]);
        /// Epsilon at the end of the schedule (unused if constant).
        end: f64 = 0.05, in Share, may change,
            tune Tuning::number(0.005, 0.1, Scale::Log).when(&[IsNot("exploration.kind", "constant"), Is("network.noisy", "false")]);
        /// Length of the schedule, or its time constant if exponential (unused if constant).
        env_steps: u64 = 10_000, in Range::at_least(1), unit "environment steps", may change,
            tune Tuning::whole(1_000, 50_000, Scale::Log).when(&[IsNot("exploration.kind", "constant")]);
        /// Act at random for this many environment steps first, while epsilon already follows its schedule (0: not at all).
        random_env_steps: u64 = 0, unit "environment steps", may change;
    }
}
