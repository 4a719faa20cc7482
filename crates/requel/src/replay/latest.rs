//! [`LatestReplay`], no replay: only the latest transitions.

use super::{RecordLayout, ReplayBuffer};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Element, Stored, Transition};

/// The latest transition of each environment, in the order they came: what the naive agent learns from.
pub struct LatestReplay {
    layout: RecordLayout,
    capacity: usize,
    records: Vec<u32>,
    pushed: usize,
}

impl LatestReplay {
    /// For the number of transitions in one step, one per environment.
    ///
    /// # Panics
    /// If there is no environment, or observations have no numbers.
    pub fn new(num_envs: usize, layout: RecordLayout) -> Self {
        assert!(num_envs > 0, "the latest transitions of no environment");
        assert!(layout.observation_len() > 0, "observations of 0 numbers cannot be stored");
        LatestReplay { layout, capacity: num_envs, records: vec![0; num_envs * layout.words()], pushed: 0 }
    }
}

impl Stored for LatestReplay {
    #[inline(always)]
    fn read_row<T: Element>(&self, index: u32, observation: &mut [T], next_observation: &mut [T]) -> (u32, f32, f32) {
        let words = self.layout.words();
        let record = &self.records[index as usize * words..][..words];
        self.layout.decode(record, observation, next_observation)
    }
}

impl ReplayBuffer for LatestReplay {
    fn push(&mut self, transition: &Transition<'_>) {
        self.layout.assert_fits(transition);
        let words = self.layout.words();
        self.records.copy_within(words.., 0);
        let last = (self.capacity - 1) * words;
        self.layout.encode(transition, &mut self.records[last..]);
        self.pushed = self.capacity.min(self.pushed + 1);
    }

    fn len(&self) -> usize {
        self.pushed
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        let rows = batch.rows();
        assert!(rows <= self.pushed, "{rows} transitions drawn where {} came", self.pushed);
        let words = self.layout.words();
        batch.assert_room(self.layout.observation_len());
        batch.indices.iter_mut().zip(self.capacity - rows..).for_each(|(to, index)| *to = index as u32);
        batch.read(self.layout.observation_len(), self);
        let records = self.records[(self.capacity - rows) * words..].chunks_exact(words);
        let masks = records.map(|record| self.layout.masks_of(record));
        self.layout.masks().read(masks, batch.masks, batch.next_masks);
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put_u32("replay/records", vec![self.capacity, self.layout.words()], &self.records);
        state.put("replay/len", self.pushed);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let pushed: usize = state.read("replay/len")?;
        if pushed > self.capacity {
            return Err(StateError::new("replay/len", format!("is {pushed}, above {}", self.capacity)));
        }
        state.read_u32("replay/records", &mut self.records)?;
        self.pushed = pushed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transition::Batch;

    #[test]
    fn gives_what_came_last_in_order() {
        let mut latest = LatestReplay::new(2, RecordLayout::f32(1));
        for id in 0..5u32 {
            let (observation, next_observation) = (&[id as f32], &[id as f32 + 0.5]);
            latest.push(&Transition {
                observation,
                mask: None,
                action: id,
                reward: 0.0,
                discount: 0.9,
                next_observation,
                next_mask: None,
            });
        }
        let (mut batch, mut observations, mut next) = (Batch::new(2), [0.0; 2], [0.0; 2]);
        latest.sample(&mut batch.with_observations(&mut observations, &mut next));
        assert_eq!(batch.actions, [3, 4]);
        assert_eq!((observations, next), ([3.0, 4.0], [3.5, 4.5]));
    }

    #[test]
    fn masks_come_back() {
        let mut latest = LatestReplay::new(2, RecordLayout::f32(1).with_mask(3));
        for (mask, next_mask) in
            [(None, None), (Some(&[false, true, true][..]), Some(&[true, true, false][..])), (None, None)]
        {
            latest.push(&Transition {
                observation: &[0.0],
                mask,
                action: 0,
                reward: 0.0,
                discount: 0.9,
                next_observation: &[1.0],
                next_mask,
            });
        }
        let (mut batch, mut observations, mut next) = (Batch::new(2).with_masks(3), [0.0; 2], [0.0; 2]);
        latest.sample(&mut batch.with_observations(&mut observations, &mut next));
        assert_eq!((batch.masks, batch.next_masks), (vec![0b110, u32::MAX], vec![0b011, u32::MAX]));
        assert_eq!((observations, next), ([0.0; 2], [1.0; 2]));
    }
}
