//! [`Explorer`], which decides what an agent does during learning.

use std::fmt::Debug;

use crate::state::{State, StateError};

/// One choice for an explorer to make.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Which of the parallel environments.
    pub slot: usize,
    /// Env steps so far, all environments together.
    pub env_steps: u64,
    /// Actions of the environment.
    pub actions: usize,
    /// Which of them the environment allows; `None`: all.
    pub mask: Option<&'a [bool]>,
}

/// Chooses actions during training in several environments, with or without the values of the actions.
///
/// At each step, [`Explorer::without_values`] is called for every environment in the order of the slots, then [`Explorer::choose`] for
/// those for which it returned `None`. Values are only computed if at least one environment needs them, so an explorer that often acts at
/// random saves that work.
///
/// An explorer with random draws keeps a separate stream for each environment ([`Stream::Exploration`](crate::Stream)), so that the actions
/// in one do not depend on how many others there are.
pub trait Explorer: Debug + Send {
    /// An action that does not depend on values, or `None` to be called again with values.
    fn without_values(&mut self, _choice: &Choice<'_>) -> Option<usize> {
        None
    }

    /// An action chosen by `values`, one for each action. If the mask allows none, any action.
    fn choose(&mut self, choice: &Choice<'_>, values: &[f32]) -> usize;

    /// Reports its numbers by name, as of `env_steps` env steps, such as `epsilon`.
    fn statistics(&self, _env_steps: u64, _report: &mut dyn FnMut(&str, f64)) {}

    /// Adds its state to a checkpoint, under `agent/`.
    fn save(&self, state: &mut State<'_>);

    /// Restores that state.
    ///
    /// # Errors
    /// If the state is not that of an explorer like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
