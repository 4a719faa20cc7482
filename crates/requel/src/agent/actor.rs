//! [`Actor`]: acting in several environments, ε-greedy on a value function.

use super::{AgentError, ValueSpec, Values};
use crate::config::Config;
use crate::exploration::EpsilonGreedy;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::td::argmax_allowed;

/// Chooses actions in several environments: at random with probability ε, else the one of the greatest value, with fresh noise
/// in noisy layers each time (Fortunato et al. 2018, algorithm 1).
pub(super) struct Actor {
    pub values: Values,
    exploration: EpsilonGreedy,
    noise: StreamRng,
    greedy_slots: Vec<bool>,
}

/// What is to be acted on.
pub(super) struct Situation<'a, 'm> {
    /// Environments × observation length.
    pub observations: &'a [f32],
    /// Which actions an environment allows.
    pub mask: &'a dyn Fn(usize) -> Option<&'m [bool]>,
    /// Env steps so far.
    pub env_steps: u64,
}

impl Actor {
    pub fn new(config: &Config, spec: &ValueSpec) -> Result<Self, AgentError> {
        let (seed, num_envs) = (config.train.seed, config.train.num_envs);
        Ok(Actor {
            values: Values::new(spec, num_envs)?,
            exploration: EpsilonGreedy::new(&config.exploration, seed, num_envs),
            noise: StreamRng::new(seed, Stream::ActingNoise),
            greedy_slots: vec![false; num_envs],
        })
    }

    /// An action for each environment.
    pub fn act(&mut self, parameters: &[f32], situation: &Situation<'_, '_>, actions: &mut [usize]) {
        let Situation { observations, mask, env_steps } = *situation;
        let epsilon = self.exploration.epsilon(env_steps);
        let count = self.values.actions();
        let mut greedy = false;
        for (slot, action) in actions.iter_mut().enumerate() {
            let explored = self.exploration.explore(slot, epsilon, count, mask(slot));
            self.greedy_slots[slot] = explored.is_none();
            match explored {
                Some(explored) => *action = explored,
                None => greedy = true,
            }
        }
        if !greedy {
            return;
        }
        self.noise.fill_normal(self.values.noise_mut());
        let q = self.values.q_values(parameters, observations);
        for (slot, q) in q.chunks_exact(count).enumerate().filter(|(slot, _)| self.greedy_slots[*slot]) {
            actions[slot] = argmax_allowed(q, mask(slot));
        }
    }

    /// ε after `env_steps` env steps.
    pub fn epsilon(&self, env_steps: u64) -> f64 {
        self.exploration.epsilon(env_steps)
    }

    /// How many environments it acts in.
    pub fn envs(&self) -> usize {
        self.greedy_slots.len()
    }

    /// Adds the counters of exploration, and of noise where there is any.
    pub fn save(&self, state: &mut State<'_>) {
        self.exploration.save(state);
        if self.values.network().noise_len() > 0 {
            state.put("agent/acting_position", self.noise.position());
        }
    }

    /// Takes them back.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.exploration.restore(state)?;
        if self.values.network().noise_len() > 0 {
            self.noise.set_position(state.read("agent/acting_position")?);
        }
        Ok(())
    }
}
