//! [`Explorer`], the seam between what an agent knows and what it does.

use std::fmt::Debug;

use crate::state::{State, StateError};

/// One choice that an explorer has to make.
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

/// Chooses the actions of training in several environments, from the values of the actions or without them.
///
/// At each step [`Explorer::without_values`] is asked for every environment in the order of the slots, then
/// [`Explorer::choose`] for those that it left open. Values are computed only where some environment is left open, so that an
/// explorer which often acts at random saves that work.
///
/// An explorer with random draws keeps a stream of them for each environment ([`Stream::Exploration`](crate::Stream)), so that
/// the actions in one do not depend on how many others there are.
pub trait Explorer: Debug + Send {
    /// An action that does not depend on values, or `None` to be asked again with values.
    fn without_values(&mut self, _choice: &Choice<'_>) -> Option<usize> {
        None
    }

    /// An action by `values`, one for each action. Where the mask allows none, any.
    fn choose(&mut self, choice: &Choice<'_>, values: &[f32]) -> usize;

    /// Reports its numbers after `env_steps` env steps by name, such as `epsilon`.
    fn statistics(&self, _env_steps: u64, _report: &mut dyn FnMut(&str, f64)) {}

    /// Adds what a checkpoint must hold, under `agent/`.
    fn save(&self, state: &mut State<'_>);

    /// Takes it back.
    ///
    /// # Errors
    /// If it is not the state of an explorer like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
