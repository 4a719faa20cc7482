//! The specification and components of a [`DqnAgent`](super::DqnAgent).

use crate::Schedule;
use crate::agent::memory::check_bytes;
use crate::agent::{Actions, AgentError, Executor};
use crate::exploration::Explorer;
use crate::memory::Memory;
use crate::replay::{NStepAccumulator, ReplayBuffer};

/// The components of an agent, each of which may be your own.
pub struct DqnParts {
    /// Computes values and updates.
    pub executor: Box<dyn Executor>,
    /// Stores transitions and draws batches.
    pub replay: Box<dyn ReplayBuffer>,
    /// Chooses actions.
    pub explorer: Box<dyn Explorer>,
}

/// How the components are used.
#[derive(Clone, Debug, PartialEq)]
pub struct DqnSpec {
    /// Number of environments it acts in.
    pub num_envs: usize,
    /// Their actions.
    pub actions: Actions,
    /// Discount per env step, 0 to 1.
    pub gamma: f64,
    /// Number of rewards that a target sums before it uses the network's value, env steps.
    pub n_step: usize,
    /// What an update learns from.
    pub learns_from: LearnsFrom,
    /// Learning starts when more transitions than this are stored.
    pub start: usize,
    /// Number of env steps between updates.
    pub every_steps: u64,
    /// Updates each time.
    pub updates: u64,
    /// For prioritized replay: the schedule of β, how strongly importance weights correct for the priorities.
    pub importance: Option<Schedule>,
}

impl DqnSpec {
    /// Approximate memory of an agent in addition to its components, bytes: for steps waiting for their n-step returns, with observations
    /// of this many numbers.
    pub fn bytes_needed(&self, observation_len: usize) -> u64 {
        NStepAccumulator::bytes_needed(self.n_step, observation_len).saturating_mul(self.num_envs as u64)
    }

    /// Refuses an agent that needs more memory than is available.
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
    /// The transitions of the current step, each once: learning without replay.
    LatestStep,
}
