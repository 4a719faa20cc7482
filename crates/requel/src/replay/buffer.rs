//! [`ReplayBuffer`], the interface of every kind of replay.

use thiserror::Error;

use crate::memory::Memory;
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// A store of transitions that batches are drawn from.
pub trait ReplayBuffer: Send {
    /// Stores a transition, replacing the oldest one if the buffer is full.
    ///
    /// # Panics
    /// If the length of an observation or of a mask does not match the buffer's.
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
    /// If the buffer holds too few transitions (the caller waits until it holds enough), or the length of a column of the batch does not
    /// match its number of rows.
    fn sample(&mut self, batch: &mut BatchMut<'_>);

    /// Sets the TD errors of drawn transitions, by which a prioritized buffer samples. `indices` are those of the batch; if one occurs
    /// twice, the last error counts. Other buffers ignore this.
    fn update_priorities(&mut self, _indices: &[u32], _td_errors: &[f32]) {}

    /// Whether [`sample`](Self::sample) writes the probability with which each transition was drawn, above 0, as importance weights need.
    fn gives_probabilities(&self) -> bool {
        false
    }

    /// The mean age of the transitions at these indices, in transitions stored since each; `None` if ages are unknown.
    fn mean_age(&self, _indices: &[u32]) -> Option<f64> {
        None
    }

    /// Writes the transitions at `batch.indices` into the batch (all columns except the probabilities) and changes nothing. `false` if this
    /// kind of buffer cannot be inspected.
    fn read(&self, _batch: &mut BatchMut<'_>) -> bool {
        false
    }

    /// Adds the complete state under `replay/`. A large buffer keeps its transitions in [`SharedRows`](crate::state::SharedRows) and adds
    /// them with [`State::put_rows`], so that training does not wait for a checkpoint.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Restores a state.
    ///
    /// # Errors
    /// If the state is not that of a buffer like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}

/// Why a replay buffer cannot be created.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ReplayError {
    /// The capacity does not fit into this machine's memory.
    #[error(
        "a replay buffer of {capacity} transitions needs {}, but only {} of memory are available: {largest} \
         transitions would fit",
        crate::memory::display_bytes(*needed), crate::memory::display_bytes(*available)
    )]
    OutOfMemory {
        /// Transitions requested.
        capacity: usize,
        /// Bytes that they need.
        needed: u64,
        /// Bytes available.
        available: u64,
        /// The largest capacity that would fit.
        largest: usize,
    },
    /// A capacity beyond the address space.
    #[error("a replay buffer of {capacity} transitions does not fit the address space")]
    TooLarge {
        /// Transitions requested.
        capacity: usize,
    },
    /// A capacity of 0.
    #[error("a replay buffer of 0 transitions: it needs room for at least 1")]
    NoRoom,
    /// Observations, or frames, without numbers.
    #[error("observations of 0 numbers cannot be stored")]
    NoNumbers,
    /// A prioritized buffer must start empty, because priorities are recorded from the first transition on.
    #[error("a store that already holds {len} transitions, whose priorities are unknown: it must be empty")]
    NotEmpty {
        /// Transitions in it.
        len: usize,
    },
    /// An invalid discount.
    #[error("a discount of {gamma} per step: it must be from 0 to 1")]
    Discount {
        /// The discount γ.
        gamma: f64,
    },
    /// An augmentation for images, with observations that are not images.
    #[error(
        "observations are {found}, but only images can be shifted: bytes with a height and a width, with or without channels"
    )]
    NoPictures {
        /// What they are.
        found: String,
    },
    /// Transitions of 0 steps.
    #[error("a transition of 0 steps: n-step returns need at least 1 step")]
    NoSteps,
    /// An exponent, constant or cap that gives no valid priorities.
    #[error(
        "priorities (min(|TD error|, {cap}) + {epsilon})^{alpha}: the exponent must be from 0 to 1, what is added above 0, at most \
         1e30, and the cap above 0"
    )]
    Priority {
        /// The exponent α.
        alpha: f64,
        /// The constant ε.
        epsilon: f64,
        /// The cap on errors.
        cap: f64,
    },
}

/// Refuses `capacity` transitions that need this many bytes in all if that much memory is not available. The stores themselves refuse only
/// what no machine could hold: their creator knows how much memory may be used.
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

/// Refuses `capacity` transitions whose total size exceeds the address space.
pub(super) fn check_size(capacity: usize, needed: u64) -> Result<(), ReplayError> {
    /// The address space of a process on a 64-bit machine.
    const ADDRESSABLE: u64 = 1 << 47;
    // Indices are 32 bits wide.
    if u32::try_from(capacity).is_err() || needed > ADDRESSABLE.min(isize::MAX as u64) {
        return Err(ReplayError::TooLarge { capacity });
    }
    Ok(())
}
