//! [`PrioritizedReplay`], proportional prioritization (Schaul et al. 2016).

use super::buffer::check_size;
use super::power::raise;
use super::{RecordLayout, RecordStore, ReplayBuffer, ReplayError, ReplayStore, SumTree};
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// How a TD error δ becomes a priority: (min(|δ|, cap) + ε)^α.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrioritySpec {
    /// The exponent α, from 0 (all equal) to 1 (proportional to the errors). The paper: 0.6.
    pub alpha: f64,
    /// Added to each error, above 0 and at most 1e30, so that every transition can be drawn again.
    pub epsilon: f64,
    /// The cap, above 0: larger errors count as this. New transitions get the largest priority so far, and a single error of 1e30 would
    /// determine that forever. The paper has no cap.
    pub cap: f64,
}

impl Default for PrioritySpec {
    fn default() -> Self {
        PrioritySpec { alpha: 0.6, epsilon: 1e-6, cap: 1000.0 }
    }
}

/// Draws transitions in proportion to their priorities p = (min(|δ|, cap) + ε)^α: P(i) = pᵢ / Σ p.
///
/// A new transition gets the largest priority so far, and 1 before there is any. A batch is drawn from as many segments of equal mass as it
/// has rows, one from each; `probabilities` has the probability of each draw, from which the learner computes importance weights. A
/// transition can occur more than once in a batch.
///
/// A TD error that is not finite leaves its transition's priority unchanged: the loss is then not finite either, and training stops because
/// of that.
pub struct PrioritizedReplay<S = RecordStore> {
    store: S,
    spec: PrioritySpec,
    priorities: SumTree,
    /// The largest priority so far.
    largest: f64,
    rng: StreamRng,
    masses: Vec<f64>,
    /// The priorities that [`ReplayBuffer::update_priorities`] is about to set.
    updated: (Vec<u32>, Vec<f64>),
}

impl PrioritizedReplay {
    /// An empty ring of `capacity` whole transitions, with draws seeded by `seed`.
    ///
    /// # Errors
    /// If the capacity is 0 or more than can be addressed, or `spec` is invalid.
    pub fn new(capacity: usize, layout: RecordLayout, spec: PrioritySpec, seed: u64) -> Result<Self, ReplayError> {
        Self::with_store(RecordStore::new(capacity, layout)?, spec, seed)
    }

    /// Bytes of memory for the priorities of `capacity` transitions, in addition to the store.
    pub fn bytes_needed(capacity: usize) -> u64 {
        SumTree::bytes_needed(capacity)
    }
}

impl<S: ReplayStore> PrioritizedReplay<S> {
    /// Draws from `store`, which is empty, with draws seeded by `seed`.
    ///
    /// # Errors
    /// If `spec` is invalid, or the store is not empty.
    pub fn with_store(store: S, spec: PrioritySpec, seed: u64) -> Result<Self, ReplayError> {
        /// The maximum, so that priorities of errors up to the largest `f32` have a finite sum.
        const LARGEST: f64 = 1e30;
        let PrioritySpec { alpha, epsilon, cap } = spec;
        if !((0.0..=1.0).contains(&alpha) && epsilon > 0.0 && epsilon <= LARGEST && cap > 0.0) {
            return Err(ReplayError::Priority { alpha, epsilon, cap });
        }
        if !store.is_empty() {
            return Err(ReplayError::NotEmpty { len: store.len() });
        }
        let capacity = store.capacity();
        check_size(capacity, SumTree::bytes_needed(capacity))?;
        Ok(PrioritizedReplay {
            priorities: SumTree::new(capacity),
            store,
            spec,
            largest: 1.0,
            rng: StreamRng::new(seed, Stream::Replay),
            masses: Vec::new(),
            updated: (Vec::new(), Vec::new()),
        })
    }

    /// The priority of the transition at `index`, 0 if there is none yet.
    ///
    /// # Panics
    /// If the index is not below the capacity.
    pub fn priority(&self, index: u32) -> f64 {
        self.priorities.get(index as usize)
    }
}

impl PrioritySpec {
    /// (min(|δ|, cap) + ε)^α, above 0, in place of each |δ|.
    fn turn_into_priorities(&self, errors: &mut [f64]) {
        for error in errors.iter_mut() {
            *error = (error.min(self.cap) + self.epsilon).max(f64::MIN_POSITIVE);
        }
        match self.alpha {
            0.0 => errors.fill(1.0),
            0.5 => errors.iter_mut().for_each(|base| *base = base.sqrt()),
            1.0 => {}
            alpha => raise(errors, alpha),
        }
    }
}

impl<S: ReplayStore> ReplayBuffer for PrioritizedReplay<S> {
    fn gives_probabilities(&self) -> bool {
        true
    }

    fn push(&mut self, transition: &Transition<'_>) {
        let index = self.store.push(transition);
        self.priorities.set(index as usize, self.largest);
    }

    fn len(&self) -> usize {
        self.store.len()
    }

    fn capacity(&self) -> usize {
        self.store.capacity()
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        let rows = batch.rows();
        let total = self.priorities.total();
        let segment = total / rows as f64;
        self.masses.clear();
        for row in 0..rows {
            // Uniform in [0, 1), a multiple of 2⁻⁵³.
            let uniform = (self.rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
            // Rounding could put it past the end.
            self.masses.push(((row as f64 + uniform) * segment).min(total));
        }
        assert_eq!(batch.indices.len(), rows, "a batch has one index per action");
        let found = self.priorities.find_all(&mut self.masses, batch.indices);
        assert!(found, "{rows} transitions drawn from a buffer of {}", self.len());
        for (probability, index) in batch.probabilities.iter_mut().zip(&*batch.indices) {
            *probability = self.priorities.get(*index as usize) / total;
        }
        self.store.read(batch);
    }

    fn update_priorities(&mut self, indices: &[u32], td_errors: &[f32]) {
        assert_eq!(indices.len(), td_errors.len(), "one TD error per transition");
        let (leaves, values) = &mut self.updated;
        leaves.clear();
        values.clear();
        for (index, td_error) in indices.iter().zip(td_errors).filter(|(_, td_error)| td_error.is_finite()) {
            assert!((*index as usize) < self.store.len(), "transition {index} of {}", self.store.len());
            leaves.push(*index);
            values.push(f64::from(td_error.abs()));
        }
        self.spec.turn_into_priorities(values);
        self.largest = values.iter().copied().fold(self.largest, f64::max);
        self.priorities.set_all(leaves, values);
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
        let priorities = self.priorities.leaves().take(self.len()).flat_map(f64::to_le_bytes).collect();
        state.put_bytes("replay/priorities", priorities);
        state.put("replay/largest_priority", self.largest);
        state.put("replay/rng_position", self.rng.position());
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.store.restore(state)?;
        let bytes = state.read_bytes("replay/priorities")?;
        if bytes.len() != self.len() * 8 {
            let reason = format!("has {} bytes for {} transitions", bytes.len(), self.len());
            return Err(StateError::new("replay/priorities", reason));
        }
        let largest: f64 = state.read("replay/largest_priority")?;
        let (priorities, _) = bytes.as_chunks::<8>();
        let priorities = priorities.iter().map(|bytes| f64::from_le_bytes(*bytes));
        if let Some(wrong) = priorities.clone().find(|priority| !(*priority > 0.0 && *priority <= largest)) {
            return Err(StateError::new("replay/priorities", format!("has {wrong} with {largest} as the largest")));
        }
        if !largest.is_finite() {
            return Err(StateError::new("replay/largest_priority", format!("is {largest}")));
        }
        self.priorities.fill(priorities);
        self.largest = largest;
        self.rng.set_position(state.read("replay/rng_position")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transition::Batch;

    const SPEC: PrioritySpec = PrioritySpec { alpha: 0.6, epsilon: 1e-3, cap: 1000.0 };

    fn new(capacity: usize, spec: PrioritySpec, seed: u64) -> PrioritizedReplay {
        PrioritizedReplay::new(capacity, RecordLayout::f32(1), spec, seed).unwrap()
    }

    fn push(replay: &mut PrioritizedReplay, id: u32) {
        let (observation, next_observation) = (&[id as f32], &[id as f32 + 0.5]);
        let (action, reward, discount) = (id, 0.0, 0.9);
        let (mask, next_mask) = (None, None);
        replay.push(&Transition { observation, mask, action, reward, discount, next_observation, next_mask });
    }

    fn draw(replay: &mut PrioritizedReplay, rows: usize) -> (Batch, Vec<f32>, Vec<f32>) {
        let (mut batch, mut observations, mut next) = (Batch::new(rows), vec![0.0; rows], vec![0.0; rows]);
        replay.sample(&mut batch.with_observations(&mut observations, &mut next));
        (batch, observations, next)
    }

    proptest! {
        /// Against the obvious twin: a list of priorities by index, summed again for each draw.
        #[test]
        fn equals_a_list(capacity in 1usize..40, alpha in 0.0f64..=1.0, seed: u64,
                         errors in proptest::collection::vec(-100.0f32..100.0, 1..60)) {
            let spec = PrioritySpec { alpha, epsilon: 0.01, cap: 1000.0 };
            let mut replay = new(capacity, spec, seed);
            let (mut twin, mut largest) = (vec![0.0; capacity], 1.0f64);
            for (id, error) in errors.iter().enumerate() {
                push(&mut replay, id as u32);
                twin[id % capacity] = largest;
                let (batch, observations, next) = draw(&mut replay, 5);
                let total: f64 = twin.iter().sum();
                for (row, index) in batch.indices.iter().map(|index| *index as usize).enumerate() {
                    let before: f64 = twin[..index].iter().sum();
                    let (low, high) = (row as f64 / 5.0 * total, (row + 1) as f64 / 5.0 * total);
                    let slack = total * 1e-12;
                    prop_assert!(before < high + slack && before + twin[index] > low - slack, "row {row}: {index}");
                    prop_assert!((batch.probabilities[row] - twin[index] / total).abs() < 1e-12);
                    // The transition that is written there now.
                    let stored = id - (id + capacity - index) % capacity;
                    prop_assert_eq!(batch.actions[row], stored as u32);
                    prop_assert_eq!((observations[row], next[row]), (stored as f32, stored as f32 + 0.5));
                }
                let errors: Vec<f32> = (0..5).map(|row| error * row as f32).collect();
                replay.update_priorities(&batch.indices, &errors);
                for (index, error) in batch.indices.iter().zip(errors) {
                    let priority = (f64::from(error).abs() + 0.01).powf(alpha);
                    largest = largest.max(priority);
                    twin[*index as usize] = priority;
                }
                for (index, priority) in twin.iter().enumerate() {
                    prop_assert!((replay.priority(index as u32) - priority).abs() <= 1e-14 * priority);
                }
            }
        }

        #[test]
        fn restored_goes_on(capacity in 1usize..300, pushes in 1u32..600, seed: u64) {
            let mut replay = new(capacity, SPEC, seed);
            let learn = |replay: &mut PrioritizedReplay| {
                let drawn = draw(replay, 8);
                let errors: Vec<f32> = drawn.0.actions.iter().map(|id| (*id as f32).sin() * 3.0).collect();
                replay.update_priorities(&drawn.0.indices, &errors);
                drawn
            };
            for id in 0..pushes {
                push(&mut replay, id);
                learn(&mut replay);
            }
            let mut resumed = new(capacity, SPEC, seed);
            let mut state = State::default();
            replay.save(&mut state);
            resumed.restore(&state).unwrap();
            for id in 0..50 {
                push(&mut replay, id);
                push(&mut resumed, id);
                prop_assert_eq!(learn(&mut replay), learn(&mut resumed));
            }
            let (mut state, mut state_resumed) = (State::default(), State::default());
            replay.save(&mut state);
            resumed.save(&mut state_resumed);
            prop_assert_eq!(state, state_resumed);
            prop_assert_eq!(&replay.priorities, &resumed.priorities);
        }
    }

    #[test]
    fn draws_as_often_as_priorities_say() {
        let mut replay = new(50, PrioritySpec { alpha: 1.0, epsilon: 1e-9, cap: 1000.0 }, 3);
        (0..50).for_each(|id| push(&mut replay, id));
        let indices: Vec<u32> = (0..50).collect();
        let errors: Vec<f32> = indices.iter().map(|index| if index % 2 == 0 { 1.0 } else { -3.0 }).collect();
        replay.update_priorities(&indices, &errors);
        let mut counts = [0.0f64; 50];
        // Segments that are no multiple of a leaf: stratified draws vary less than independent ones, which the bound is for.
        for _ in 0..10_000 {
            draw(&mut replay, 7).0.indices.iter().for_each(|index| counts[*index as usize] += 1.0);
        }
        let expected = |index: usize| 70_000.0 * if index.is_multiple_of(2) { 0.01 } else { 0.03 };
        let chi2: f64 = (0..50).map(|index| (counts[index] - expected(index)).powi(2) / expected(index)).sum();
        // 85.4 is the 0.999 quantile of chi-squared with 49 degrees of freedom.
        assert!(chi2 < 85.4, "chi-squared {chi2}");
    }

    #[test]
    fn errors_that_are_not_finite_change_nothing() {
        let mut replay = new(4, SPEC, 0);
        (0..4).for_each(|id| push(&mut replay, id));
        replay.update_priorities(&[0, 1, 2, 3], &[2.0, f32::NAN, f32::INFINITY, -2.0]);
        let two = (2.0f64 + 1e-3).powf(0.6);
        assert!((replay.priority(0) - two).abs() < 1e-14);
        assert_eq!(replay.priority(3), replay.priority(0));
        assert_eq!((replay.priority(1), replay.priority(2)), (1.0, 1.0));
        // The next one is as large as the largest so far, which was finite.
        push(&mut replay, 4);
        assert_eq!(replay.priority(0), replay.priority(3));
    }

    #[test]
    fn one_huge_error_does_not_bury_the_others() {
        let mut replay = new(200, PrioritySpec { alpha: 0.6, epsilon: 1e-6, cap: 100.0 }, 5);
        (0..100).for_each(|id| push(&mut replay, id));
        replay.update_priorities(&[7], &[-1e30]);
        let capped = (100.0f64 + 1e-6).powf(0.6);
        assert!((replay.priority(7) - capped).abs() < 1e-12);
        // The next ones are as large, and no larger; the outlier is as any other once it has been learned from.
        push(&mut replay, 100);
        assert_eq!(replay.priority(100), replay.priority(7));
        replay.update_priorities(&[7, 100], &[0.5, 0.5]);
        assert!(replay.priority(7) < 1.0);
        let nan = PrioritySpec { cap: f64::NAN, ..PrioritySpec::default() };
        assert!(PrioritizedReplay::new(4, RecordLayout::f32(1), nan, 0).is_err());
    }

    #[test]
    fn of_a_pair_the_last_error_counts() {
        let mut replay = new(2, PrioritySpec { alpha: 1.0, epsilon: 0.5, cap: 1000.0 }, 0);
        (0..2).for_each(|id| push(&mut replay, id));
        replay.update_priorities(&[1, 0, 1], &[8.0, 2.0, 3.0]);
        assert_eq!((replay.priority(0), replay.priority(1)), (2.5, 3.5));
        // The largest so far is one that was drawn, though it did not last.
        push(&mut replay, 2);
        assert_eq!(replay.priority(0), 8.5);
    }

    #[test]
    fn value_stability() {
        let mut replay = new(100, SPEC, 7);
        (0..100).for_each(|id| push(&mut replay, id));
        let indices: Vec<u32> = (0..100).collect();
        let errors: Vec<f32> = indices.iter().map(|index| *index as f32 * 0.1).collect();
        replay.update_priorities(&indices, &errors);
        let batch = draw(&mut replay, 4).0;
        assert_eq!(batch.indices, VALUES);
        assert_eq!(replay.priority(10).to_bits(), PRIORITY);
    }

    const VALUES: [u32; 4] = [25, 64, 79, 84];
    /// 1.001 to the power of 0.6, as Python has it.
    const PRIORITY: u64 = 0x3FF0_0275_0513_8CE5;

    #[test]
    fn refuses_what_makes_no_priorities() {
        let layout = RecordLayout::f32(1);
        for (alpha, epsilon) in [(-0.1, 1.0), (1.1, 1.0), (f64::NAN, 1.0), (0.6, 0.0), (0.6, 1e308)] {
            let error =
                PrioritizedReplay::new(4, layout, PrioritySpec { alpha, epsilon, cap: 1000.0 }, 0).err().unwrap();
            assert!(matches!(error, ReplayError::Priority { .. }), "{error}");
        }
        let error = PrioritizedReplay::new(usize::MAX, layout, SPEC, 0).err().unwrap();
        assert_eq!(error, ReplayError::TooLarge { capacity: usize::MAX });
    }

    #[test]
    fn refuses_states_that_are_not_its_own() {
        let mut replay = new(4, SPEC, 0);
        (0..3).for_each(|id| push(&mut replay, id));
        let mut state = State::default();
        replay.save(&mut state);
        let refused = |state: &State<'_>| new(4, SPEC, 0).restore(state).unwrap_err().name;
        for priority in [0.0, -1.0, f64::NAN, 1.5, f64::INFINITY] {
            let mut torn = state.clone();
            torn.put_bytes("replay/priorities", [1.0, priority, 1.0].into_iter().flat_map(f64::to_le_bytes).collect());
            assert_eq!(refused(&torn), "replay/priorities");
        }
        let mut torn = state.clone();
        torn.put_bytes("replay/priorities", vec![0; 16]);
        assert_eq!(refused(&torn), "replay/priorities");
        let mut torn = state.clone();
        torn.values.remove("replay/largest_priority");
        assert_eq!(refused(&torn), "replay/largest_priority");
        new(4, SPEC, 0).restore(&state).unwrap();
    }
}
