//! [`MaskLayout`]: how the mask of the next actions lies in a record.

use crate::transition::mask_words;

/// Masks of so many actions, as bits; of 0 actions where none are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MaskLayout {
    actions: usize,
}

impl MaskLayout {
    pub(super) fn new(actions: usize) -> Self {
        MaskLayout { actions }
    }

    /// 32-bit words per mask.
    pub(super) fn words(&self) -> usize {
        mask_words(self.actions)
    }

    /// Writes a mask; all bits where everything is allowed.
    pub(super) fn encode(&self, mask: Option<&[bool]>, words: &mut [u32]) {
        if self.actions == 0 {
            return;
        }
        let Some(mask) = mask else {
            words.fill(u32::MAX);
            return;
        };
        assert_eq!(mask.len(), self.actions, "a mask has one entry per action");
        for (word, allowed) in words.iter_mut().zip(mask.chunks(32)) {
            *word = allowed.iter().enumerate().fold(0, |word, (bit, allowed)| word | u32::from(*allowed) << bit);
        }
    }

    /// Copies the masks of drawn records into a batch.
    pub(super) fn read<'a>(&self, masks: impl Iterator<Item = &'a [u32]>, batch: &mut [u32], rows: usize) {
        if self.actions == 0 {
            return;
        }
        let words = self.words();
        assert_eq!(batch.len(), rows * words, "a batch from a buffer with masks has room for them");
        for (row, mask) in batch.chunks_exact_mut(words).zip(masks) {
            row.copy_from_slice(mask);
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
        layout.encode(Some(&allowed), &mut words);
        assert_eq!(words, [0b10_0001, 0b10]);
        layout.encode(None, &mut words);
        assert_eq!(words, [u32::MAX; 2]);
        assert_eq!(MaskLayout::default().words(), 0);
    }
}
