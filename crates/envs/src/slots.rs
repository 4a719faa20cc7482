//! [`Slots`], the environments of a vector in the form in which they are stepped.

use crate::divide::{Rows, SLOTS_WORTH_A_THREAD, divide};
use crate::{Action, BatchEnv, Env, EnvError, Scene, Step};

/// The environments of a vector: individually, or neighbours in batches.
pub(crate) enum Slots {
    Single(Vec<Box<dyn Env>>),
    Batch(Batch),
}

/// Batches of neighbouring slots.
pub(crate) struct Batch {
    /// Each of `part_len` slots, the last of at most that many.
    parts: Vec<Box<dyn BatchEnv>>,
    part_len: usize,
    count: usize,
}

impl Slots {
    /// The slots in their fastest form.
    pub fn of(envs: Vec<Box<dyn Env>>) -> Self {
        let count = envs.len();
        // A thread steps one part or several: the number of parts does not depend on the number of threads.
        let part_len = count.div_ceil((count / SLOTS_WORTH_A_THREAD).max(1));
        match envs.chunks(part_len).map(joined).collect() {
            Some(parts) => Slots::Batch(Batch { parts, part_len, count }),
            None => Slots::Single(envs),
        }
    }

    /// The slots of a batch, which is not divided.
    pub fn whole(batch: Box<dyn BatchEnv>) -> Self {
        let count = batch.slots();
        Slots::Batch(Batch { parts: vec![batch], part_len: count, count })
    }

    pub fn len(&self) -> usize {
        match self {
            Slots::Single(envs) => envs.len(),
            Slots::Batch(batch) => batch.count,
        }
    }

    pub fn scene(&self, slot: usize) -> Option<Scene> {
        match self {
            Slots::Single(envs) => envs[slot].scene(),
            Slots::Batch(batch) => {
                let (part, slot) = batch.part(slot);
                part.scene(slot)
            }
        }
    }

    pub fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        match self {
            Slots::Single(envs) => envs[slot].metrics(numbers),
            Slots::Batch(batch) => {
                let (part, slot) = batch.part(slot);
                part.metrics(slot, numbers);
            }
        }
    }

    pub fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        match self {
            Slots::Single(envs) => envs.get(slot)?.action_mask(),
            Slots::Batch(batch) if slot < batch.count => {
                let (part, slot) = batch.part(slot);
                part.action_mask(slot)
            }
            Slots::Batch(_) => None,
        }
    }

    /// Whether the last step of a slot only started its episode.
    pub fn began(&self, slot: usize) -> bool {
        match self {
            Slots::Single(_) => false,
            Slots::Batch(batch) => {
                let (part, slot) = batch.part(slot);
                part.began(slot)
            }
        }
    }

    pub fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        match self {
            Slots::Single(envs) => envs[slot].reset(seed, observation),
            Slots::Batch(batch) => {
                let (part, slot) = batch.part_mut(slot);
                part.reset(slot, seed, observation)
            }
        }
    }

    /// If several slots fail, the error is that of the first of them.
    pub fn step(
        &mut self,
        actions: &[usize],
        steps: &mut [Step],
        observations: &mut [f32],
        threads: usize,
    ) -> Result<(), EnvError> {
        let width = observations.len() / self.len();
        match self {
            Slots::Single(envs) => {
                let slots = Rows { actions, steps, observations, width, unit: 1 };
                divide(envs, slots, threads, &|env, actions, steps, observation| {
                    steps[0] = env.step(Action::Discrete(actions[0]), observation)?;
                    Ok(())
                })
            }
            Slots::Batch(batch) => {
                let slots = Rows { actions, steps, observations, width, unit: batch.part_len };
                divide(&mut batch.parts, slots, threads, &|part, actions, steps, observations| {
                    part.step(actions, steps, observations)
                })
            }
        }
    }

    pub fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        match self {
            Slots::Single(envs) => envs[slot].save(),
            Slots::Batch(batch) => {
                let (part, slot) = batch.part(slot);
                part.save(slot)
            }
        }
    }

    pub fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        match self {
            Slots::Single(envs) => envs[slot].restore(state),
            Slots::Batch(batch) => {
                let (part, slot) = batch.part_mut(slot);
                part.restore(slot, state)
            }
        }
    }
}

impl Batch {
    /// The batch that a slot belongs to, and its index there.
    fn part(&self, slot: usize) -> (&dyn BatchEnv, usize) {
        (self.parts[slot / self.part_len].as_ref(), slot % self.part_len)
    }

    fn part_mut(&mut self, slot: usize) -> (&mut dyn BatchEnv, usize) {
        (self.parts[slot / self.part_len].as_mut(), slot % self.part_len)
    }
}

/// The environments as one batch, if they support it and are all of one kind.
fn joined(envs: &[Box<dyn Env>]) -> Option<Box<dyn BatchEnv>> {
    let (first, rest) = envs.split_first()?;
    let mut batch = first.batch()?;
    rest.iter().all(|env| env.batch().is_some_and(|other| batch.join(other))).then_some(batch)
}
