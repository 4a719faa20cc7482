//! [`FrameStore`], transitions between stacked images, with each frame stored once.

use super::buffer::check_size;
use super::frame_pool::FramePool;
use super::ring::Ring;
use super::{FrameLayout, ReplayError, ReplayStore};
use crate::state::{State, StateError};
use crate::transition::{BatchMut, Element, Stored, Transition};

/// A ring of transitions between stacks of frames, with each frame stored once: with k frames per stack, an observation and the next one
/// have 2·k frames, of which each step adds only one. So a transition takes the memory of about one frame.
///
/// A frame that is already stored is found wherever it comes from: in the previously pushed transition or, by hash and then compared byte
/// for byte, in any other. So it does not matter how many environments push in turn, how many steps transitions span, or where episodes
/// start; and the result of drawing is the same as with a [`RecordStore`](super::RecordStore).
///
/// Memory is planned for nine frames per eight transitions. Environments with episodes shorter than eight steps, or that do not stack
/// frames, need more over time, but never more than if each frame were stored separately.
///
/// ```
/// use requel::replay::{FrameLayout, FrameStore, ReplayStore};
/// use requel::Transition;
///
/// let layout = FrameLayout::stack_last(2, 84 * 84, 1);
/// let mut store = FrameStore::new(1_000, layout)?;
/// let observation = &vec![0.0; 84 * 84 * 2];
/// store.push(&Transition {
///     observation,
///     mask: None,
///     action: 0,
///     reward: 0.0,
///     discount: 0.9,
///     next_observation: observation,
///     next_mask: None,
/// });
/// assert_eq!(store.len(), 1);
/// assert!(store.bytes() < 1_300 * 84 * 84);
/// # Ok::<(), requel::replay::ReplayError>(())
/// ```
pub struct FrameStore {
    layout: FrameLayout,
    /// Per transition: action, reward, discount, the ids of both observations' frames, their masks.
    ring: Ring,
    pool: FramePool,
    planned: usize,
    /// The frames of the transition being pushed, and their ids.
    frames: Vec<u32>,
    ids: Vec<u32>,
    /// The ids of the previous transition; none at first.
    before: Vec<u32>,
}

const HEADER_WORDS: usize = 3;

/// The number of frames to plan for: one per transition, one more per episode, and the stacks at the edges of the ring.
fn planned(capacity: usize, layout: &FrameLayout) -> usize {
    capacity.saturating_add(capacity / 8).saturating_add(layout.stack().saturating_mul(4))
}

/// Words of a record.
fn words(layout: &FrameLayout) -> usize {
    layout.stack().saturating_mul(2).saturating_add(HEADER_WORDS + layout.masks().words())
}

impl FrameStore {
    /// An empty store of `capacity` transitions.
    ///
    /// # Errors
    /// If the capacity is 0, or more than can be addressed.
    pub fn new(capacity: usize, layout: FrameLayout) -> Result<Self, ReplayError> {
        match layout.checked_len() {
            Some(0) => return Err(ReplayError::NoNumbers),
            // Each stack has two copies, and its frames have ids.
            Some(len) if len < usize::MAX / 32 => {}
            _ => return Err(ReplayError::TooLarge { capacity }),
        }
        check_size(capacity, Self::bytes_needed(capacity, &layout))?;
        let (stack, planned) = (layout.stack(), planned(capacity, &layout));
        Ok(FrameStore {
            ring: Ring::new(capacity, words(&layout))?,
            pool: FramePool::new(planned, layout.frame_words()),
            planned,
            frames: vec![0; 2 * stack * layout.frame_words()],
            ids: vec![0; 2 * stack],
            before: Vec::with_capacity(2 * stack),
            layout,
        })
    }

    /// Approximate bytes of memory of a full store of `capacity` transitions.
    pub fn bytes_needed(capacity: usize, layout: &FrameLayout) -> u64 {
        let frames = FramePool::bytes_needed(planned(capacity, layout), layout.frame_words());
        Ring::bytes_needed(capacity, words(layout)).saturating_add(frames)
    }

    /// How many frames are stored.
    #[cfg(test)]
    pub(super) fn pool_len(&self) -> usize {
        self.pool.len()
    }

    fn ids_of<'r>(&self, record: &'r [u32]) -> &'r [u32] {
        &record[HEADER_WORDS..][..2 * self.layout.stack()]
    }

    /// The frame that the one at `at` of the transition being pushed is probably equal to: each stack is the previous one, shifted.
    fn guess(&self, at: usize) -> Option<u32> {
        let stack = self.layout.stack();
        if at < stack {
            self.before.get(stack + at).copied()
        } else if at + 1 < 2 * stack {
            Some(self.ids[at - stack + 1])
        } else {
            None
        }
    }
}

impl Stored for FrameStore {
    #[inline(always)]
    fn read_row<T: Element>(&self, index: u32, observation: &mut [T], next_observation: &mut [T]) -> (u32, f32, f32) {
        let record = self.ring.record(index as usize);
        let (ids, next_ids) = self.ids_of(record).split_at(self.layout.stack());
        for (at, (id, next_id)) in ids.iter().zip(next_ids).enumerate() {
            self.layout.join(self.pool.frame(*id), at, observation);
            self.layout.join(self.pool.frame(*next_id), at, next_observation);
        }
        (record[0], f32::from_bits(record[1]), f32::from_bits(record[2]))
    }
}

impl ReplayStore for FrameStore {
    fn push(&mut self, transition: &Transition<'_>) -> u32 {
        transition.assert_length(self.layout.observation_len());
        self.layout.masks().assert_length(transition);
        let (stack, words) = (self.layout.stack(), self.layout.frame_words());
        let (observation, next) = self.frames.split_at_mut(stack * words);
        self.layout.split(transition.observation, observation);
        self.layout.split(transition.next_observation, next);
        self.before.clear();
        if let Some(newest) = self.ring.newest() {
            self.before.extend_from_slice(&newest[HEADER_WORDS..][..2 * stack]);
        }
        for at in 0..2 * stack {
            let guess = self.guess(at);
            self.ids[at] = self.pool.acquire(&self.frames[at * words..][..words], guess);
        }
        // Only now, so that shared frames stay.
        if let Some(oldest) = self.ring.oldest() {
            oldest[HEADER_WORDS..][..2 * stack].iter().for_each(|id| self.pool.release(*id));
        }
        let (index, record) = self.ring.push();
        let (header, rest) = record.split_at_mut(HEADER_WORDS);
        header.copy_from_slice(&[transition.action, transition.reward.to_bits(), transition.discount.to_bits()]);
        let (ids, masks) = rest.split_at_mut(2 * stack);
        ids.copy_from_slice(&self.ids);
        self.layout.masks().encode(transition, masks);
        index as u32
    }

    fn len(&self) -> usize {
        self.ring.len()
    }

    fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    fn next_index(&self) -> usize {
        self.ring.next_index()
    }

    fn bytes(&self) -> u64 {
        self.ring.bytes().saturating_add(FramePool::bytes_needed(self.planned, self.layout.frame_words()))
    }

    fn read(&self, batch: &mut BatchMut<'_>) {
        let stack = self.layout.stack();
        batch.assert_fits(self.layout.observation_len(), self.ring.len());
        batch.read(self.layout.observation_len(), self);
        let records = batch.indices.iter().map(|index| self.ring.record(*index as usize));
        let masks = records.map(|record| &record[HEADER_WORDS + 2 * stack..]);
        self.layout.masks().read(masks, batch.masks, batch.next_masks);
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.ring.save(state);
        self.pool.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.ring.restore(state)?;
        let ids = 2 * self.layout.stack();
        let references = self.ring.records().flat_map(|record| &record[HEADER_WORDS..][..ids]).copied();
        self.pool.restore(state, references)
    }
}
