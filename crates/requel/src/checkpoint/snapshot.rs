//! [`Snapshots`]: copies of a state that others can write while training goes on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::state::{Rounds, State, Tensor};

/// Makes copies of a state into memory that it keeps: fresh memory costs more than the copy. Of an array whose rows are written one
/// after the other, such as a replay buffer, only those are copied that were written since the copy before.
#[derive(Debug, Default)]
pub struct Snapshots {
    spare: BTreeMap<String, Spare>,
}

/// The memory of an earlier copy, and what it was a copy of.
#[derive(Debug, Default)]
struct Spare {
    bytes: Vec<u8>,
    rounds: Option<Rounds>,
}

impl Snapshots {
    /// A copy of `state` that borrows nothing.
    pub fn copy(&mut self, state: &State<'_>) -> State<'static> {
        let mut copy = State { values: state.values.clone(), rounds: state.rounds.clone(), ..State::default() };
        for (name, tensor) in &state.tensors {
            let mut spare = self.spare.remove(name).unwrap_or_default();
            spare.update(tensor, state.rounds.get(name));
            let Tensor { dtype, shape, .. } = tensor;
            let tensor = Tensor { dtype: *dtype, shape: shape.clone(), bytes: Cow::Owned(spare.bytes) };
            copy.tensors.insert(name.clone(), tensor);
        }
        copy
    }

    /// Copies of rings, arrays with rounds, what was written last, up to `most_bytes` of each, so that less is left for
    /// [`Snapshots::copy`]. One that went round before it was first seen is left to that.
    pub fn follow(&mut self, rings: &State<'_>, most_bytes: usize) {
        for (name, now) in &rings.rounds {
            if let Some(tensor) = rings.tensors.get(name) {
                self.spare.entry(name.clone()).or_default().follow(tensor, now, most_bytes);
            }
        }
    }

    /// Bytes of rings that [`Snapshots::follow`] has yet to copy.
    pub fn behind(&self, rings: &State<'_>) -> u64 {
        let nothing = Spare::default();
        let behind = rings.rounds.iter().filter_map(|(name, now)| {
            let tensor = rings.tensors.get(name)?;
            Some(self.spare.get(name).unwrap_or(&nothing).behind(tensor, now))
        });
        behind.fold(0, u64::saturating_add)
    }

    /// Takes a copy back that is no longer needed. It must not have been changed.
    pub fn recycle(&mut self, copy: State<'static>) {
        let State { tensors, mut rounds, .. } = copy;
        let spare = |(name, tensor): (String, Tensor<'static>)| {
            let spare = Spare { rounds: rounds.remove(&name), bytes: tensor.bytes.into_owned() };
            (name, spare)
        };
        self.spare = tensors.into_iter().map(spare).collect();
    }

    /// Bytes of the memory that is kept.
    pub fn bytes(&self) -> u64 {
        self.spare.values().map(|spare| spare.bytes.capacity() as u64).sum()
    }

    /// Bytes that copies of `state` come to, once its arrays are as large as they can be.
    pub fn bytes_needed(state: &State<'_>) -> u64 {
        let sizes = state.tensors.iter().map(|(name, tensor)| grown(tensor, state.rounds.get(name)) as u64);
        sizes.fold(0, u64::saturating_add)
    }
}

/// Bytes of an array with as many rows as it can have.
fn grown(tensor: &Tensor<'_>, rounds: Option<&Rounds>) -> usize {
    let rows = rounds.map_or(0, |rounds| rounds.capacity);
    tensor.bytes.len().max(rows.saturating_mul(row_bytes(tensor)))
}

fn row_bytes(tensor: &Tensor<'_>) -> usize {
    tensor.bytes.len() / tensor.shape.first().copied().unwrap_or(0).max(1)
}

impl Spare {
    /// Makes its bytes those of `tensor`.
    fn update(&mut self, tensor: &Tensor<'_>, now: Option<&Rounds>) {
        let all = &tensor.bytes[..];
        let row = row_bytes(tensor);
        let known = self.rounds.zip(now).filter(|_| row > 0 && !all.is_empty());
        let ranges = known.and_then(|(before, now)| written_since(&before, now));
        if ranges.is_none() {
            self.bytes.clear();
        }
        // As much as it can come to, so that it need not move when it grows.
        self.bytes.reserve_exact(grown(tensor, now).saturating_sub(self.bytes.len()));
        match ranges {
            Some(ranges) => ranges.into_iter().for_each(|rows| self.write(all, rows.start * row..rows.end * row)),
            None => self.bytes.extend_from_slice(all),
        }
        debug_assert!(self.bytes == all, "a copy of what was written since is not a copy of all");
    }

    /// Where following goes on: from where it came to, or from the beginning where all `rows` lie in the order in which they were
    /// written. `None` where neither is so.
    fn reached(&self, rows: u64, now: &Rounds) -> Option<Rounds> {
        let known = self.rounds.filter(|before| written_since(before, now).is_some());
        let in_order = now.written == rows && now.next as u64 == rows % now.capacity.max(1) as u64;
        known.or(in_order.then_some(Rounds { written: 0, next: 0, ..*now }))
    }

    /// Bytes that following has yet to copy.
    fn behind(&self, tensor: &Tensor<'_>, now: &Rounds) -> u64 {
        let rows = tensor.shape.first().map_or(0, |rows| *rows as u64);
        self.reached(rows, now).map_or(0, |before| (now.written - before.written) * row_bytes(tensor) as u64)
    }

    /// Comes nearer to `tensor`, by `most_bytes` at most.
    fn follow(&mut self, tensor: &Tensor<'_>, now: &Rounds, most_bytes: usize) {
        let (row, rows) = (row_bytes(tensor), tensor.shape.first().map_or(0, |rows| *rows as u64));
        if row == 0 {
            return;
        }
        let Some(before) = self.reached(rows, now) else { return };
        if before.written == 0 {
            self.bytes.clear();
        }
        let step = (now.written - before.written).min((most_bytes / row).max(1) as u64);
        let next = (before.next as u64 + step) % now.capacity.max(1) as u64;
        let reached = Rounds { written: before.written + step, next: next as usize, ..*now };
        // No part, and so a matter of copying all.
        let Some(ranges) = written_since(&before, &reached) else { return };
        self.bytes.reserve_exact(grown(tensor, Some(now)).saturating_sub(self.bytes.len()));
        for rows in ranges {
            self.write(&tensor.bytes, rows.start * row..rows.end * row);
        }
        self.rounds = Some(reached);
    }

    /// Copies a range, which begins no later than where the bytes end.
    fn write(&mut self, all: &[u8], range: Range<usize>) {
        let known = self.bytes.len().min(range.end);
        self.bytes[range.start..known].copy_from_slice(&all[range.start..known]);
        self.bytes.extend_from_slice(&all[known..range.end]);
    }
}

/// The rows that were written between two looks at an array; `None` where all may have been.
fn written_since(before: &Rounds, now: &Rounds) -> Option<[Range<usize>; 2]> {
    let rows = usize::try_from(now.written.checked_sub(before.written)?).ok()?;
    if before.id != now.id || rows >= now.capacity {
        return None;
    }
    Some(match now.next.checked_sub(rows) {
        Some(first) => [first..now.next, 0..0],
        // Round the end: the rows there, then those from the beginning.
        None => [now.capacity - (rows - now.next)..now.capacity, 0..now.next],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_equal_and_its_memory_is_used_again() {
        let (first, second) = ([1.0f32, 2.0, 3.0], [4.0f32, 5.0]);
        let mut snapshots = Snapshots::default();
        let mut state = State::default();
        state.put_f32("a/b", vec![3], &first);
        state.put("c", 7);
        let copy = snapshots.copy(&state);
        assert_eq!(copy, state);
        let place = copy.tensors["a/b"].bytes.as_ptr();
        snapshots.recycle(copy);
        let mut shorter = State::default();
        shorter.put_f32("a/b", vec![2], &second);
        let copy = snapshots.copy(&shorter);
        assert_eq!(copy, shorter);
        assert_eq!(copy.tensors["a/b"].bytes.as_ptr(), place);
    }

    /// A ring of rows of two words, with looks at it after so many pushes, compared with a whole copy each.
    #[test]
    fn of_a_ring_what_was_written_is_copied_and_it_is_all_there() {
        for capacity in [1usize, 2, 7] {
            for gaps in [vec![1usize; 30], vec![3; 12], vec![0, 1, 0, 6, 7, 8, 14, 2, 5], vec![20, 1, 1]] {
                let mut snapshots = Snapshots::default();
                let mut words = vec![0u32; capacity * 2];
                let (mut written, mut place) = (0u64, None);
                fn ring(words: &[u32], written: u64) -> State<'_> {
                    let capacity = words.len() / 2;
                    let len = (written as usize).min(capacity);
                    let next = (written % capacity as u64) as usize;
                    let mut state = State::default();
                    state.put_u32("ring", vec![len, 2], &words[..len * 2]);
                    state.rounds.insert("ring".into(), Rounds { id: 3, written, capacity, next });
                    state
                }
                for (look, gap) in gaps.iter().enumerate() {
                    for push in 0..*gap {
                        let at = (written % capacity as u64) as usize;
                        written += 1;
                        words[at * 2..at * 2 + 2].copy_from_slice(&[written as u32, !(written as u32)]);
                        // Some are followed at every push, some now and then, a row or two at a time, some not at all.
                        if look % 4 > 0 && push % (look % 4) == 0 {
                            snapshots.follow(&ring(&words, written), 8 * (1 + look % 2));
                        }
                    }
                    let state = ring(&words, written);
                    let copy = snapshots.copy(&state);
                    assert_eq!(copy, state, "capacity {capacity}, look {look}");
                    let bytes = &copy.tensors["ring"].bytes;
                    if !bytes.is_empty() {
                        assert_eq!(*place.get_or_insert(bytes.as_ptr()), bytes.as_ptr(), "it moved");
                    }
                    snapshots.recycle(copy);
                }
            }
        }
    }

    /// As a ring is after its state was read: its rows lie in another order than that of their writing.
    #[test]
    fn a_ring_that_went_round_before_it_was_seen_is_copied_whole() {
        let mut words = [5u32, 6, 3, 4];
        let mut snapshots = Snapshots::default();
        for (written, next) in [(4, 2), (5, 3), (6, 0), (7, 1)] {
            let mut state = State::default();
            state.put_u32("ring", vec![4, 1], &words);
            state.rounds.insert("ring".into(), Rounds { id: 1, written, capacity: 4, next });
            snapshots.follow(&state, 4);
            let copy = snapshots.copy(&state);
            assert_eq!(copy, state, "after {written}");
            snapshots.recycle(copy);
            words[next] = 10 + written as u32;
        }
    }

    #[test]
    fn another_ring_of_the_same_name_is_copied_whole() {
        let (one, other) = ([1u32, 2, 3, 4], [5u32, 6, 7, 8]);
        let mut snapshots = Snapshots::default();
        for (id, words) in [(1, &one), (2, &other)] {
            let mut state = State::default();
            state.put_u32("ring", vec![4, 1], words);
            state.rounds.insert("ring".into(), Rounds { id, written: 4, capacity: 4, next: 0 });
            let copy = snapshots.copy(&state);
            assert_eq!(copy, state);
            snapshots.recycle(copy);
        }
    }
}
