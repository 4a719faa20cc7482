//! [`ReplayBuffer`], what every kind of replay can do.

use thiserror::Error;

use crate::memory::Memory;
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// A store of transitions that batches are drawn from.
pub trait ReplayBuffer: Send {
    /// Stores a transition, in place of the oldest one where the buffer is full.
    ///
    /// # Panics
    /// If an observation has another length than the buffer's, or a mask another than it has actions.
    fn push(&mut self, transition: &Transition<'_>);

    /// How many transitions are stored.
    fn len(&self) -> usize;

    /// Whether none is stored.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many transitions can be stored.
    fn capacity(&self) -> usize;

    /// Draws as many transitions as `batch` has rows.
    ///
    /// # Panics
    /// If the buffer holds too few of them (a caller waits until it holds enough), or a column of the batch has another length
    /// than its rows need.
    fn sample(&mut self, batch: &mut BatchMut<'_>);

    /// Takes note of how large the TD errors of drawn transitions are, which is what a prioritized buffer draws by.
    /// `indices` are those of the batch; of one that is there twice the last error counts. Others pay no heed.
    fn update_priorities(&mut self, _indices: &[u32], _td_errors: &[f32]) {}

    /// Whether [`sample`](Self::sample) writes the probability that each transition was drawn with, above 0, as importance weights need.
    fn gives_probabilities(&self) -> bool {
        false
    }

    /// The mean age of the transitions at these indices, in transitions stored since each; `None` where ages are not known.
    fn mean_age(&self, _indices: &[u32]) -> Option<f64> {
        None
    }

    /// Writes the transitions at `batch.indices` into the batch, all columns but the probabilities, and changes nothing. `false`
    /// where this kind of buffer cannot be looked into.
    fn read(&self, _batch: &mut BatchMut<'_>) -> bool {
        false
    }

    /// Adds the complete state under `replay/`. A large buffer keeps its transitions in [`SharedRows`](crate::state::SharedRows) and
    /// adds them by [`State::put_rows`]: then training does not wait for a checkpoint.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Takes over a state.
    ///
    /// # Errors
    /// If it is no state of a buffer like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}

/// Why a replay buffer cannot be made.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ReplayError {
    /// The capacity does not fit this machine's memory.
    #[error(
        "a replay buffer of {capacity} transitions needs {} and {} of memory are available: {largest} transitions would fit",
        crate::memory::display_bytes(*needed), crate::memory::display_bytes(*available)
    )]
    OutOfMemory {
        /// Transitions asked for.
        capacity: usize,
        /// Bytes that they need.
        needed: u64,
        /// Bytes that there are.
        available: u64,
        /// The largest capacity that would fit.
        largest: usize,
    },
    /// A capacity that no address can reach.
    #[error("a replay buffer of {capacity} transitions does not fit the address space")]
    TooLarge {
        /// Transitions asked for.
        capacity: usize,
    },
    /// Room for nothing.
    #[error("a replay buffer of 0 transitions: it needs room for at least 1")]
    NoRoom,
    /// Observations, or frames of them, that are nothing.
    #[error("observations of 0 numbers cannot be stored")]
    NoNumbers,
    /// A buffer that is drawn from by priorities has some from its first transition on.
    #[error("a store of {len} transitions, of which no priority is known: it must be empty")]
    NotEmpty {
        /// Transitions in it.
        len: usize,
    },
    /// A discount that makes no return.
    #[error("a discount of {gamma} per step: it must be from 0 to 1")]
    Discount {
        /// The discount γ.
        gamma: f64,
    },
    /// An augmentation of pictures, and observations that are none.
    #[error(
        "observations are {found}, and only pictures can be shifted: bytes with a height and a width, with or without channels"
    )]
    NoPictures {
        /// What they are.
        found: String,
    },
    /// Transitions of no steps.
    #[error("a transition of 0 steps: n-step returns need at least 1 step")]
    NoSteps,
    /// An exponent, an addend or a cap by which no priorities can be made.
    #[error(
        "priorities (min(|TD error|, {cap}) + {epsilon})^{alpha}: the exponent must be from 0 to 1, what is added above 0, at most \
         1e30, and the cap above 0"
    )]
    Priority {
        /// The exponent α.
        alpha: f64,
        /// The addend ε.
        epsilon: f64,
        /// The largest error that counts as it is.
        cap: f64,
    },
}

/// Refuses `capacity` transitions that need so many bytes in all where those are not there. The stores themselves refuse only what
/// no machine could hold: whoever makes one knows which memory it may take.
///
/// # Errors
/// [`ReplayError::TooLarge`] or [`ReplayError::OutOfMemory`].
pub fn check_memory(capacity: usize, needed: u64, memory: Memory) -> Result<(), ReplayError> {
    check_size(capacity, needed)?;
    match memory.short_of(needed) {
        Some(available) => {
            let largest = (u128::from(available) * capacity as u128 / u128::from(needed)) as usize;
            Err(ReplayError::OutOfMemory { capacity, needed, available, largest })
        }
        None => Ok(()),
    }
}

/// Refuses `capacity` transitions, of so many bytes in all, that no address can reach.
pub(super) fn check_size(capacity: usize, needed: u64) -> Result<(), ReplayError> {
    /// What a process of a 64-bit machine can address.
    const ADDRESSABLE: u64 = 1 << 47;
    // Indices are 32 bits wide.
    if u32::try_from(capacity).is_err() || needed > ADDRESSABLE.min(isize::MAX as u64) {
        return Err(ReplayError::TooLarge { capacity });
    }
    Ok(())
}
