//! [`GuardedBatch`], environments that are stepped at once and watched over.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use requel_envs::{BatchEnv, EnvError, Scene, Step};

use super::fuse::Fuse;
use super::watch::Watch;

/// A batch each of whose slots is watched over as [`Guarded`](super::env) watches over one environment.
pub(super) struct GuardedBatch {
    inner: Box<dyn BatchEnv>,
    /// By slot.
    watches: Vec<Watch>,
    /// One for all: of a panic nobody knows which slots it left half done.
    fuse: Fuse,
}

impl GuardedBatch {
    /// For a batch of one slot.
    pub(super) fn new(inner: Box<dyn BatchEnv>, watch: Watch) -> Self {
        let fuse = Fuse::new(watch.id().into());
        GuardedBatch { inner, watches: vec![watch], fuse }
    }

    /// Asks for the mask of a slot.
    fn read_mask(&mut self, slot: usize) -> Result<(), EnvError> {
        let GuardedBatch { inner, watches, fuse } = self;
        fuse.call("action_mask", || {
            watches[slot].take_mask(inner.action_mask(slot));
            Ok(())
        })
    }
}

impl BatchEnv for GuardedBatch {
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
        }
        Ok(())
    }

    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.watches[slot].mask()
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
