//! The course of ε.

use serde::{Deserialize, Serialize};

/// The course of ε.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExplorationKind {
    /// Always `start`.
    Constant,
    /// From `start` to `end` in a line over `env_steps`.
    Linear,
    /// `end + (start − end)·exp(−t / env_steps)`.
    Exponential,
}

/// ε-greedy exploration: a random action with probability ε.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExplorationConfig {
    /// The course of ε.
    pub kind: ExplorationKind,
    /// ε at the first env step.
    pub start: f64,
    /// ε at the end of the course; unused where constant.
    pub end: f64,
    /// Env steps of the course (linear) or its time constant (exponential); unused where constant.
    pub env_steps: u64,
}

impl Default for ExplorationConfig {
    fn default() -> Self {
        ExplorationConfig { kind: ExplorationKind::Linear, start: 1.0, end: 0.05, env_steps: 10_000 }
    }
}
