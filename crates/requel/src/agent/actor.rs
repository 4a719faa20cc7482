//! [`Actor`]: acting in several environments by an explorer.

use super::{AgentError, Masks};
use crate::exploration::{Choice, Explorer};
use crate::state::{State, StateError};

/// Chooses actions in several environments: its explorer chooses, using the values of the actions if it needs them.
#[derive(Debug)]
pub struct Actor {
    explorer: Box<dyn Explorer>,
    /// Actions of the environment.
    actions: usize,
    /// Environments for which the explorer needs the values of actions.
    open: Vec<bool>,
}

/// The observations to act on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Which actions each environment allows.
    pub masks: Masks<'a>,
    /// Env steps so far, all environments together.
    pub env_steps: u64,
}

impl Actor {
    /// For `num_envs` environments with these actions.
    pub fn new(explorer: Box<dyn Explorer>, num_envs: usize, actions: usize) -> Self {
        Actor { explorer, actions, open: vec![false; num_envs] }
    }

    /// An action for each environment. `values` computes the values of the actions, environments × actions; it is only called if the
    /// explorer needs them for at least one environment.
    ///
    /// # Errors
    /// As `values`.
    ///
    /// # Panics
    /// If the number of actions to choose differs from the number of environments, or `values` returns the wrong number of values.
    pub fn act<'v>(
        &mut self,
        situation: &Situation<'_>,
        actions: &mut [usize],
        values: impl FnOnce() -> Result<&'v [f32], AgentError>,
    ) -> Result<(), AgentError> {
        let Situation { masks, env_steps } = *situation;
        let (envs, count) = (self.open.len(), self.actions);
        assert!(actions.len() == envs, "{} actions for {envs} environments", actions.len());
        let choice = |slot| Choice { slot, env_steps, actions: count, mask: masks.row(slot) };
        let mut are_values_needed = false;
        for (slot, action) in actions.iter_mut().enumerate() {
            let chosen = self.explorer.without_values(&choice(slot));
            self.open[slot] = chosen.is_none();
            match chosen {
                Some(chosen) => *action = chosen,
                None => are_values_needed = true,
            }
        }
        if !are_values_needed {
            return Ok(());
        }
        let values = values()?;
        assert!(values.len() == envs * count, "{} values for {envs} environments of {count} actions", values.len());
        for (slot, values) in values.chunks_exact(count).enumerate().filter(|(slot, _)| self.open[*slot]) {
            actions[slot] = self.explorer.choose(&choice(slot), values);
        }
        Ok(())
    }

    /// The number of environments it acts in.
    pub fn envs(&self) -> usize {
        self.open.len()
    }

    /// Reports its explorer's numbers by name, as of `env_steps` env steps.
    pub fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.explorer.statistics(env_steps, report);
    }

    /// Adds the state of its explorer.
    pub fn save(&self, state: &mut State<'_>) {
        self.explorer.save(state);
    }

    /// Takes over the state from an actor of another agent. This state is not learned: with another number of environments, or another
    /// exploration, its draws start again.
    pub fn go_on_from(&mut self, state: &State<'_>) {
        let _ = self.explorer.restore(state);
    }

    /// Restores its state.
    ///
    /// # Errors
    /// If the state is not that of an explorer like its own.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.explorer.restore(state)
    }
}
