//! [`UniformReplay`], a ring from which every transition is drawn with the same probability (Lin 1992; Mnih et al. 2015).

use super::{RecordLayout, RecordStore, ReplayBuffer, ReplayError, ReplayStore};
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// Whether a transition can be in a batch twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Each transition at most once per batch.
    WithoutReplacement,
    /// Each row is drawn independently.
    WithReplacement,
}

/// A ring of transitions, the oldest overwritten first, sampled uniformly.
///
/// ```
/// use requel::replay::{RecordLayout, ReplayBuffer, Sampling, UniformReplay};
/// use requel::{Batch, Transition};
///
/// let mut replay = UniformReplay::new(3, RecordLayout::f32(1), Sampling::WithoutReplacement, 0)?;
/// for step in 0..5 {
///     replay.push(&Transition {
///         observation: &[step as f32],
///         mask: None,
///         action: step,
///         reward: 1.0,
///         discount: 0.9,
///         next_observation: &[step as f32 + 1.0],
///         next_mask: None,
///     });
/// }
/// let (mut batch, mut observations, mut next) = (Batch::new(3), [0.0; 3], [0.0; 3]);
/// replay.sample(&mut batch.with_observations(&mut observations, &mut next));
/// batch.actions.sort();
/// assert_eq!(batch.actions, [2, 3, 4]);
/// # Ok::<(), requel::replay::ReplayError>(())
/// ```
pub struct UniformReplay<S = RecordStore> {
    store: S,
    sampling: Sampling,
    rng: StreamRng,
    drawn: DrawnSet,
}

impl UniformReplay {
    /// An empty ring of `capacity` whole transitions, with draws seeded by `seed`.
    ///
    /// # Errors
    /// If the memory it needs is not available; nothing is allocated then.
    pub fn new(capacity: usize, layout: RecordLayout, sampling: Sampling, seed: u64) -> Result<Self, ReplayError> {
        Ok(Self::with_store(RecordStore::new(capacity, layout)?, sampling, seed))
    }
}

impl<S: ReplayStore> UniformReplay<S> {
    /// Draws from `store`, with draws seeded by `seed`.
    pub fn with_store(store: S, sampling: Sampling, seed: u64) -> Self {
        UniformReplay { store, sampling, rng: StreamRng::new(seed, Stream::Replay), drawn: DrawnSet::default() }
    }

    fn draw_indices(&mut self, indices: &mut [u32]) {
        let n = self.store.len() as u32;
        match self.sampling {
            Sampling::WithReplacement => indices.fill_with(|| self.rng.below(n)),
            Sampling::WithoutReplacement => {
                self.drawn.clear(indices.len());
                for index in indices {
                    *index = self.rng.below(n);
                    while !self.drawn.insert(*index) {
                        *index = self.rng.below(n);
                    }
                }
            }
        }
    }
}

impl<S: ReplayStore> ReplayBuffer for UniformReplay<S> {
    fn push(&mut self, transition: &Transition<'_>) {
        self.store.push(transition);
    }

    fn len(&self) -> usize {
        self.store.len()
    }

    fn capacity(&self) -> usize {
        self.store.capacity()
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        let (rows, len) = (batch.rows(), self.store.len());
        let enough = match self.sampling {
            Sampling::WithReplacement => len > 0,
            Sampling::WithoutReplacement => len >= rows,
        };
        assert!(enough, "{rows} transitions drawn from a buffer of {len}");
        self.draw_indices(batch.indices);
        self.store.read(batch);
    }

    fn mean_age(&self, indices: &[u32]) -> Option<f64> {
        self.store.mean_age(indices)
    }

    fn read(&self, batch: &mut BatchMut<'_>) -> bool {
        self.store.read(batch);
        true
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.store.save(state);
        state.put("replay/rng_position", self.rng.position());
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.store.restore(state)?;
        self.rng.set_position(state.read("replay/rng_position")?);
        Ok(())
    }
}

/// The indices already in a batch: open addressing, cleared by incrementing a stamp.
#[derive(Default)]
struct DrawnSet {
    slots: Vec<(u32, u32)>,
    stamp: u32,
}

impl DrawnSet {
    /// Empties the set and makes room for `items`.
    fn clear(&mut self, items: usize) {
        let wanted = (items * 4).next_power_of_two();
        if self.slots.len() < wanted || self.stamp == u32::MAX {
            self.slots.clear();
            self.slots.resize(wanted, (0, 0));
            self.stamp = 0;
        }
        self.stamp += 1;
    }

    /// Adds an index; `false` if it is already there.
    fn insert(&mut self, index: u32) -> bool {
        let mask = self.slots.len() - 1;
        // Fibonacci hashing: the golden ratio in 32 bits spreads neighbours apart.
        let mut slot = (index.wrapping_mul(0x9E37_79B9) >> 8) as usize & mask;
        loop {
            match self.slots[slot] {
                (stamp, found) if stamp == self.stamp && found == index => return false,
                (stamp, _) if stamp == self.stamp => slot = (slot + 1) & mask,
                _ => {
                    self.slots[slot] = (self.stamp, index);
                    return true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::memory::Memory;
    use crate::replay::check_memory;
    use crate::transition::Batch;

    fn transition<'a>(id: u32, observation: &'a [f32; 2], next: &'a [f32; 2]) -> Transition<'a> {
        let discount = if id.is_multiple_of(3) { 0.0 } else { 0.9 };
        let (mask, next_mask) = (None, None);
        Transition { observation, mask, action: id, reward: id as f32, discount, next_observation: next, next_mask }
    }

    fn push(replay: &mut UniformReplay, id: u32) {
        replay.push(&transition(id, &[id as f32, 0.5], &[id as f32, 1.5]));
    }

    fn draw(replay: &mut UniformReplay, rows: usize) -> (Batch, Vec<f32>, Vec<f32>) {
        let (mut batch, mut observations, mut next) = (Batch::new(rows), vec![0.0; rows * 2], vec![0.0; rows * 2]);
        replay.sample(&mut batch.with_observations(&mut observations, &mut next));
        (batch, observations, next)
    }

    proptest! {
        /// The ring against the obvious twin: a queue of ids whose front is thrown away.
        #[test]
        fn equals_a_queue(capacity in 1usize..20, pushes in 1u32..60, seed: u64) {
            let mut replay =
                UniformReplay::new(capacity, RecordLayout::f32(2), Sampling::WithoutReplacement, seed).unwrap();
            let mut twin = VecDeque::new();
            for id in 0..pushes {
                push(&mut replay, id);
                twin.push_back(id);
                if twin.len() > capacity {
                    twin.pop_front();
                }
            }
            prop_assert_eq!(replay.len(), twin.len());
            // A batch as large as the buffer, without replacement, is all of it.
            let (batch, observations, next) = draw(&mut replay, twin.len());
            let mut ids = batch.actions.clone();
            ids.sort_unstable();
            prop_assert_eq!(ids, Vec::from(twin));
            for (row, id) in batch.actions.iter().enumerate() {
                prop_assert_eq!(&observations[row * 2..][..2], &[*id as f32, 0.5]);
                prop_assert_eq!(&next[row * 2..][..2], &[*id as f32, 1.5]);
                prop_assert_eq!(batch.rewards[row], *id as f32);
                prop_assert_eq!(batch.discounts[row], if id % 3 == 0 { 0.0 } else { 0.9 });
            }
        }

        #[test]
        fn never_repeats_within_a_batch(len in 32u32..200, seed: u64) {
            let mut replay = UniformReplay::new(200, RecordLayout::f32(2), Sampling::WithoutReplacement, seed).unwrap();
            (0..len).for_each(|id| push(&mut replay, id));
            for _ in 0..20 {
                let (batch, ..) = draw(&mut replay, 32);
                let mut indices = batch.indices.clone();
                indices.sort_unstable();
                indices.dedup();
                prop_assert_eq!(indices.len(), 32);
            }
        }

        #[test]
        fn restored_draws_the_same(capacity in 8usize..40, pushes in 8u32..100, seed: u64) {
            let new = || UniformReplay::new(capacity, RecordLayout::f32(2), Sampling::WithoutReplacement, seed).unwrap();
            let mut replay = new();
            (0..pushes).for_each(|id| push(&mut replay, id));
            draw(&mut replay, 8);
            let mut twin = new();
            let mut state = State::default();
            replay.save(&mut state);
            twin.restore(&state).unwrap();
            for id in 0..50 {
                push(&mut replay, id);
                push(&mut twin, id);
                prop_assert_eq!(draw(&mut replay, 8), draw(&mut twin, 8));
            }
        }
    }

    #[test]
    fn ages_are_counted_in_transitions() {
        let mut replay = UniformReplay::new(4, RecordLayout::f32(2), Sampling::WithReplacement, 0).unwrap();
        assert_eq!(replay.mean_age(&[]), None);
        (0..3).for_each(|id| push(&mut replay, id));
        assert_eq!([0, 1, 2].map(|index| replay.mean_age(&[index])), [2.0, 1.0, 0.0].map(Some));
        (3..6).for_each(|id| push(&mut replay, id));
        // 4 and 5 lie where 0 and 1 lay.
        assert_eq!([0, 1, 2, 3].map(|index| replay.mean_age(&[index])), [1.0, 0.0, 3.0, 2.0].map(Some));
        assert_eq!(replay.mean_age(&[2, 3, 3]), Some(7.0 / 3.0));
    }

    #[test]
    fn what_is_read_is_what_lies_there() {
        let mut replay = UniformReplay::new(4, RecordLayout::f32(2), Sampling::WithReplacement, 0).unwrap();
        (0..6).for_each(|id| push(&mut replay, id));
        let (mut batch, mut observations, mut next) = (Batch::new(2), [0.0; 4], [0.0; 4]);
        batch.indices = vec![3, 0];
        assert!(replay.read(&mut batch.with_observations(&mut observations, &mut next)));
        assert_eq!((batch.actions, observations), (vec![3, 4], [3.0, 0.5, 4.0, 0.5]));
    }

    #[test]
    fn draws_uniformly() {
        for sampling in [Sampling::WithReplacement, Sampling::WithoutReplacement] {
            let mut replay = UniformReplay::new(50, RecordLayout::f32(2), sampling, 0).unwrap();
            (0..50).for_each(|id| push(&mut replay, id));
            let mut counts = [0.0f64; 50];
            for _ in 0..10_000 {
                draw(&mut replay, 10).0.indices.iter().for_each(|i| counts[*i as usize] += 1.0);
            }
            // 85.4 is the 0.999 quantile of chi-squared with 49 degrees of freedom (an upper bound without replacement).
            let chi2: f64 = counts.iter().map(|c| (c - 2000.0).powi(2) / 2000.0).sum();
            assert!(chi2 < 85.4, "{sampling:?}: chi-squared {chi2}");
        }
    }

    #[test]
    fn with_replacement_repeats() {
        let mut replay = UniformReplay::new(4, RecordLayout::f32(2), Sampling::WithReplacement, 0).unwrap();
        (0..4).for_each(|id| push(&mut replay, id));
        let (batch, ..) = draw(&mut replay, 100);
        assert!((0..4).all(|id| batch.actions.contains(&id)));
    }

    #[test]
    fn bytes_come_back_as_written() {
        let mut replay = UniformReplay::new(2, RecordLayout::u8(5), Sampling::WithoutReplacement, 0).unwrap();
        let (observation, next) = ([0.0, 1.0, 127.0, 128.0, 255.0], [255.0, 3.0, 2.0, 1.0, 0.0]);
        replay.push(&Transition {
            observation: &observation,
            mask: None,
            action: 1,
            reward: -0.5,
            discount: 0.99,
            next_observation: &next,
            next_mask: None,
        });
        let (mut batch, mut observations, mut next_observations) = (Batch::new(1), [9.0; 5], [9.0; 5]);
        replay.sample(&mut batch.with_observations(&mut observations, &mut next_observations));
        assert_eq!((observations, next_observations), (observation, next));
        assert_eq!((batch.actions[0], batch.rewards[0], batch.discounts[0]), (1, -0.5, 0.99));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let layout = RecordLayout::f32(1 << 20);
        for capacity in [2_000_000_000, usize::MAX] {
            let error = UniformReplay::new(capacity, layout, Sampling::WithReplacement, 0).err().unwrap();
            assert_eq!(error, ReplayError::TooLarge { capacity });
        }
        let needed = RecordStore::bytes_needed(1000, &layout);
        assert!(needed > 8_000 << 20, "{needed}");
        for memory in [Memory::Unknown, Memory::Bytes(needed)] {
            assert_eq!(check_memory(1000, needed, memory), Ok(()));
        }
        let available = needed / 10;
        let refused = ReplayError::OutOfMemory { capacity: 1000, needed, available, largest: 100 };
        assert_eq!(check_memory(1000, needed, Memory::Bytes(available)), Err(refused));
    }

    #[test]
    fn refuses_states_that_are_not_its_own() {
        let new =
            |capacity| UniformReplay::new(capacity, RecordLayout::f32(2), Sampling::WithoutReplacement, 0).unwrap();
        let mut replay = new(10);
        (0..5).for_each(|id| push(&mut replay, id));
        let mut state = State::default();
        replay.save(&mut state);
        assert!(new(11).restore(&state).is_err());
        let mut torn = state.clone();
        torn.put("replay/next", 7);
        assert_eq!(new(10).restore(&torn).unwrap_err().name, "replay/next");
        let mut torn = state.clone();
        torn.tensors.remove("replay/records");
        assert_eq!(new(10).restore(&torn).unwrap_err().name, "replay/records");
    }
}
