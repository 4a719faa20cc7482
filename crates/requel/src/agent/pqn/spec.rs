//! The specification of a [`PqnAgent`](super::PqnAgent).

use crate::agent::memory::check_bytes;
use crate::agent::{Actions, AgentError};
use crate::memory::Memory;

/// How a value function is learned from rollouts.
#[derive(Clone, Debug, PartialEq)]
pub struct PqnSpec {
    /// The seed of the order in which a rollout's steps are used.
    pub seed: u64,
    /// Number of environments it acts in.
    pub num_envs: usize,
    /// Their actions.
    pub actions: Actions,
    /// Discount per env step, 0 to 1.
    pub gamma: f32,
    /// λ, the weight of longer returns in a λ-return, 0 to 1.
    pub lambda: f32,
    /// The range to which λ-returns are clipped; `None`: they are not.
    pub bounds: Option<(f32, f32)>,
    /// Steps of each environment in a rollout.
    pub rollout_steps: usize,
    /// How often each rollout is used.
    pub epochs: usize,
    /// Number of minibatches each time.
    pub minibatches: usize,
}

impl PqnSpec {
    /// Steps of all environments in a rollout.
    pub fn steps(&self) -> usize {
        self.rollout_steps * self.num_envs
    }

    /// Approximate memory of an agent in addition to its components, bytes: for a rollout with observations of this many numbers.
    pub fn bytes_needed(&self, observation_len: usize) -> u64 {
        // Both observations and a few numbers for each step.
        (self.steps() as u64).saturating_mul((observation_len as u64).saturating_mul(8).saturating_add(32))
    }

    /// Refuses an agent that needs more memory than is available.
    ///
    /// # Errors
    /// [`AgentError::OutOfMemory`].
    pub(crate) fn check_memory(&self, observation_len: usize, memory: Memory) -> Result<(), AgentError> {
        check_bytes(self.bytes_needed(observation_len), memory)
    }
}
