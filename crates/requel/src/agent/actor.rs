//! [`Actor`]: acting in several environments by the values of actions and an explorer.

use super::Values;
use crate::exploration::{Choice, Explorer};
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};

/// Chooses actions in several environments: its explorer chooses, by the values of the actions where it asks for them, with fresh
/// noise in noisy layers each time (Fortunato et al. 2018, algorithm 1).
pub struct Actor {
    pub(super) values: Values,
    explorer: Box<dyn Explorer>,
    noise: StreamRng,
    /// Environments in which the values of actions are asked for.
    open: Vec<bool>,
}

/// What is to be acted on.
#[derive(Clone, Copy)]
pub struct Situation<'a, 'm> {
    /// Environments × observation length.
    pub observations: &'a [f32],
    /// Which actions an environment allows; `None`: all.
    pub mask: &'a dyn Fn(usize) -> Option<&'m [bool]>,
    /// Env steps so far, all environments together.
    pub env_steps: u64,
}

impl Actor {
    /// Acts in as many environments as `values` can look at observations at once. `seed` is that of the noise of noisy layers.
    pub fn new(values: Values, explorer: Box<dyn Explorer>, seed: u64) -> Self {
        let open = vec![false; values.max_rows()];
        Actor { values, explorer, noise: StreamRng::new(seed, Stream::ActingNoise), open }
    }

    /// An action for each environment, valued by a network with these parameters.
    ///
    /// # Panics
    /// If there are not as many observations and actions as environments.
    pub fn act(&mut self, parameters: &[f32], situation: &Situation<'_, '_>, actions: &mut [usize]) {
        let Situation { observations, mask, env_steps } = *situation;
        assert!(actions.len() == self.open.len(), "{} actions for {} environments", actions.len(), self.open.len());
        let count = self.values.actions();
        let choice = |slot| Choice { slot, env_steps, actions: count, mask: mask(slot) };
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
            return;
        }
        self.noise.fill_normal(self.values.noise_mut());
        let q = self.values.q_values(parameters, observations);
        for (slot, q) in q.chunks_exact(count).enumerate().filter(|(slot, _)| self.open[*slot]) {
            actions[slot] = self.explorer.choose(&choice(slot), q);
        }
    }

    /// Reports the numbers of its explorer after `env_steps` env steps by name.
    pub fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.explorer.statistics(env_steps, report);
    }

    /// How many environments it acts in.
    pub fn envs(&self) -> usize {
        self.open.len()
    }

    /// Adds the state of its explorer, and the counter of noise where there is any.
    pub fn save(&self, state: &mut State<'_>) {
        self.explorer.save(state);
        if self.values.network().noise_len() > 0 {
            state.put("agent/acting_position", self.noise.position());
        }
    }

    /// Takes them back.
    ///
    /// # Errors
    /// If it is not the state of an actor like this one.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.explorer.restore(state)?;
        if self.values.network().noise_len() > 0 {
            self.noise.set_position(state.read("agent/acting_position")?);
        }
        Ok(())
    }
}
