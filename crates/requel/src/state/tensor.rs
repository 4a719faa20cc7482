//! [`Tensor`], a named array in a state, and where its bytes are.

use std::borrow::Cow;
use std::ops::Range;

use safetensors::Dtype;

use super::shared_rows::RowsSnapshot;

/// A named array inside a [`State`](super::State).
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// Type of the elements.
    pub dtype: Dtype,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The elements, row-major, little-endian.
    pub bytes: Bytes<'a>,
}

/// The bytes of a [`Tensor`]: contiguous, or a snapshot of [`SharedRows`](super::SharedRows).
#[derive(Clone, Debug)]
pub struct Bytes<'a>(Place<'a>);

#[derive(Clone, Debug)]
enum Place<'a> {
    Piece(Cow<'a, [u8]>),
    Rows(RowsSnapshot),
}

impl Bytes<'_> {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        match &self.0 {
            Place::Piece(bytes) => bytes.len(),
            Place::Rows(rows) => rows.len() * 4,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes, contiguous: rows are copied.
    pub fn contiguous(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Place::Piece(bytes) => Cow::Borrowed(bytes),
            Place::Rows(rows) => {
                let mut all = Vec::with_capacity(self.len());
                rows.pieces(0..rows.len()).for_each(|piece| all.extend_from_slice(bytemuck::cast_slice(piece)));
                Cow::Owned(all)
            }
        }
    }

    /// Some bytes, contiguous. Rows are copied into `buffer`.
    ///
    /// # Panics
    /// If `range` reaches beyond the end.
    pub fn part<'b>(&'b self, range: Range<usize>, buffer: &'b mut Vec<u8>) -> &'b [u8] {
        match &self.0 {
            Place::Piece(bytes) => &bytes[range],
            Place::Rows(rows) => {
                buffer.clear();
                let pieces = rows.pieces(range.start / 4..range.end.div_ceil(4));
                pieces.for_each(|piece| buffer.extend_from_slice(bytemuck::cast_slice(piece)));
                &buffer[range.start % 4..][..range.len()]
            }
        }
    }

    /// The bytes, if they are contiguous.
    pub(crate) fn piece(&self) -> Option<&[u8]> {
        match &self.0 {
            Place::Piece(bytes) => Some(bytes),
            Place::Rows(_) => None,
        }
    }

    /// Copies all bytes to `target`, which has the same length.
    pub(super) fn copy_to(&self, target: &mut [u8]) {
        match &self.0 {
            Place::Piece(bytes) => target.copy_from_slice(bytes),
            Place::Rows(rows) => {
                let mut rest = target;
                for piece in rows.pieces(0..rows.len()) {
                    let (here, after) = rest.split_at_mut(piece.len() * 4);
                    here.copy_from_slice(bytemuck::cast_slice(piece));
                    rest = after;
                }
            }
        }
    }
}

impl Bytes<'_> {
    /// A snapshot that borrows nothing: rows stay shared, contiguous bytes are copied with `copy`.
    pub(crate) fn detached(&self, copy: impl FnOnce(&[u8]) -> Vec<u8>) -> Bytes<'static> {
        Bytes(match &self.0 {
            Place::Piece(bytes) => Place::Piece(Cow::Owned(copy(bytes))),
            Place::Rows(rows) => Place::Rows(rows.clone()),
        })
    }

    /// Bytes of memory used by this tensor alone; 0 for rows, which others may share.
    pub(crate) fn into_owned_piece(self) -> Option<Vec<u8>> {
        match self.0 {
            Place::Piece(bytes) => Some(bytes.into_owned()),
            Place::Rows(_) => None,
        }
    }
}

impl From<Vec<u8>> for Bytes<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(Place::Piece(Cow::Owned(bytes)))
    }
}

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Bytes(Place::Piece(Cow::Borrowed(bytes)))
    }
}

impl From<RowsSnapshot> for Bytes<'_> {
    fn from(rows: RowsSnapshot) -> Self {
        Bytes(Place::Rows(rows))
    }
}

impl PartialEq for Bytes<'_> {
    /// Whether the bytes are equal, wherever they are stored.
    fn eq(&self, other: &Self) -> bool {
        self.contiguous() == other.contiguous()
    }
}
