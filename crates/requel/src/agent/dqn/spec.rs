//! What a [`DqnAgent`](super::DqnAgent) is made of.

use crate::Schedule;
use crate::agent::memory::check_bytes;
use crate::agent::{Actions, AgentError, Executor};
use crate::exploration::Explorer;
use crate::memory::Memory;
use crate::replay::{NStepAccumulator, ReplayBuffer};

/// The parts of an agent, each of which may be your own.
pub struct DqnParts {
    /// What computes values and updates.
    pub executor: Box<dyn Executor>,
    /// What keeps transitions, and which batches are drawn from.
    pub replay: Box<dyn ReplayBuffer>,
    /// What chooses actions.
    pub explorer: Box<dyn Explorer>,
}

/// How the parts are used.
#[derive(Clone, Debug, PartialEq)]
pub struct DqnSpec {
    /// Environments that are acted in.
    pub num_envs: usize,
    /// Their actions.
    pub actions: Actions,
    /// Discount per env step, 0 to 1.
    pub gamma: f64,
    /// Rewards that a target adds up before it relies on the network's value, env steps.
    pub n_step: usize,
    /// What an update learns from.
    pub learns_from: LearnsFrom,
    /// Learning starts when more transitions than this are stored.
    pub start: usize,
    /// Learns every so many env steps.
    pub every_steps: u64,
    /// Updates each time.
    pub updates: u64,
    /// Of a replay that draws by priorities: the course of β, how far importance weights make up for it.
    pub importance: Option<Schedule>,
}

impl DqnSpec {
    /// Bytes of memory that an agent takes beside its parts, about: for the steps that wait for n-step returns, of observations of
    /// so many numbers.
    pub fn bytes_needed(&self, observation_len: usize) -> u64 {
        NStepAccumulator::bytes_needed(self.n_step, observation_len).saturating_mul(self.num_envs as u64)
    }

    /// Refuses an agent that takes more than there is.
    ///
    /// # Errors
    /// [`AgentError::OutOfMemory`].
    pub(crate) fn check_memory(&self, observation_len: usize, memory: Memory) -> Result<(), AgentError> {
        check_bytes(self.bytes_needed(observation_len), memory)
    }
}

/// What an update learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnsFrom {
    /// Batches drawn from the replay buffer.
    Replay,
    /// What the present step brought, each transition once: learning without replay.
    LatestStep,
}
