//! [`RecordStore`], transitions stored whole.

use super::ring::Ring;
use super::{RecordLayout, ReplayError, ReplayStore};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Element, Stored, Transition};

/// A ring of whole transitions, one record each: the fastest store, for observations that are not large.
pub struct RecordStore {
    layout: RecordLayout,
    ring: Ring,
}

impl RecordStore {
    /// An empty store of `capacity` transitions.
    ///
    /// # Errors
    /// If the capacity is 0, or more than can be addressed.
    pub fn new(capacity: usize, layout: RecordLayout) -> Result<Self, ReplayError> {
        if layout.observation_len() == 0 {
            return Err(ReplayError::NoNumbers);
        }
        Ok(RecordStore { layout, ring: Ring::new(capacity, layout.words())? })
    }

    /// Bytes of memory that a full store of `capacity` transitions takes.
    pub fn bytes_needed(capacity: usize, layout: &RecordLayout) -> u64 {
        Ring::bytes_needed(capacity, layout.words())
    }
}

impl Stored for RecordStore {
    #[inline(always)]
    fn read_row<T: Element>(&self, index: u32, observation: &mut [T], next_observation: &mut [T]) -> (u32, f32, f32) {
        self.layout.decode(self.ring.record(index as usize), observation, next_observation)
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
        batch.read(self.layout.observation_len(), self);
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
