//! [`ReplayStore`], where transitions are kept, whatever they are drawn by.

use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// A ring of transitions, the oldest overwritten first.
pub trait ReplayStore: Send {
    /// Stores a transition, in place of the oldest one where the store is full, and says at which index it is.
    ///
    /// # Panics
    /// If an observation has another length than the store's, or a mask another than it has actions; nothing is stored then.
    fn push(&mut self, transition: &Transition<'_>) -> u32;

    /// How many transitions are stored: those at the indices below.
    fn len(&self) -> usize;

    /// Whether none is stored.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many transitions can be stored.
    fn capacity(&self) -> usize;

    /// At which index the next transition comes to be.
    fn next_index(&self) -> usize;

    /// The mean age of the transitions at these indices, in transitions stored since each.
    fn mean_age(&self, indices: &[u32]) -> Option<f64> {
        let (len, next) = (self.len(), self.next_index());
        // In a ring that is not full yet the next index is the length.
        let age = |index: &u32| (next + len - 1 - *index as usize) % len;
        (len > 0 && !indices.is_empty()).then(|| indices.iter().map(age).sum::<usize>() as f64 / indices.len() as f64)
    }

    /// Bytes that a full store takes.
    fn bytes(&self) -> u64;

    /// Writes the transitions at `batch.indices` into the batch: all columns but the probabilities.
    ///
    /// # Panics
    /// If there is no transition at an index, a column of the batch has another length than its rows need, or it has other room
    /// for masks than the store has masks.
    fn read(&self, batch: &mut BatchMut<'_>);

    /// Adds the complete state under `replay/`.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Takes over a state.
    ///
    /// # Errors
    /// If it is no state of a store like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
