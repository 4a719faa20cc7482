//! The agent without replay.

use serde::{Deserialize, Serialize};

/// How the parallelised Q-network learns: from rollouts of all environments, each used for some epochs and then forgotten
/// (Gallici et al. 2024, algorithm 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PqnConfig {
    /// Steps of each environment in a rollout, env steps.
    pub rollout_steps: usize,
    /// Times that a rollout is gone through.
    pub epochs: usize,
    /// Parts that a rollout is divided into, at random and anew each time; an update is made from each.
    pub minibatches: usize,
    /// λ of the returns, 0 (one step) to 1 (to the end of the rollout).
    pub lambda: f64,
}

impl Default for PqnConfig {
    fn default() -> Self {
        PqnConfig { rollout_steps: 32, epochs: 2, minibatches: 16, lambda: 0.65 }
    }
}
