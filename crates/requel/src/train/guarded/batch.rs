//! [`GuardedBatch`], a guarded batch of environments that are stepped at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use requel_envs::{BatchEnv, Env, EnvError, Scene, Step};

use super::fuse::Fuse;
use super::watch::Watch;

/// A guarded batch of environments like `like`.
///
/// # Errors
/// An invalid specification of `like`, and [`EnvError::Panicked`].
pub(in crate::train) fn guarded_batch(like: &dyn Env, batch: Box<dyn BatchEnv>) -> Result<Box<dyn BatchEnv>, EnvError> {
    Ok(Box::new(GuardedBatch::new(batch, &Watch::of(like)?)?))
}

/// A batch in which each slot is guarded as [`Guarded`](super::env) guards one environment.
pub(super) struct GuardedBatch {
    inner: Box<dyn BatchEnv>,
    /// By slot.
    watches: Vec<Watch>,
    /// One for all slots: after a panic, it is unknown which slots it left half done.
    fuse: Fuse,
}

impl GuardedBatch {
    /// For a batch whose slots are all like the environment that `watch` is for.
    ///
    /// # Errors
    /// [`EnvError::Panicked`] if it cannot return its number of slots.
    pub(super) fn new(inner: Box<dyn BatchEnv>, watch: &Watch) -> Result<Self, EnvError> {
        let fuse = Fuse::new(watch.id().into());
        let slots = fuse.look("slots", || Ok(inner.slots()))?;
        Ok(GuardedBatch { inner, watches: vec![watch.clone(); slots], fuse })
    }

    /// Reads the mask of a slot.
    fn read_mask(&mut self, slot: usize) -> Result<(), EnvError> {
        let GuardedBatch { inner, watches, fuse } = self;
        fuse.call("action_mask", || {
            watches[slot].take_mask(inner.action_mask(slot));
            Ok(())
        })
    }
}

impl BatchEnv for GuardedBatch {
    fn slots(&self) -> usize {
        self.watches.len()
    }

    fn join(&mut self, other: Box<dyn BatchEnv>) -> bool {
        let Ok(other) = (other as Box<dyn Any>).downcast::<Self>() else { return false };
        let GuardedBatch { inner, watches, .. } = *other;
        let joined = catch_unwind(AssertUnwindSafe(|| self.inner.join(inner))).unwrap_or(false);
        if joined {
            self.watches.extend(watches);
        }
        joined
    }

    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        let GuardedBatch { inner, watches, fuse } = self;
        watches[slot]
            .reset(seed, observation, |observation| fuse.call("reset", || inner.reset(slot, seed, observation)))?;
        self.read_mask(slot)?;
        self.watches[slot].check_mask(false)
    }

    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        Watch::clear(observations);
        self.fuse.call("step", || self.inner.step(actions, steps, observations))?;
        let width = observations.len() / self.watches.len();
        for (slot, step) in steps.iter().enumerate() {
            self.watches[slot].check_observation(&observations[slot * width..][..width])?;
            self.read_mask(slot)?;
            self.watches[slot].check_mask(step.ended())?;
            let GuardedBatch { inner, watches, fuse } = self;
            fuse.metrics(&mut watches[slot], |numbers| inner.metrics(slot, numbers))?;
        }
        Ok(())
    }

    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.watches[slot].mask()
    }

    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        numbers.copy_from_slice(self.watches[slot].metrics());
    }

    fn began(&self, slot: usize) -> bool {
        self.fuse.look("began", || Ok(self.inner.began(slot))).unwrap_or(false)
    }

    fn scene(&self, slot: usize) -> Option<Scene> {
        self.fuse.scene(|| self.inner.scene(slot))
    }

    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        self.fuse.look("save", || self.inner.save(slot))
    }

    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        self.fuse.call("restore", || self.inner.restore(slot, state))?;
        self.read_mask(slot)
    }
}
