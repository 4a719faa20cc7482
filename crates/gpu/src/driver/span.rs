//! [`Span`]: where numbers lie in a block of memory; [`Layout`]: how a block is laid out before it is allocated.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

/// Every span starts at a multiple of this many bytes.
const ALIGNMENT: usize = 256;

/// Numbers of one type in a block of memory, on the device or on the host.
pub(crate) struct Span<T, M> {
    /// In bytes, from the start of the block.
    pub offset: usize,
    /// In numbers.
    pub len: usize,
    of: PhantomData<fn() -> (T, M)>,
}

/// Spans of the device's memory.
pub(crate) enum OnDevice {}
/// Spans of the host's memory.
pub(crate) enum OnHost {}

/// Numbers on the device.
pub(crate) type Numbers<T = f32> = Span<T, OnDevice>;
/// Numbers on the host, where the device reads and writes them.
pub(crate) type Staged<T = f32> = Span<T, OnHost>;

impl<T, M> Clone for Span<T, M> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, M> Copy for Span<T, M> {}

impl<T, M> fmt::Debug for Span<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.len, self.offset)
    }
}

impl<T, M> Span<T, M> {
    /// A part of it.
    pub fn part(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {} numbers", self.len);
        Span { offset: self.offset + range.start * size_of::<T>(), len: range.len(), of: PhantomData }
    }

    /// Its first number.
    pub fn first(self, len: usize) -> Self {
        self.part(0..len)
    }

    /// Its bytes.
    pub fn bytes(self) -> Range<usize> {
        self.offset..self.offset + self.len * size_of::<T>()
    }
}

/// A block of memory that is not allocated yet.
pub(crate) struct Layout<M> {
    bytes: usize,
    of: PhantomData<M>,
}

impl<M> Layout<M> {
    pub fn new() -> Self {
        Layout { bytes: 0, of: PhantomData }
    }

    /// Reserves room for this many numbers.
    pub fn take<T>(&mut self, len: usize) -> Span<T, M> {
        let offset = self.bytes;
        let bytes = len.saturating_mul(size_of::<T>()).checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
        Span { offset, len, of: PhantomData }
    }

    /// Total bytes reserved.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
