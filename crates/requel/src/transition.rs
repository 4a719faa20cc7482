//! [`Transition`], one step of experience, and [`Batch`], several of them together.

mod observations;

pub(crate) use observations::{Element, is_byte, write_bytes};
pub use observations::{ElementType, ObservationsMut};

/// One step of experience, as stored in a replay buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition<'a> {
    /// The observation before the action.
    pub observation: &'a [f32],
    /// Which actions the environment allowed then; `None`: all.
    pub mask: Option<&'a [bool]>,
    /// The index of the action.
    pub action: u32,
    /// The reward; for n-step transitions the discounted sum.
    pub reward: f32,
    /// γⁿ, or 0 if the environment terminated: the discount of the next observation's value.
    pub discount: f32,
    /// The observation after it: at the end of an episode its true last observation.
    pub next_observation: &'a [f32],
    /// Which actions the environment allows there; `None`: all.
    pub next_mask: Option<&'a [bool]>,
}

impl Transition<'_> {
    /// Checks that both observations have the length that a buffer stores: otherwise part of an older observation would remain, or be lost.
    #[inline]
    pub(crate) fn assert_length(&self, expected: usize) {
        let lengths = (self.observation.len(), self.next_observation.len());
        assert!(lengths == (expected, expected), "observations of {lengths:?} numbers, where {expected} are stored");
    }
}

/// Where a replay buffer writes the transitions it draws. All slices have as many rows as the batch has transitions.
#[derive(Debug)]
pub struct BatchMut<'a> {
    /// Both observations of each transition, in the place where the network reads them.
    pub observations: ObservationsMut<'a>,
    /// Rows × 1.
    pub actions: &'a mut [u32],
    /// Rows × 1.
    pub rewards: &'a mut [f32],
    /// Rows × 1.
    pub discounts: &'a mut [f32],
    /// Rows × 1: the index of each transition in the buffer.
    pub indices: &'a mut [u32],
    /// Rows × 1: the probability with which each was drawn; unchanged if all are equal.
    pub probabilities: &'a mut [f64],
    /// Rows × [`mask_words`]: which actions were allowed at the observation; empty if all always are.
    pub masks: &'a mut [u32],
    /// Rows × [`mask_words`]: which actions are allowed at the next observation; empty if all always are.
    pub next_masks: &'a mut [u32],
}

/// 32-bit words in a mask of `actions` actions: bit `a % 32` of word `a / 32` is 1 if action `a` is allowed.
pub fn mask_words(actions: usize) -> usize {
    actions.div_ceil(32)
}

impl BatchMut<'_> {
    /// Number of transitions.
    pub fn rows(&self) -> usize {
        self.actions.len()
    }

    /// Checks that each column has room for all rows, before a buffer writes to them.
    pub(crate) fn assert_room(&self, observation_len: usize) {
        let rows = self.rows();
        let (numbers, lengths) = (rows * observation_len, self.observations.lengths());
        assert!(
            lengths == (numbers, numbers),
            "{rows} transitions with observations of {observation_len} numbers go into rows of {numbers} numbers, not {lengths:?}",
        );
        let columns = [self.rewards.len(), self.discounts.len(), self.indices.len(), self.probabilities.len()];
        assert!(columns == [rows; 4], "a batch of {rows} actions has columns of {columns:?} entries");
    }

    /// The same, and that there are transitions at all its indices.
    pub(crate) fn assert_fits(&self, observation_len: usize, stored: usize) {
        self.assert_room(observation_len);
        let beyond = self.indices.iter().fold(false, |beyond, index| beyond | (*index as usize >= stored));
        assert!(!beyond, "{stored} transitions are stored, and one of {:?} is asked for", self.indices);
    }

    /// Writes observations, action, reward and discount of the transition at each index, whatever the type of the observations.
    #[inline]
    pub(crate) fn read(&mut self, observation_len: usize, stored: &impl Stored) {
        let (actions, rewards, discounts) = (&mut *self.actions, &mut *self.rewards, &mut *self.discounts);
        let write = |row: usize, (action, reward, discount)| {
            (actions[row], rewards[row], discounts[row]) = (action, reward, discount);
        };
        match &mut self.observations {
            ObservationsMut::F32 { observations, next_observations } => {
                read_rows(stored, self.indices, (observations, next_observations), observation_len, write);
            }
            ObservationsMut::U8 { observations, next_observations } => {
                read_rows(stored, self.indices, (observations, next_observations), observation_len, write);
            }
        }
    }
}

/// A source of transitions for a batch.
pub(crate) trait Stored {
    /// Writes both observations of the transition at an index, and returns its action, reward and discount.
    fn read_row<T: Element>(&self, index: u32, observation: &mut [T], next_observation: &mut [T]) -> (u32, f32, f32);
}

#[inline(always)]
fn read_rows<T: Element>(
    stored: &impl Stored,
    indices: &[u32],
    (observations, next_observations): (&mut [T], &mut [T]),
    observation_len: usize,
    mut write: impl FnMut(usize, (u32, f32, f32)),
) {
    let next = next_observations.chunks_exact_mut(observation_len);
    let rows = observations.chunks_exact_mut(observation_len).zip(next);
    for (row, (observation, next_observation)) in rows.enumerate() {
        write(row, stored.read_row(indices[row], observation, next_observation));
    }
}

/// The columns of a batch other than its observations, which are in the network's workspace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Index of each transition's action.
    pub actions: Vec<u32>,
    /// Reward of each transition.
    pub rewards: Vec<f32>,
    /// Discount of each transition's next state.
    pub discounts: Vec<f32>,
    /// The index of each transition in the buffer.
    pub indices: Vec<u32>,
    /// The probability with which each was drawn, from a prioritized buffer.
    pub probabilities: Vec<f64>,
    /// Which actions were allowed, see [`BatchMut::masks`].
    pub masks: Vec<u32>,
    /// Which actions are allowed next, see [`BatchMut::next_masks`].
    pub next_masks: Vec<u32>,
}

impl Batch {
    /// Room for `rows` transitions.
    pub fn new(rows: usize) -> Self {
        Batch {
            actions: vec![0; rows],
            rewards: vec![0.0; rows],
            discounts: vec![0.0; rows],
            indices: vec![0; rows],
            probabilities: vec![0.0; rows],
            masks: vec![],
            next_masks: vec![],
        }
    }

    /// The same with room for masks of `actions` actions.
    #[must_use]
    pub fn with_masks(mut self, actions: usize) -> Self {
        let words = self.actions.len() * mask_words(actions);
        (self.masks, self.next_masks) = (vec![0; words], vec![0; words]);
        self
    }

    /// Writes −∞ as the values, rows × actions, of actions that were not allowed at the observations.
    ///
    /// # Panics
    /// If the batch has masks and `q` is not rows × actions; the same holds for [`Batch::mask_next_values`].
    pub fn mask_values(&self, q: &mut [f32]) {
        write_masks(&self.masks, self.actions.len(), q);
    }

    /// Writes −∞ as the values, rows × actions, of actions that are not allowed at the next observations.
    pub fn mask_next_values(&self, q: &mut [f32]) {
        write_masks(&self.next_masks, self.actions.len(), q);
    }

    /// This batch together with the rows of a workspace for its observations, as numbers.
    pub fn with_observations<'a>(
        &'a mut self,
        observations: &'a mut [f32],
        next_observations: &'a mut [f32],
    ) -> BatchMut<'a> {
        self.with(ObservationsMut::F32 { observations, next_observations })
    }

    /// The same with rows for observations as bytes, for environments whose observations are whole numbers from 0 to 255.
    pub fn with_observation_bytes<'a>(
        &'a mut self,
        observations: &'a mut [u8],
        next_observations: &'a mut [u8],
    ) -> BatchMut<'a> {
        self.with(ObservationsMut::U8 { observations, next_observations })
    }

    fn with<'a>(&'a mut self, observations: ObservationsMut<'a>) -> BatchMut<'a> {
        BatchMut {
            observations,
            actions: &mut self.actions,
            rewards: &mut self.rewards,
            discounts: &mut self.discounts,
            indices: &mut self.indices,
            probabilities: &mut self.probabilities,
            masks: &mut self.masks,
            next_masks: &mut self.next_masks,
        }
    }
}

/// Writes −∞ where a bit is 0; without masks everything is allowed.
fn write_masks(masks: &[u32], rows: usize, q: &mut [f32]) {
    if masks.is_empty() {
        return;
    }
    assert!(!q.is_empty() && q.len().is_multiple_of(rows), "{} values are not those of {rows} rows", q.len());
    let actions = q.len() / rows;
    let words = rows * mask_words(actions);
    assert_eq!(masks.len(), words, "the masks of {rows} rows of {actions} actions are {words} words");
    for (q, mask) in q.chunks_exact_mut(actions).zip(masks.chunks_exact(mask_words(actions))) {
        for (action, q) in q.iter_mut().enumerate() {
            if mask[action / 32] >> (action % 32) & 1 == 0 {
                *q = f32::NEG_INFINITY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_reach_the_values() {
        let mut batch = Batch::new(2).with_masks(3);
        (batch.masks, batch.next_masks) = (vec![0b011, 0b111], vec![0b101, 0b010]);
        let none = f32::NEG_INFINITY;
        let mut q = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        batch.mask_next_values(&mut q);
        assert_eq!(q, [1.0, none, 3.0, none, 5.0, none]);
        let mut q = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        batch.mask_values(&mut q);
        assert_eq!(q, [1.0, 2.0, none, 4.0, 5.0, 6.0]);
        Batch::new(2).mask_values(&mut q);
        assert_eq!(q, [1.0, 2.0, none, 4.0, 5.0, 6.0]);
        // The 40th action has its bit in the second word.
        let mut batch = Batch::new(1).with_masks(40);
        batch.next_masks = vec![u32::MAX, 0b0111_1111];
        let mut q = [0.5; 40];
        batch.mask_next_values(&mut q);
        assert_eq!(q.iter().position(|q| *q == none), Some(39));
    }
}
