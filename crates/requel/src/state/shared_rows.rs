//! [`SharedRows`], rows of words in copy-on-write blocks.

use std::ops::Range;
use std::sync::Arc;

/// Maximum bytes of a block, unless a single row is larger. Writing to a block that a snapshot shares copies it: small enough that one copy
/// is not noticeable, large enough that a buffer of gigabytes has only thousands of blocks.
const BLOCK_BYTES: usize = 256 << 10;

/// Rows of 32-bit words, in blocks that are shared with snapshots. Taking a snapshot copies references. The first write to a block that a
/// snapshot still shares copies that block; the snapshot stays unchanged.
///
/// Replay buffers keep their transitions in it, so that a checkpoint is written while training continues. A snapshot costs the memory of
/// the blocks that are written while it exists, never more than the rows themselves.
///
/// ```
/// use requel::state::{SharedRows, State};
///
/// let mut rows = SharedRows::zeroed(1_000, 3);
/// rows.row_mut(7).copy_from_slice(&[1, 2, 3]);
/// let mut state = State::default();
/// state.put_rows("replay/rows", &rows, 0..8);
/// // The state borrows nothing, and does not see what is written from here on.
/// rows.row_mut(7)[0] = 9;
/// let mut saved = SharedRows::zeroed(8, 3);
/// state.read_rows("replay/rows", &mut saved, 0..8)?;
/// assert_eq!(saved.row(7), [1, 2, 3]);
/// # Ok::<(), requel::state::StateError>(())
/// ```
#[derive(Debug)]
pub struct SharedRows {
    /// Words of a row.
    words: usize,
    /// Rows of each block except the last: 2 to the power of this.
    block_shift: u32,
    blocks: Vec<Arc<Box<[u32]>>>,
    rows: usize,
}

/// A part of [`SharedRows`] as it was at one moment.
#[derive(Clone, Debug)]
pub(super) struct RowsSnapshot {
    blocks: Vec<Arc<Box<[u32]>>>,
    /// Words of each block except the last.
    block_words: usize,
    /// The range of words, counted from the start of the first block.
    range: Range<usize>,
}

impl SharedRows {
    /// `rows` rows of `words` zeros each.
    ///
    /// # Panics
    /// If rows have no words.
    pub fn zeroed(rows: usize, words: usize) -> Self {
        assert!(words > 0, "rows of 0 words");
        let most = (BLOCK_BYTES / 4 / words).max(1);
        let mut empty = SharedRows { words, block_shift: most.ilog2(), blocks: Vec::new(), rows: 0 };
        let (block, whole) = (empty.block_rows(), rows / empty.block_rows());
        // The system provides zeroed memory lazily: a large buffer costs nothing until it is filled.
        let sizes = std::iter::repeat_n(block, whole).chain([rows - whole * block]);
        empty.blocks.extend(sizes.filter(|rows| *rows > 0).map(|rows| zeros(rows * words)));
        SharedRows { rows, ..empty }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Words per row.
    pub fn words(&self) -> usize {
        self.words
    }

    /// A row.
    ///
    /// # Panics
    /// If there is none at `index`.
    #[inline]
    pub fn row(&self, index: usize) -> &[u32] {
        let first = (index & (self.block_rows() - 1)) * self.words;
        &self.blocks[index >> self.block_shift][first..first + self.words]
    }

    /// The first and the last word of a row, combined: to fetch both into the cache before they are needed.
    ///
    /// # Panics
    /// If there is none at `index`.
    #[inline]
    pub(crate) fn touch(&self, index: usize) -> u32 {
        let first = (index & (self.block_rows() - 1)) * self.words;
        let block = &self.blocks[index >> self.block_shift];
        block[first] ^ block[first + self.words - 1]
    }

    /// A row for writing. Copies its block if a snapshot shares it.
    ///
    /// # Panics
    /// If there is none at `index`.
    #[inline]
    pub fn row_mut(&mut self, index: usize) -> &mut [u32] {
        let first = (index & (self.block_rows() - 1)) * self.words;
        let block = Arc::make_mut(&mut self.blocks[index >> self.block_shift]);
        &mut block[first..first + self.words]
    }

    /// Grows to `rows` rows if there are fewer; the new rows are zeros.
    pub fn grow(&mut self, rows: usize) {
        if rows <= self.rows {
            return;
        }
        let whole = self.block_rows() * self.words;
        if let Some(last) = self.blocks.last_mut().filter(|last| last.len() < whole) {
            let mut larger = vec![0; whole].into_boxed_slice();
            larger[..last.len()].copy_from_slice(last);
            *last = Arc::new(larger);
        }
        let blocks = rows.div_ceil(self.block_rows());
        self.blocks.resize_with(blocks.max(self.blocks.len()), || zeros(whole));
        self.rows = rows;
    }

    /// A snapshot of these rows.
    ///
    /// # Panics
    /// If a row does not exist.
    pub(super) fn snapshot(&self, rows: Range<usize>) -> RowsSnapshot {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let first = rows.start >> self.block_shift;
        let last = rows.end.div_ceil(self.block_rows()).max(first);
        let from = (rows.start - (first << self.block_shift)) * self.words;
        RowsSnapshot {
            blocks: self.blocks[first..last].to_vec(),
            block_words: self.block_rows() * self.words,
            range: from..from + rows.len() * self.words,
        }
    }

    /// The words of these rows for writing, in contiguous pieces.
    pub(super) fn pieces_mut(&mut self, rows: Range<usize>, mut write: impl FnMut(&mut [u32])) {
        assert!(rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let mut next = rows.start;
        while next < rows.end {
            let within = next & (self.block_rows() - 1);
            let count = (self.block_rows() - within).min(rows.end - next);
            let block = Arc::make_mut(&mut self.blocks[next >> self.block_shift]);
            write(&mut block[within * self.words..(within + count) * self.words]);
            next += count;
        }
    }

    fn block_rows(&self) -> usize {
        1 << self.block_shift
    }
}

fn zeros(words: usize) -> Arc<Box<[u32]>> {
    Arc::new(vec![0; words].into_boxed_slice())
}

impl RowsSnapshot {
    /// How many words it has.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Some of its words, in contiguous pieces.
    pub fn pieces(&self, words: Range<usize>) -> impl Iterator<Item = &[u32]> {
        debug_assert!(words.end <= self.len(), "words {words:?} of {}", self.len());
        let (mut next, end) = (self.range.start + words.start, self.range.start + words.end);
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let within = next % self.block_words;
                let count = (self.block_words - within).min(end - next);
                let piece = &self.blocks[next / self.block_words][within..within + count];
                next += count;
                piece
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A snapshot with the rows that it is to have.
    type Taken = (RowsSnapshot, Vec<u32>);

    fn words_of(snapshot: &RowsSnapshot) -> Vec<u32> {
        snapshot.pieces(0..snapshot.len()).flatten().copied().collect()
    }

    /// Words of a row of which two, three or few go into a block, and one that is larger than a block.
    fn widths() -> impl Strategy<Value = usize> {
        prop_oneof![Just(1), Just(20_000), Just(30_000), Just(70_000)]
    }

    proptest! {
        /// Against rows in one piece: writes anywhere, growth, and snapshots that are kept for a while.
        #[test]
        fn equals_rows_in_one_piece(
            words in widths(),
            rows in 1usize..9,
            turns in proptest::collection::vec((0usize..12, 0u8..6), 1..40),
        ) {
            let mut shared = SharedRows::zeroed(rows, words);
            let mut twin = vec![0u32; rows * words];
            let mut taken: Vec<Taken> = Vec::new();
            for (count, (row, kind)) in turns.into_iter().enumerate() {
                let row = row % shared.rows();
                match kind {
                    0 => {
                        let to = (row + count).min(shared.rows());
                        taken.push((shared.snapshot(row..to), twin[row * words..to * words].to_vec()));
                    }
                    1 => taken.truncate(count % 3),
                    2 if shared.rows() < 12 => {
                        shared.grow(shared.rows() + 1 + count % 2);
                        twin.resize(shared.rows() * words, 0);
                    }
                    _ => {
                        let value = count as u32 + 1;
                        shared.row_mut(row)[words - 1] = value;
                        twin[(row + 1) * words - 1] = value;
                    }
                }
                for row in 0..shared.rows() {
                    prop_assert!(shared.row(row) == &twin[row * words..(row + 1) * words]);
                }
                for (snapshot, expected) in &taken {
                    prop_assert!(words_of(snapshot) == *expected);
                }
            }
        }

        #[test]
        fn pieces_are_all_words_in_order(words in widths(), rows in 1usize..9, ends in (0usize..9, 0usize..9)) {
            let mut shared = SharedRows::zeroed(rows, words);
            let mut next = 0;
            shared.pieces_mut(0..rows, |piece| piece.iter_mut().for_each(|word| {
                *word = next;
                next += 1;
            }));
            let (from, to) = (ends.0.min(rows), ends.1.min(rows).max(ends.0.min(rows)));
            let snapshot = shared.snapshot(from..to);
            prop_assert!(words_of(&snapshot).into_iter().eq((from * words) as u32..(to * words) as u32));
        }
    }

    #[test]
    fn a_block_is_copied_once_and_only_while_it_is_shared() {
        let mut rows = SharedRows::zeroed(100_000, 2);
        let place = |rows: &SharedRows, at: usize| rows.row(at).as_ptr();
        let (first, last) = (place(&rows, 0), place(&rows, 99_999));
        let snapshot = rows.snapshot(0..100_000);
        rows.row_mut(0)[0] = 1;
        let moved = place(&rows, 0);
        assert_ne!(moved, first);
        rows.row_mut(1)[0] = 1;
        assert_eq!(place(&rows, 0), moved);
        assert_eq!(place(&rows, 99_999), last, "a block that was not written moved");
        drop(snapshot);
        rows.row_mut(99_999)[0] = 1;
        assert_eq!(place(&rows, 99_999), last, "a block that nobody shares moved");
    }

    #[test]
    #[should_panic(expected = "rows 2..5 of 4")]
    fn rows_that_are_not_there_are_no_snapshot() {
        SharedRows::zeroed(4, 1).snapshot(2..5);
    }
}
