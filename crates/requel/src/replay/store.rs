//! [`ReplayStore`], which stores transitions, independently of how they are drawn.

use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// A ring of transitions that overwrites the oldest first.
pub trait ReplayStore: Send {
    /// Stores a transition, replacing the oldest one if the store is full, and returns its index.
    ///
    /// # Panics
    /// If the length of an observation or of a mask does not match the store's; nothing is stored then.
    fn push(&mut self, transition: &Transition<'_>) -> u32;

    /// How many transitions are stored: those at the indices below.
    fn len(&self) -> usize;

    /// Whether none is stored.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many transitions can be stored.
    fn capacity(&self) -> usize;

    /// The index that the next transition will have.
    fn next_index(&self) -> usize;

    /// The mean age of the transitions at these indices, in transitions stored since each.
    fn mean_age(&self, indices: &[u32]) -> Option<f64> {
        let (len, next) = (self.len(), self.next_index());
        // While the ring is not full, the next index is the length.
        let age = |index: &u32| (next + len - 1 - *index as usize) % len;
        (len > 0 && !indices.is_empty()).then(|| indices.iter().map(age).sum::<usize>() as f64 / indices.len() as f64)
    }

    /// Bytes that a full store takes.
    fn bytes(&self) -> u64;

    /// Writes the transitions at `batch.indices` into the batch: all columns except the probabilities.
    ///
    /// # Panics
    /// If there is no transition at an index, the length of a column does not match the number of rows, or its room for masks does not
    /// match the store's masks.
    fn read(&self, batch: &mut BatchMut<'_>);

    /// Adds the complete state under `replay/`.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Restores a state.
    ///
    /// # Errors
    /// If the state is not that of a store like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
