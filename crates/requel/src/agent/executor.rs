//! [`Executor`], the boundary between what is learned and how it is computed.

use std::borrow::Cow;

use super::{AgentError, DeviceUse, Learned, Policy, ValueNetwork};
use crate::state::{State, StateError};
use crate::transition::{Batch, BatchMut};

/// Computes a value function and learns it. It hides the networks with their workspaces, the target network, the optimiser, the loss, and
/// the device they are on. [`CpuExecutor`](super::CpuExecutor) is this crate's; to use your own network, implement another one.
///
/// An update works as follows: the replay buffer writes transitions into [`Executor::batch_mut`], directly to where they are read, then
/// [`Executor::update`] is called. What was learned is a flat list of parameters, which can be read and replaced.
pub trait Executor: Send {
    /// The values of the actions at some observations, rows × actions, for acting. A network with noise draws fresh noise.
    ///
    /// # Errors
    /// If the computation fails, here and in the other methods.
    fn values(&mut self, observations: &[f32]) -> Result<&[f32], AgentError>;

    /// Room for the transitions of the next update.
    fn batch_mut(&mut self) -> BatchMut<'_>;

    /// One update from the transitions in [`Executor::batch_mut`], after `env_steps` env steps. If they were drawn by priority, `beta` is
    /// the exponent of the importance weights.
    ///
    /// # Errors
    /// [`AgentError::NotFinite`] at the first number that is not finite.
    fn update(&mut self, env_steps: u64, beta: Option<f64>) -> Result<Learned, AgentError>;

    /// The transitions of the last update.
    fn batch(&self) -> &Batch;

    /// |TD error| of each transition in the last update, without its weight, at least 0: what a prioritized replay uses.
    fn td_errors(&self) -> &[f32];

    /// Called before the updates of a step: the count of env steps has gone from `before` to `after`, so a target network may have to be
    /// updated.
    ///
    /// # Errors
    /// As [`Executor::values`].
    fn after_env_steps(&mut self, _before: u64, _after: u64) -> Result<(), AgentError> {
        Ok(())
    }

    /// All parameters from which values are computed.
    ///
    /// # Errors
    /// As [`Executor::values`].
    fn parameters(&self) -> Result<Cow<'_, [f32]>, AgentError>;

    /// Replaces them before the first update; everything else stays new.
    ///
    /// # Errors
    /// If the number of parameters is wrong.
    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), StateError>;

    /// What has been learned so far, as an independent policy for up to `rows` observations at once.
    ///
    /// # Errors
    /// If it cannot be created.
    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError>;

    /// Its network, if it is one of this crate on the CPU: see [`Agent::value_network`](super::Agent::value_network).
    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        None
    }

    /// The device it computes on.
    fn device(&self) -> DeviceUse {
        DeviceUse::default()
    }

    /// Reports numbers by name: see [`Agent::statistics`](super::Agent::statistics).
    fn statistics(&self, _env_steps: u64, _report: &mut dyn FnMut(&str, f64)) {}

    /// Allows up to `threads` threads for large computations from now on; the bits are the same for every number of threads.
    fn set_threads(&mut self, _threads: usize) {}

    /// Moves what it has learned to where [`Executor::save`] can read it; called before that. An executor on another device copies its
    /// state here, since the copy can fail.
    ///
    /// # Errors
    /// If the state can no longer be read.
    fn prepare_save(&self) -> Result<(), AgentError> {
        Ok(())
    }

    /// Adds the complete state.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Restores a state.
    ///
    /// # Errors
    /// If the state is not that of an executor like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
