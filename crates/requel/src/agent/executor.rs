//! [`Executor`], the seam between what is learned and what computes it.

use std::borrow::Cow;

use super::{AgentError, DeviceUse, Learned, Policy, ValueNetwork};
use crate::state::{State, StateError};
use crate::transition::{Batch, BatchMut};

/// Computes a value function and learns it: networks, their workspaces, target network, optimiser and loss are behind it, and on
/// which device they are. [`CpuExecutor`](super::CpuExecutor) is that of this crate; a network of your own comes in as another one.
///
/// An update is: transitions are written into [`Executor::batch_mut`], by a replay buffer straight to where they are read, then
/// [`Executor::update`]. What was learned is a flat list of parameters, which can be taken out and put in.
pub trait Executor: Send {
    /// The values of the actions at some observations, rows × actions, to act by. A network with noise takes fresh noise.
    ///
    /// # Errors
    /// If whatever computes them fails; so everywhere here.
    fn values(&mut self, observations: &[f32]) -> Result<&[f32], AgentError>;

    /// Room for the transitions of the next update.
    fn batch_mut(&mut self) -> BatchMut<'_>;

    /// One update from the transitions in [`Executor::batch_mut`], after `env_steps` env steps. Where they were drawn by their
    /// probabilities, `beta` says how far importance weights make up for it.
    ///
    /// # Errors
    /// [`AgentError::NotFinite`] at the first number that is not finite.
    fn update(&mut self, env_steps: u64, beta: Option<f64>) -> Result<Learned, AgentError>;

    /// The transitions of the last update.
    fn batch(&self) -> &Batch;

    /// How surprising each transition of the last update was, without its weight, at least 0: what a prioritized replay takes.
    fn td_errors(&self) -> &[f32];

    /// Takes note, before the updates of a step, that the count of env steps went from `before` to `after`: a target network may
    /// follow by it.
    ///
    /// # Errors
    /// As [`Executor::values`].
    fn after_env_steps(&mut self, _before: u64, _after: u64) -> Result<(), AgentError> {
        Ok(())
    }

    /// All parameters that values are computed from.
    ///
    /// # Errors
    /// As [`Executor::values`].
    fn parameters(&self) -> Result<Cow<'_, [f32]>, AgentError>;

    /// Takes others in their place, before the first update; all else is as new.
    ///
    /// # Errors
    /// If there are not as many.
    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), StateError>;

    /// What is learned so far, as a policy of its own for up to `rows` observations at once.
    ///
    /// # Errors
    /// If it cannot be made.
    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError>;

    /// Its network, where that is one of this crate on the CPU: see [`Agent::value_network`](super::Agent::value_network).
    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        None
    }

    /// On which device it computes.
    fn device(&self) -> DeviceUse {
        DeviceUse::default()
    }

    /// Reports numbers by name: see [`Agent::statistics`](super::Agent::statistics).
    fn statistics(&self, _env_steps: u64, _report: &mut dyn FnMut(&str, f64)) {}

    /// Lets what is large be computed by up to `threads` threads from now on; the same bits for every number of them.
    fn set_threads(&mut self, _threads: usize) {}

    /// Brings what it has learned to where [`Executor::save`] finds it, before that is called. What learns on another device than the one
    /// that saves does it here, where that can fail.
    ///
    /// # Errors
    /// If it is not to be had any more.
    fn prepare_save(&self) -> Result<(), AgentError> {
        Ok(())
    }

    /// Adds the complete state.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Takes over a state.
    ///
    /// # Errors
    /// If it is no state of an executor like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
