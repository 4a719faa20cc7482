//! What a [`PqnAgent`](super::PqnAgent) is made of.

use crate::agent::memory::check_bytes;
use crate::agent::{Actions, AgentError};
use crate::memory::Memory;

/// How a value function is learned over rollouts.
#[derive(Clone, Debug, PartialEq)]
pub struct PqnSpec {
    /// The seed of the order in which the steps of a rollout are learned from.
    pub seed: u64,
    /// Environments that are acted in.
    pub num_envs: usize,
    /// Their actions.
    pub actions: Actions,
    /// Discount per env step, 0 to 1.
    pub gamma: f32,
    /// Share of the longer returns in a λ-return, 0 to 1.
    pub lambda: f32,
    /// Between which λ-returns are clipped; `None`: they are not.
    pub bounds: Option<(f32, f32)>,
    /// Steps of each environment in a rollout.
    pub rollout_steps: usize,
    /// How often a rollout is learned from.
    pub epochs: usize,
    /// In how many parts each time.
    pub minibatches: usize,
}

impl PqnSpec {
    /// Steps of all environments in a rollout.
    pub fn steps(&self) -> usize {
        self.rollout_steps * self.num_envs
    }

    /// Bytes of memory that an agent takes beside its parts, about: for a rollout of observations of so many numbers.
    pub fn bytes_needed(&self, observation_len: usize) -> u64 {
        // Both observations and a handful of numbers for each step.
        (self.steps() as u64).saturating_mul((observation_len as u64).saturating_mul(8).saturating_add(32))
    }

    /// Refuses an agent that takes more than there is.
    ///
    /// # Errors
    /// [`AgentError::OutOfMemory`].
    pub(crate) fn check_memory(&self, observation_len: usize, memory: Memory) -> Result<(), AgentError> {
        check_bytes(self.bytes_needed(observation_len), memory)
    }
}
