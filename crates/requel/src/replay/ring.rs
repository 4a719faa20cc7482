//! [`Ring`]: records of equal length, the oldest overwritten first.

use std::sync::atomic::{AtomicU64, Ordering};

use super::ReplayError;
use super::buffer::check_memory;
use crate::state::{State, StateError, WriteOrder, Writes};

/// Records of 32-bit words.
pub(super) struct Ring {
    words: usize,
    capacity: usize,
    /// `capacity` records; those below `len` are in use.
    records: Vec<u32>,
    len: usize,
    /// Where the next record goes.
    next: usize,
    /// Which contents these are, and how many records were written to make them so, at least those in use.
    id: u64,
    written: u64,
}

/// A number that no contents of this process had before. It decides nothing.
pub(super) fn fresh_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Ring {
    /// An empty ring; `others` are bytes that its owner takes beside it.
    pub(super) fn new(capacity: usize, words: usize, others: u64) -> Result<Self, ReplayError> {
        if capacity == 0 {
            return Err(ReplayError::NoRoom);
        }
        let needed = Self::bytes_needed(capacity, words).saturating_add(others);
        check_memory(capacity, needed)?;
        // Zeroed memory comes lazily from the system: a large ring costs nothing until it is filled.
        let records = vec![0; capacity * words];
        Ok(Ring { words, capacity, records, len: 0, next: 0, id: fresh_id(), written: 0 })
    }

    /// Bytes of a full ring.
    pub(super) fn bytes_needed(capacity: usize, words: usize) -> u64 {
        (capacity as u64).saturating_mul(words as u64).saturating_mul(4)
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where the next record goes.
    pub(super) fn next_index(&self) -> usize {
        self.next
    }

    pub(super) fn bytes(&self) -> u64 {
        Self::bytes_needed(self.capacity, self.words)
    }

    pub(super) fn record(&self, index: usize) -> &[u32] {
        &self.records[index * self.words..(index + 1) * self.words]
    }

    /// The record that was written last.
    pub(super) fn newest(&self) -> Option<&[u32]> {
        let index = if self.next == 0 { self.len } else { self.next };
        index.checked_sub(1).map(|index| self.record(index))
    }

    /// The record that the next one overwrites.
    pub(super) fn oldest(&self) -> Option<&[u32]> {
        (self.len == self.capacity).then(|| self.record(self.next))
    }

    /// All records in use, in the order of their indices.
    pub(super) fn records(&self) -> impl Iterator<Item = &[u32]> {
        self.records[..self.len * self.words].chunks_exact(self.words)
    }

    /// Hands out the next record to be written, and says where it is.
    pub(super) fn push(&mut self) -> (usize, &mut [u32]) {
        let index = self.next;
        self.next = if self.next + 1 == self.capacity { 0 } else { self.next + 1 };
        self.len = self.capacity.min(self.len + 1);
        self.written += 1;
        (index, &mut self.records[index * self.words..(index + 1) * self.words])
    }

    /// Reads the ends of each record and forgets them. In a large ring each lies in a cold line of its own; asked for one
    /// after another without work between, they come side by side.
    pub(super) fn fetch(&self, indices: &[u32]) {
        let ends = indices.iter().map(|index| self.record(*index as usize)).map(|r| r[0] ^ r[r.len() - 1]);
        std::hint::black_box(ends.fold(0, |all, end| all ^ end));
    }

    /// The records and how they came to be.
    pub(super) fn save_records<'a>(&'a self, state: &mut State<'a>) {
        state.put_u32("replay/records", vec![self.len, self.words], &self.records[..self.len * self.words]);
        let Ring { id, written, capacity, next, .. } = *self;
        let order = WriteOrder::InTurn { next };
        state.writes.insert("replay/records".into(), Writes { id, written, capacity, order });
    }

    pub(super) fn save<'a>(&'a self, state: &mut State<'a>) {
        self.save_records(state);
        state.put("replay/capacity", self.capacity);
        state.put("replay/len", self.len);
        state.put("replay/next", self.next);
    }

    pub(super) fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let capacity: usize = state.read("replay/capacity")?;
        if capacity != self.capacity {
            return Err(StateError::new("replay/capacity", format!("is {capacity}, not {}", self.capacity)));
        }
        let (len, next): (usize, usize) = (state.read("replay/len")?, state.read("replay/next")?);
        // Before the ring is full it is written from the front; then every position is possible.
        let whole = if len == capacity { next < capacity } else { len < capacity && next == len };
        if !whole {
            return Err(StateError::new("replay/next", format!("is {next} with {len} of {capacity} records")));
        }
        state.read_u32("replay/records", &mut self.records[..len * self.words])?;
        (self.len, self.next) = (len, next);
        (self.id, self.written) = (fresh_id(), len as u64);
        Ok(())
    }
}
