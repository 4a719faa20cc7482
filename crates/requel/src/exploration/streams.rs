//! A random stream for each environment.

use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};

const POSITIONS: &str = "agent/exploration_positions";

/// The random streams of an explorer, by environment.
#[derive(Clone, Debug)]
pub(super) struct ExplorationStreams(Vec<StreamRng>);

impl ExplorationStreams {
    pub fn new(seed: u64, num_envs: usize) -> Self {
        ExplorationStreams(
            (0..num_envs as u32).map(|slot| StreamRng::new(seed, Stream::Exploration { slot })).collect(),
        )
    }

    /// The stream of one environment.
    ///
    /// # Panics
    /// If there is no such environment.
    pub fn of(&mut self, slot: usize) -> &mut StreamRng {
        assert!(slot < self.0.len(), "environment {slot} of {}", self.0.len());
        &mut self.0[slot]
    }

    pub fn save(&self, state: &mut State<'_>) {
        state.put(POSITIONS, self.0.iter().map(StreamRng::position).collect::<Vec<u64>>());
    }

    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let positions: Vec<u64> = state.read(POSITIONS)?;
        if positions.len() != self.0.len() {
            let reason = format!("has {} counters, not one per environment", positions.len());
            return Err(StateError::new(POSITIONS, reason));
        }
        for (stream, position) in self.0.iter_mut().zip(positions) {
            stream.set_position(position);
        }
        Ok(())
    }
}
