//! The replay buffer and the target network.

use serde::{Deserialize, Serialize};

/// How transitions are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayKind {
    /// Each with the same probability.
    Uniform,
    /// Those with a large TD error more often (Schaul 2016, proportional).
    Prioritized,
}

/// The replay buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplayConfig {
    /// How transitions are drawn.
    pub kind: ReplayKind,
    /// Transitions kept; the oldest is overwritten first.
    pub capacity: usize,
    /// Transitions per update.
    pub batch_size: usize,
    /// Learning starts when the buffer holds more transitions than this.
    pub start: usize,
    /// Uniform: whether one transition can be in a batch twice.
    pub replacement: bool,
    /// Prioritized: α, how much the TD error counts; 0 draws uniformly.
    pub priority_exponent: f64,
    /// Prioritized: what is added to each |TD error|.
    pub priority_epsilon: f64,
    /// Prioritized: a |TD error| above this counts as this, so that one outlier is not the largest priority for ever.
    pub priority_cap: f64,
    /// Prioritized: β, how far importance weights make up for it, at the first env step.
    pub importance_start: f64,
    /// Prioritized: β at the end of its course.
    pub importance_end: f64,
    /// Prioritized: env steps of that course, a line.
    pub importance_env_steps: u64,
}

impl Default for ReplayConfig {
    fn default() -> Self {
        ReplayConfig {
            kind: ReplayKind::Uniform,
            capacity: 100_000,
            batch_size: 64,
            start: 1_000,
            replacement: false,
            priority_exponent: 0.6,
            priority_epsilon: 1e-6,
            priority_cap: 1000.0,
            importance_start: 0.4,
            importance_end: 1.0,
            importance_env_steps: 0,
        }
    }
}

/// How the target network follows the online one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// There is none: the online network values the next state.
    None,
    /// A copy every so many updates or env steps.
    Hard,
    /// A moving average with rate `tau`, every so many updates or env steps.
    Soft,
}

/// The target network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetConfig {
    /// How it follows.
    pub kind: TargetKind,
    /// Follows every so many updates; 0 where env steps are counted.
    pub every_updates: u64,
    /// Follows every so many env steps; 0 where updates are counted.
    pub every_env_steps: u64,
    /// Soft: the share of the online network, 0 to 1.
    pub tau: f64,
}

impl Default for TargetConfig {
    fn default() -> Self {
        TargetConfig { kind: TargetKind::Hard, every_updates: 500, every_env_steps: 0, tau: 0.005 }
    }
}
