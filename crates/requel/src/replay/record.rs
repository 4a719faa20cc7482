//! [`RecordLayout`]: how one transition lies in memory.

use requel_envs::Space;

use super::mask::MaskLayout;
use crate::transition::{Element, ElementType, Transition, write_bytes};

/// The layout of one transition in 32-bit words: action, reward, discount, observation, next observation and, if there are masks, those of
/// both, one after the other, so that drawing it touches one or two cache lines instead of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLayout {
    observation_len: usize,
    packed: bool,
    masks: MaskLayout,
}

const HEADER_WORDS: usize = 3;

impl RecordLayout {
    /// For observations of `len` numbers stored as `f32`.
    pub fn f32(len: usize) -> Self {
        RecordLayout { observation_len: len, packed: false, masks: MaskLayout::default() }
    }

    /// For observations of `len` whole numbers from 0 to 255, stored as bytes.
    pub fn u8(len: usize) -> Self {
        RecordLayout { observation_len: len, packed: true, masks: MaskLayout::default() }
    }

    /// For observations in a space.
    pub fn for_space(space: &Space) -> Self {
        match ElementType::of(space) {
            ElementType::U8 => Self::u8(space.len()),
            ElementType::F32 => Self::f32(space.len()),
        }
    }

    /// The same with the masks of both observations, for this many actions. Without it, masks are discarded.
    #[must_use]
    pub fn with_mask(mut self, actions: usize) -> Self {
        self.masks = MaskLayout::new(actions);
        self
    }

    /// Numbers per observation.
    pub fn observation_len(&self) -> usize {
        self.observation_len
    }

    /// 32-bit words per transition.
    pub fn words(&self) -> usize {
        // A count that overflows does not fit into any memory.
        self.observation_words().saturating_mul(2).saturating_add(HEADER_WORDS).saturating_add(self.masks.words())
    }

    fn observation_words(&self) -> usize {
        if self.packed { self.observation_len.div_ceil(4) } else { self.observation_len }
    }

    /// Checks that a transition fits this layout.
    #[inline]
    pub(super) fn assert_fits(&self, transition: &Transition<'_>) {
        transition.assert_length(self.observation_len);
        self.masks.assert_length(transition);
    }

    /// Writes a transition that fits.
    #[inline(always)]
    pub(super) fn encode(&self, transition: &Transition<'_>, record: &mut [u32]) {
        let (header, observations) = record.split_at_mut(HEADER_WORDS);
        header[0] = transition.action;
        header[1] = transition.reward.to_bits();
        header[2] = transition.discount.to_bits();
        let (observation, next) = observations.split_at_mut(self.observation_words());
        let (next, masks) = next.split_at_mut(self.observation_words());
        self.masks.encode(transition, masks);
        self.encode_observation(transition.observation, observation);
        self.encode_observation(transition.next_observation, next);
    }

    /// Reads action, reward and discount, and writes both observations.
    #[inline(always)]
    pub(super) fn decode<T: Element>(&self, record: &[u32], observation: &mut [T], next: &mut [T]) -> (u32, f32, f32) {
        let (header, observations) = record.split_at(HEADER_WORDS);
        let (first, second) = observations.split_at(self.observation_words());
        let second = &second[..self.observation_words()];
        self.decode_observation(first, observation);
        self.decode_observation(second, next);
        (header[0], f32::from_bits(header[1]), f32::from_bits(header[2]))
    }

    pub(super) fn masks(&self) -> MaskLayout {
        self.masks
    }

    /// The words of a record that contain its masks.
    pub(super) fn masks_of<'r>(&self, record: &'r [u32]) -> &'r [u32] {
        &record[record.len() - self.masks.words()..]
    }

    #[inline]
    fn encode_observation(&self, values: &[f32], words: &mut [u32]) {
        if self.packed {
            write_bytes(bytemuck::cast_slice_mut(words), values);
        } else if let (Ok(words), Ok(values)) = (<&mut [u32; 4]>::try_from(&mut *words), <&[f32; 4]>::try_from(values))
        {
            // As in `decode_observation`.
            *words = values.map(f32::to_bits);
        } else {
            words.copy_from_slice(bytemuck::cast_slice(values));
        }
    }

    #[inline]
    fn decode_observation<T: Element>(&self, words: &[u32], values: &mut [T]) {
        if self.packed {
            T::copy_bytes(values, bytemuck::cast_slice(words));
        } else if let (Ok(values), Ok(words)) = (<&mut [T; 4]>::try_from(&mut *values), <&[u32; 4]>::try_from(words)) {
            // A copy of unknown length is a function call; the most common small one, CartPole's, is one instruction.
            *values = words.map(|word| T::from_number(f32::from_bits(word)));
        } else {
            T::copy_numbers(values, bytemuck::cast_slice(words));
        }
    }
}
