//! [`Actor`]: acting in several environments by an explorer.

use super::{AgentError, Masks};
use crate::exploration::{Choice, Explorer};
use crate::state::{State, StateError};

/// Chooses actions in several environments: its explorer chooses, by the values of the actions where it asks for them.
#[derive(Debug)]
pub struct Actor {
    explorer: Box<dyn Explorer>,
    /// Actions of the environment.
    actions: usize,
    /// Environments in which the values of actions are asked for.
    open: Vec<bool>,
}

/// What is to be acted on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Which actions each environment allows.
    pub masks: Masks<'a>,
    /// Env steps so far, all environments together.
    pub env_steps: u64,
}

impl Actor {
    /// Acts in `num_envs` environments with so many actions.
    pub fn new(explorer: Box<dyn Explorer>, num_envs: usize, actions: usize) -> Self {
        Actor { explorer, actions, open: vec![false; num_envs] }
    }

    /// An action for each environment. `values` gives the values of the actions, environments × actions; it is called where the
    /// explorer asks for them in some environment, and not at all where it does in none.
    ///
    /// # Errors
    /// As `values`.
    ///
    /// # Panics
    /// If there are not as many actions to choose as environments, or not as many values as there are to be.
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

    /// How many environments it acts in.
    pub fn envs(&self) -> usize {
        self.open.len()
    }

    /// Reports the numbers of its explorer after `env_steps` env steps by name.
    pub fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.explorer.statistics(env_steps, report);
    }

    /// Adds the state of its explorer.
    pub fn save(&self, state: &mut State<'_>) {
        self.explorer.save(state);
    }

    /// Takes it from an actor of another agent. It is not learned: in another number of environments, or where exploration is another,
    /// its draws begin anew.
    pub fn go_on_from(&mut self, state: &State<'_>) {
        let _ = self.explorer.restore(state);
    }

    /// Takes it back.
    ///
    /// # Errors
    /// If it is not the state of an explorer like its own.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.explorer.restore(state)
    }
}
