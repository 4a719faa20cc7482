//! An [`AgentLoop`] that learns from blocks which others collect.

use super::{AgentLoop, check};
use crate::schedule::crossings;
use crate::train::blocks::{Admission, Block, Intake};
use crate::train::{Observer, TrainError};

impl AgentLoop {
    /// Shows the agent a block, unless it was shown before, or comes too late. Updates that come due are left to
    /// [`AgentLoop::learn`].
    ///
    /// # Errors
    /// As [`AgentLoop::observe`], at the first step that is refused: those before it have been shown.
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

    /// Shows the agent blocks of as many steps of all its environments, step after step and in the order of the slots, and learns what
    /// is due after each step. That comes to the weights of one process. Says how many updates were made.
    ///
    /// # Errors
    /// If the blocks are not of all environments, of as many steps, and each the next of its collector; if an update came before the
    /// last step, whose action would have been another then (see [`AgentLoop::steps_to_update`]); else as [`AgentLoop::observe`] and
    /// [`AgentLoop::learn`].
    pub fn ingest_in_step(&mut self, blocks: &mut [Block], observer: &mut dyn Observer) -> Result<u64, TrainError> {
        blocks.sort_by_key(|block| block.slots().start);
        let steps = blocks.first().map_or(0, Block::steps);
        let mut next = 0;
        for block in &*blocks {
            let slots = block.slots();
            check(slots.start == next && block.steps() == steps, || {
                format!("blocks in step are of all environments and as many steps: {slots:?} × {}", block.steps())
            })?;
            next = slots.end;
        }
        let envs = self.plan.train.num_envs;
        check(next == envs, || format!("blocks in step are of {next} environments, and there are {envs}"))?;
        for block in &*blocks {
            let admission = self.intake.admit(block.id(), 0, None);
            let is_next = matches!(admission, Admission::Follows | Admission::Begins);
            check(is_next, || format!("block {:?} is {admission:?}, which in step cannot be", block.id()))?;
        }
        let mut read: Vec<_> = blocks.iter().map(|block| block.to_batch().experiences.into_iter()).collect();
        let mut updates = 0;
        for step in 0..steps {
            check(updates == 0, || format!("an update came due {} steps before the end of a block", steps - step))?;
            for (block, experiences) in blocks.iter().zip(&mut read) {
                for owned in experiences.by_ref().take(block.slots().len()) {
                    self.observe(&owned.as_experience(), observer)?;
                }
            }
            updates += self.learn(observer)?;
        }
        Ok(updates)
    }

    /// After how many steps of all its environments learning comes due next, at most `most`: until then the weights stay as they are.
    pub fn steps_to_update(&self, most: usize) -> usize {
        let (every, envs, now) = (self.plan.train.every_steps, self.plan.train.num_envs as u64, self.env_steps);
        (1..most).find(|steps| crossings(every, now, now + *steps as u64 * envs) > 0).unwrap_or(most.max(1))
    }

    /// Which blocks were taken, and which were not.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Learns nothing from blocks whose weights are more updates behind than this; `None`: from all.
    pub fn set_most_behind(&mut self, updates: Option<u64>) {
        self.most_behind = updates;
    }
}
