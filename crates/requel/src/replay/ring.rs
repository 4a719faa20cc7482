//! [`Ring`]: records of equal length, the oldest overwritten first.

use super::ReplayError;
use super::buffer::check_size;
use crate::state::{SharedRows, State, StateError};

/// Records of 32-bit words.
pub(super) struct Ring {
    /// As many as its capacity; those below `len` are in use.
    records: SharedRows,
    len: usize,
    /// The index of the next record.
    next: usize,
}

impl Ring {
    /// An empty ring.
    pub(super) fn new(capacity: usize, words: usize) -> Result<Self, ReplayError> {
        if capacity == 0 {
            return Err(ReplayError::NoRoom);
        }
        check_size(capacity, Self::bytes_needed(capacity, words))?;
        Ok(Ring { records: SharedRows::zeroed(capacity, words), len: 0, next: 0 })
    }

    /// Bytes of a full ring.
    pub(super) fn bytes_needed(capacity: usize, words: usize) -> u64 {
        (capacity as u64).saturating_mul(words as u64).saturating_mul(4)
    }

    pub(super) fn capacity(&self) -> usize {
        self.records.rows()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The index of the next record.
    pub(super) fn next_index(&self) -> usize {
        self.next
    }

    pub(super) fn bytes(&self) -> u64 {
        Self::bytes_needed(self.capacity(), self.records.words())
    }

    pub(super) fn record(&self, index: usize) -> &[u32] {
        self.records.row(index)
    }

    /// The record that was written last.
    pub(super) fn newest(&self) -> Option<&[u32]> {
        let index = if self.next == 0 { self.len } else { self.next };
        index.checked_sub(1).map(|index| self.record(index))
    }

    /// The record that the next one overwrites.
    pub(super) fn oldest(&self) -> Option<&[u32]> {
        (self.len == self.capacity()).then(|| self.record(self.next))
    }

    /// All records in use, in the order of their indices.
    pub(super) fn records(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len).map(|index| self.record(index))
    }

    /// Returns the next record to be written, with its index.
    pub(super) fn push(&mut self) -> (usize, &mut [u32]) {
        let index = self.next;
        self.next = if self.next + 1 == self.capacity() { 0 } else { self.next + 1 };
        self.len = self.capacity().min(self.len + 1);
        (index, self.records.row_mut(index))
    }

    /// Reads both ends of each record and discards them. In a large ring each record is in its own cold cache line; requested one after
    /// another without other work between them, they arrive in parallel.
    pub(super) fn fetch(&self, indices: &[u32]) {
        let ends = indices.iter().map(|index| self.records.touch(*index as usize));
        std::hint::black_box(ends.fold(0, |all, end| all ^ end));
    }

    pub(super) fn save(&self, state: &mut State<'_>) {
        state.put_rows("replay/records", &self.records, 0..self.len);
        state.put("replay/capacity", self.capacity());
        state.put("replay/len", self.len);
        state.put("replay/next", self.next);
    }

    pub(super) fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let capacity: usize = state.read("replay/capacity")?;
        if capacity != self.capacity() {
            return Err(StateError::new("replay/capacity", format!("is {capacity}, not {}", self.capacity())));
        }
        let (len, next): (usize, usize) = (state.read("replay/len")?, state.read("replay/next")?);
        // Before the ring is full it is written from the front; after that, every position is possible.
        let whole = if len == capacity { next < capacity } else { len < capacity && next == len };
        if !whole {
            return Err(StateError::new("replay/next", format!("is {next} with {len} of {capacity} records")));
        }
        state.read_rows("replay/records", &mut self.records, 0..len)?;
        (self.len, self.next) = (len, next);
        Ok(())
    }
}
