//! [`PrioritizedReplay`], proportional prioritization (Schaul et al. 2016).

use super::buffer::check_memory;
use super::{RecordLayout, RecordStore, ReplayBuffer, ReplayError, ReplayStore, SumTree};
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Transition};

/// How a TD error δ becomes a priority: (|δ| + ε)^α.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrioritySpec {
    /// The exponent α, from 0 (all the same) to 1 (as the errors are). The paper: 0.6.
    pub alpha: f64,
    /// What is added to each error, above 0, so that none is never drawn again.
    pub epsilon: f64,
}

/// Draws transitions in proportion to their priorities p = (|δ| + ε)^α: P(i) = pᵢ / Σ p (equation 1 of the paper).
///
/// A new transition has the largest priority so far, and 1 before there is any. A batch is drawn from as many segments of equal
/// mass as it has rows, one from each (appendix B.2.1), and holds in `probabilities` with which each was drawn; importance weights
/// are made from these by whoever learns. One transition can be in a batch more than once.
///
/// A TD error that is not finite leaves its transition's priority as it was: the loss is then not finite either, and who trains
/// stops on that.
pub struct PrioritizedReplay<S = RecordStore> {
    store: S,
    spec: PrioritySpec,
    priorities: SumTree,
    /// The largest priority so far.
    largest: f64,
    rng: StreamRng,
    masses: Vec<f64>,
    /// What [`ReplayBuffer::update_priorities`] is about to set.
    updated: (Vec<u32>, Vec<f64>),
}

impl PrioritizedReplay {
    /// An empty ring of `capacity` whole transitions, drawn from with randomness of `seed`.
    ///
    /// # Errors
    /// If the memory that it needs is not there, or `spec` is none.
    pub fn new(capacity: usize, layout: RecordLayout, spec: PrioritySpec, seed: u64) -> Result<Self, ReplayError> {
        Self::with_store(RecordStore::new(capacity, layout)?, spec, seed)
    }
}

impl<S: ReplayStore> PrioritizedReplay<S> {
    /// Draws from `store`, which is empty, with randomness of `seed`.
    ///
    /// # Errors
    /// If the memory that both need is not there, or `spec` is none.
    pub fn with_store(store: S, spec: PrioritySpec, seed: u64) -> Result<Self, ReplayError> {
        let PrioritySpec { alpha, epsilon } = spec;
        if !((0.0..=1.0).contains(&alpha) && epsilon > 0.0 && epsilon.is_finite()) {
            return Err(ReplayError::Priority { alpha, epsilon });
        }
        let capacity = store.capacity();
        check_memory(capacity, store.bytes().saturating_add(SumTree::bytes_needed(capacity)))?;
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

    /// The priority of the transition at `index`, 0 where there is none yet.
    ///
    /// # Panics
    /// If the index is not below the capacity.
    pub fn priority(&self, index: u32) -> f64 {
        self.priorities.get(index as usize)
    }
}

impl PrioritySpec {
    /// (|δ| + ε)^α, above 0.
    fn priority(&self, td_error: f32) -> f64 {
        let base = f64::from(td_error).abs() + self.epsilon;
        let power = match self.alpha {
            0.0 => 1.0,
            0.5 => base.sqrt(),
            1.0 => base,
            // The same bits on every machine, which the system's power function does not promise.
            alpha => libm::pow(base, alpha),
        };
        power.max(f64::MIN_POSITIVE)
    }
}

impl<S: ReplayStore> ReplayBuffer for PrioritizedReplay<S> {
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
        self.masses.clear();
        for row in 0..rows {
            // Uniform in [0, 1), a multiple of 2⁻⁵³.
            let uniform = (self.rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
            self.masses.push((row as f64 + uniform) / rows as f64 * total);
        }
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
            let priority = self.spec.priority(*td_error);
            self.largest = self.largest.max(priority);
            leaves.push(*index);
            values.push(priority);
        }
        self.priorities.set_all(leaves, values);
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
