//! [`MaskLayout`]: how the masks of a transition lie in a record.

use crate::transition::{Transition, mask_words};

/// The masks of the observation and of the next one, for this many actions each, as bits; 0 actions if no masks are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MaskLayout {
    actions: usize,
}

impl MaskLayout {
    pub(super) fn new(actions: usize) -> Self {
        MaskLayout { actions }
    }

    /// 32-bit words per transition.
    pub(super) fn words(&self) -> usize {
        2 * mask_words(self.actions)
    }

    /// Checks that the masks of a transition fit these actions.
    #[inline]
    pub(super) fn assert_length(&self, transition: &Transition<'_>) {
        let fits = |mask: Option<&[bool]>| mask.is_none_or(|mask| mask.len() == self.actions);
        let fit = self.actions == 0 || (fits(transition.mask) && fits(transition.next_mask));
        assert!(fit, "a mask has one entry per action, of which there are {}", self.actions);
    }

    /// Writes both masks of a transition.
    #[inline]
    pub(super) fn encode(&self, transition: &Transition<'_>, words: &mut [u32]) {
        if self.actions > 0 {
            self.encode_both(transition, words);
        }
    }

    fn encode_both(&self, transition: &Transition<'_>, words: &mut [u32]) {
        let (mask, next_mask) = words.split_at_mut(mask_words(self.actions));
        self.encode_one(transition.mask, mask);
        self.encode_one(transition.next_mask, next_mask);
    }

    /// Writes a mask; all bits are set if everything is allowed.
    fn encode_one(&self, mask: Option<&[bool]>, words: &mut [u32]) {
        let Some(mask) = mask else {
            words.fill(u32::MAX);
            return;
        };
        for (word, allowed) in words.iter_mut().zip(mask.chunks(32)) {
            *word = allowed.iter().enumerate().fold(0, |word, (bit, allowed)| word | u32::from(*allowed) << bit);
        }
    }

    /// Copies the masks of drawn records into the two columns of a batch.
    ///
    /// # Panics
    /// If the size of the columns does not match the masks.
    pub(super) fn read<'a>(
        &self,
        records: impl ExactSizeIterator<Item = &'a [u32]>,
        masks: &mut [u32],
        next_masks: &mut [u32],
    ) {
        if self.actions == 0 {
            return;
        }
        let (words, rows) = (mask_words(self.actions), records.len());
        let room = (masks.len(), next_masks.len());
        assert_eq!(room, (rows * words, rows * words), "a batch from a buffer with masks has room for them");
        let rows = masks.chunks_exact_mut(words).zip(next_masks.chunks_exact_mut(words));
        for ((mask, next_mask), record) in rows.zip(records) {
            let (own, next) = record.split_at(words);
            mask.copy_from_slice(own);
            next_mask.copy_from_slice(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_for_actions() {
        let layout = MaskLayout::new(34);
        let mut allowed = [false; 34];
        (allowed[0], allowed[5], allowed[33]) = (true, true, true);
        let mut words = [9; 2];
        layout.encode_one(Some(&allowed), &mut words);
        assert_eq!(words, [0b10_0001, 0b10]);
        layout.encode_one(None, &mut words);
        assert_eq!(words, [u32::MAX; 2]);
        assert_eq!(MaskLayout::default().words(), 0);
    }
}
