//! [`RecordStore`], transitions kept whole.

use super::ring::Ring;
use super::{RecordLayout, ReplayError, ReplayStore};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// A ring of whole transitions, one record each: the fastest store, for observations that are not large.
pub struct RecordStore {
    layout: RecordLayout,
    ring: Ring,
}

impl RecordStore {
    /// An empty store of `capacity` transitions.
    ///
    /// # Errors
    /// If it is to store nothing, or the memory that it needs is not there; nothing is taken then.
    pub fn new(capacity: usize, layout: RecordLayout) -> Result<Self, ReplayError> {
        if layout.observation_len() == 0 {
            return Err(ReplayError::NoNumbers);
        }
        Ok(RecordStore { layout, ring: Ring::new(capacity, layout.words(), 0)? })
    }
}

impl ReplayStore for RecordStore {
    fn push(&mut self, transition: &Transition<'_>) -> u32 {
        self.layout.assert_fits(transition);
        let (index, record) = self.ring.push();
        self.layout.encode(transition, record);
        index as u32
    }

    fn len(&self) -> usize {
        self.ring.len()
    }

    fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    fn next_index(&self) -> usize {
        self.ring.next_index()
    }

    fn bytes(&self) -> u64 {
        self.ring.bytes()
    }

    fn read(&self, batch: &mut BatchMut<'_>) {
        let len = self.layout.observation_len();
        batch.assert_fits(len, self.ring.len());
        self.ring.fetch(batch.indices);
        let observations = batch.observations.chunks_exact_mut(len);
        let next_observations = batch.next_observations.chunks_exact_mut(len);
        for (row, (observation, next)) in observations.zip(next_observations).enumerate() {
            let record = self.ring.record(batch.indices[row] as usize);
            let (action, reward, discount) = self.layout.decode(record, observation, next);
            batch.actions[row] = action;
            batch.rewards[row] = reward;
            batch.discounts[row] = discount;
        }
        let masks = batch.indices.iter().map(|index| self.layout.masks_of(self.ring.record(*index as usize)));
        self.layout.masks().read(masks, batch.masks, batch.next_masks);
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.ring.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.ring.restore(state)
    }
}
