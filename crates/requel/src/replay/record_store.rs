//! [`RecordStore`], transitions kept whole.

use super::ring::Ring;
use super::{RecordLayout, ReplayError, ReplayStore};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Element, ObservationsMut, Transition};

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

    /// Reads the observations at these indices, and gives action, reward and discount of each row to `write`.
    fn read_rows<T: Element>(
        &self,
        indices: &[u32],
        (observations, next_observations): (&mut [T], &mut [T]),
        mut write: impl FnMut(usize, (u32, f32, f32)),
    ) {
        let len = self.layout.observation_len();
        let rows = observations.chunks_exact_mut(len).zip(next_observations.chunks_exact_mut(len));
        for (row, (observation, next)) in rows.enumerate() {
            let record = self.ring.record(indices[row] as usize);
            write(row, self.layout.decode(record, observation, next));
        }
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
        batch.assert_fits(self.layout.observation_len(), self.ring.len());
        self.ring.fetch(batch.indices);
        let write = |row: usize, (action, reward, discount)| {
            (batch.actions[row], batch.rewards[row], batch.discounts[row]) = (action, reward, discount);
        };
        match &mut batch.observations {
            ObservationsMut::F32 { observations, next_observations } => {
                self.read_rows(batch.indices, (observations, next_observations), write);
            }
            ObservationsMut::U8 { observations, next_observations } => {
                self.read_rows(batch.indices, (observations, next_observations), write);
            }
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
