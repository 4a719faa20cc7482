//! [`ActingValues`]: the values that an agent acts by.

use super::Values;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};

/// Values at the observations of several environments, with fresh noise in noisy layers each time (Fortunato et al. 2018,
/// algorithm 1).
pub(super) struct ActingValues {
    pub values: Values,
    noise: StreamRng,
}

impl ActingValues {
    pub fn new(values: Values, seed: u64) -> Self {
        ActingValues { values, noise: StreamRng::new(seed, Stream::ActingNoise) }
    }

    /// The value of each action, observations × actions.
    pub fn q_values(&mut self, parameters: &[f32], observations: &[f32]) -> &[f32] {
        self.noise.fill_normal(self.values.noise_mut());
        self.values.q_values(parameters, observations)
    }

    /// Adds the counter of noise, where there is any.
    pub fn save(&self, state: &mut State<'_>) {
        if self.values.network().noise_len() > 0 {
            state.put("agent/acting_position", self.noise.position());
        }
    }

    /// Takes it back.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        if self.values.network().noise_len() > 0 {
            self.noise.set_position(state.read("agent/acting_position")?);
        }
        Ok(())
    }
}
