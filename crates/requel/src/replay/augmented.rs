//! [`AugmentedReplay`]: a buffer whose batches are changed before they are learned from; [`Augmentation`]: what changes them.

use super::ReplayBuffer;
use crate::state::{State, StateError};
use crate::transition::{BatchMut, ObservationsMut, Transition};

/// Changes what batches contain, so that a network never sees a picture twice.
///
/// Everything that its draws depend on is saved: resumed training continues with the same bits.
pub trait Augmentation: Send {
    /// Changes the observations and the next observations of a batch in place; they are the stored ones at first.
    fn augment(&mut self, observations: &mut ObservationsMut<'_>);

    /// Adds its state to a checkpoint, under `replay/`.
    fn save(&self, state: &mut State<'_>);

    /// Restores that state.
    ///
    /// # Errors
    /// If the state is not that of an augmentation like this one.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}

/// A replay buffer whose batches are changed by an augmentation. The stored transitions stay unchanged.
pub struct AugmentedReplay {
    replay: Box<dyn ReplayBuffer>,
    augmentation: Box<dyn Augmentation>,
}

impl AugmentedReplay {
    /// Batches of `replay`, changed by `augmentation`.
    pub fn new(replay: Box<dyn ReplayBuffer>, augmentation: Box<dyn Augmentation>) -> Self {
        AugmentedReplay { replay, augmentation }
    }
}

impl ReplayBuffer for AugmentedReplay {
    fn push(&mut self, transition: &Transition<'_>) {
        self.replay.push(transition);
    }

    fn len(&self) -> usize {
        self.replay.len()
    }

    fn capacity(&self) -> usize {
        self.replay.capacity()
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        self.replay.sample(batch);
        self.augmentation.augment(&mut batch.observations);
    }

    fn update_priorities(&mut self, indices: &[u32], td_errors: &[f32]) {
        self.replay.update_priorities(indices, td_errors);
    }

    fn gives_probabilities(&self) -> bool {
        self.replay.gives_probabilities()
    }

    fn mean_age(&self, indices: &[u32]) -> Option<f64> {
        self.replay.mean_age(indices)
    }

    fn read(&self, batch: &mut BatchMut<'_>) -> bool {
        self.replay.read(batch)
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.replay.save(state);
        self.augmentation.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.replay.restore(state)?;
        self.augmentation.restore(state)
    }
}
