//! An [`AgentLoop`] that learns from blocks collected elsewhere.

use super::{AgentLoop, check};
use crate::schedule::crossings;
use crate::train::blocks::{Admission, Block, Intake};
use crate::train::{Observer, TrainError};

impl AgentLoop {
    /// Passes a block to the agent, unless it was passed before or is too old. Updates that become due are made by [`AgentLoop::learn`].
    ///
    /// # Errors
    /// As [`AgentLoop::observe`], at the first step that is refused: the agent has seen those before it.
    pub fn ingest(&mut self, block: &Block, observer: &mut dyn Observer) -> Result<Admission, TrainError> {
        let behind = self.updates.saturating_sub(block.weights_version());
        let admission = self.intake.admit(block.id(), behind, self.most_behind);
        match admission {
            Admission::Follows => {}
            Admission::Begins => block.slots().for_each(|slot| self.interrupt(slot)),
            Admission::Duplicate | Admission::Late | Admission::Stale => return Ok(admission),
        }
        block.for_each(|_, experience| self.observe(experience, observer))?;
        Ok(admission)
    }

    /// Passes blocks with the same number of steps of all environments to the agent, step by step and in the order of the slots, and makes
    /// the updates that are due after each step. This gives the same weights as a single process. Returns how many updates were made.
    ///
    /// # Errors
    /// If the blocks do not cover all environments, have different numbers of steps, or are not each the next of their collector; if an
    /// update was due before the last step, whose action would then have been different (see [`AgentLoop::steps_to_update`]); otherwise as
    /// for [`AgentLoop::observe`] and [`AgentLoop::learn`].
    pub fn ingest_in_step(&mut self, blocks: &mut [Block], observer: &mut dyn Observer) -> Result<u64, TrainError> {
        blocks.sort_by_key(|block| block.slots().start);
        let steps = blocks.first().map_or(0, Block::steps);
        let mut next = 0;
        for block in &*blocks {
            let slots = block.slots();
            check(slots.start == next && block.steps() == steps, || {
                format!(
                    "lock-step blocks must cover all environments for the same number of steps: {slots:?} × \
                         {}",
                    block.steps()
                )
            })?;
            next = slots.end;
        }
        let envs = self.plan.train.num_envs;
        check(next == envs, || format!("lock-step blocks cover {next} environments, but there are {envs}"))?;
        for block in &*blocks {
            let admission = self.intake.admit(block.id(), 0, None);
            let is_next = matches!(admission, Admission::Follows | Admission::Begins);
            check(is_next, || format!("block {:?} is {admission:?}, which is impossible in lock-step", block.id()))?;
        }
        let mut read: Vec<_> = blocks.iter().map(|block| block.to_batch().experiences.into_iter()).collect();
        let mut updates = 0;
        for step in 0..steps {
            check(updates == 0, || format!("an update was due {} steps before the end of a block", steps - step))?;
            for (block, experiences) in blocks.iter().zip(&mut read) {
                for owned in experiences.by_ref().take(block.slots().len()) {
                    self.observe(&owned.as_experience(), observer)?;
                }
            }
            updates += self.learn(observer)?;
        }
        Ok(updates)
    }

    /// The number of steps of all environments until learning is next due, at most `most`: until then the weights do not change.
    pub fn steps_to_update(&self, most: usize) -> usize {
        let (every, envs, now) = (self.plan.train.every_steps, self.plan.train.num_envs as u64, self.env_steps);
        (1..most).find(|steps| crossings(every, now, now + *steps as u64 * envs) > 0).unwrap_or(most.max(1))
    }

    /// Which blocks were accepted, and which were not.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Learns nothing from blocks whose weights are more updates behind than this; `None`: learns from all.
    pub fn set_most_behind(&mut self, updates: Option<u64>) {
        self.most_behind = updates;
    }
}
