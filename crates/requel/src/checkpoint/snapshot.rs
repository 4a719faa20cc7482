//! [`Snapshots`]: copies of a state that others can write while training goes on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::state::{State, Tensor, WriteOrder, Writes};

/// Makes copies of a state into memory that it keeps: fresh memory costs more than the copy. Of an array that is written row by row,
/// such as a replay buffer, only those are copied that were written since the copy before.
#[derive(Debug, Default)]
pub struct Snapshots {
    spare: BTreeMap<String, Spare>,
    /// How far the copy came that was given out last.
    given: BTreeMap<String, Mark>,
}

/// The memory of an earlier copy, and what it was a copy of.
#[derive(Debug, Default)]
struct Spare {
    bytes: Vec<u8>,
    reached: Option<Mark>,
}

/// A moment in the life of an array.
#[derive(Clone, Copy, Debug)]
struct Mark {
    id: u64,
    written: u64,
}

impl Snapshots {
    /// A copy of `state` that borrows nothing.
    pub fn copy(&mut self, state: &State<'_>) -> State<'static> {
        self.given = marks(state);
        let mut copy = State { values: state.values.clone(), ..State::default() };
        for (name, tensor) in &state.tensors {
            let mut spare = self.spare.remove(name).unwrap_or_default();
            spare.update(tensor, state.writes.get(name));
            let Tensor { dtype, shape, .. } = tensor;
            let tensor = Tensor { dtype: *dtype, shape: shape.clone(), bytes: Cow::Owned(spare.bytes) };
            copy.tensors.insert(name.clone(), tensor);
        }
        copy
    }

    /// Takes the copy back that was given last and is no longer needed. It must not have been changed.
    pub fn recycle(&mut self, copy: State<'static>) {
        let marks = std::mem::take(&mut self.given);
        self.keep(copy, &marks);
    }

    /// Adopts a restored state as the first snapshot. `large` describes the live buffers that were restored from it, so that later
    /// snapshots copy only what has changed since.
    pub fn adopt(&mut self, state: State<'static>, large: &State<'_>) {
        self.keep(state, &marks(large));
    }

    fn keep(&mut self, copy: State<'static>, marks: &BTreeMap<String, Mark>) {
        let spare = |(name, tensor): (String, Tensor<'static>)| {
            let spare = Spare { reached: marks.get(&name).copied(), bytes: tensor.bytes.into_owned() };
            (name, spare)
        };
        self.spare = copy.tensors.into_iter().map(spare).collect();
    }

    /// Copies ahead up to `most_bytes` of the rows written last, for each array that tracks its writes, so that
    /// [`Snapshots::copy`] has less to do. An array whose write history is incomplete is left to that, which copies all of it.
    pub fn follow(&mut self, large: &State<'_>, most_bytes: usize) {
        for (name, now) in &large.writes {
            if let Some(tensor) = large.tensors.get(name) {
                self.spare.entry(name.clone()).or_default().follow(tensor, now, most_bytes);
            }
        }
    }

    /// Bytes that [`Snapshots::follow`] has yet to copy.
    pub fn behind(&self, large: &State<'_>) -> u64 {
        let nothing = Spare::default();
        let behind = large.writes.iter().filter_map(|(name, now)| {
            let tensor = large.tensors.get(name)?;
            Some(self.spare.get(name).unwrap_or(&nothing).behind(tensor, now))
        });
        behind.fold(0, u64::saturating_add)
    }

    /// Bytes of the memory that is kept.
    pub fn bytes(&self) -> u64 {
        self.spare.values().map(|spare| spare.bytes.capacity() as u64).sum()
    }

    /// Bytes that copies of `state` come to, once its arrays are as large as they can be.
    pub fn bytes_needed(state: &State<'_>) -> u64 {
        let sizes = state.tensors.iter().map(|(name, tensor)| grown(tensor, state.writes.get(name)) as u64);
        sizes.fold(0, u64::saturating_add)
    }
}

fn marks(state: &State<'_>) -> BTreeMap<String, Mark> {
    let mark = |(name, now): (&String, &Writes<'_>)| (name.clone(), Mark { id: now.id, written: now.written });
    state.writes.iter().map(mark).collect()
}

/// Bytes of an array with as many rows as it can have.
fn grown(tensor: &Tensor<'_>, now: Option<&Writes<'_>>) -> usize {
    let rows = now.map_or(0, |now| now.capacity);
    tensor.bytes.len().max(rows.saturating_mul(row_bytes(tensor)))
}

fn rows(tensor: &Tensor<'_>) -> usize {
    tensor.shape.first().copied().unwrap_or(0)
}

fn row_bytes(tensor: &Tensor<'_>) -> usize {
    tensor.bytes.len() / rows(tensor).max(1)
}

impl Spare {
    /// Makes its bytes those of `tensor`.
    fn update(&mut self, tensor: &Tensor<'_>, now: Option<&Writes<'_>>) {
        let all = &tensor.bytes[..];
        let known = now.zip(self.reached).filter(|(now, mark)| !all.is_empty() && now.know_since(*mark));
        if known.is_none() {
            self.bytes.clear();
        }
        // As much as it can come to, so that it need not move when it grows.
        self.bytes.reserve_exact(grown(tensor, now).saturating_sub(self.bytes.len()));
        match known {
            Some((now, mark)) => self.write(tensor, now, mark.written..now.written),
            None => self.bytes.extend_from_slice(all),
        }
        debug_assert!(self.bytes == all, "a copy of what was written since is not a copy of all");
    }

    /// Where following goes on: from where it came to, or from the beginning where it is known how all `rows` came to be. `None`
    /// where neither is so.
    fn reached(&self, rows: usize, now: &Writes<'_>) -> Option<Mark> {
        let beginning = Mark { id: now.id, written: 0 };
        let from_beginning = match now.order {
            WriteOrder::InTurn { next } => now.written == rows as u64 && next == rows % now.capacity.max(1),
            WriteOrder::Listed { .. } => now.know_since(beginning),
        };
        self.reached.filter(|mark| now.know_since(*mark)).or(from_beginning.then_some(beginning))
    }

    /// Bytes that following has yet to copy.
    fn behind(&self, tensor: &Tensor<'_>, now: &Writes<'_>) -> u64 {
        self.reached(rows(tensor), now).map_or(0, |mark| (now.written - mark.written) * row_bytes(tensor) as u64)
    }

    /// Comes nearer to `tensor`, by `most_bytes` at most.
    fn follow(&mut self, tensor: &Tensor<'_>, now: &Writes<'_>, most_bytes: usize) {
        let row = row_bytes(tensor);
        if row == 0 {
            return;
        }
        let Some(mark) = self.reached(rows(tensor), now) else { return };
        if mark.written == 0 {
            self.bytes.clear();
        }
        let step = (now.written - mark.written).min((most_bytes / row).max(1) as u64);
        // A ring that is no larger is a matter of copying all.
        if step >= now.capacity as u64 {
            return;
        }
        self.bytes.reserve_exact(grown(tensor, Some(now)).saturating_sub(self.bytes.len()));
        self.write(tensor, now, mark.written..mark.written + step);
        self.reached = Some(Mark { id: now.id, written: mark.written + step });
    }

    /// Copies the rows of some writes.
    fn write(&mut self, tensor: &Tensor<'_>, now: &Writes<'_>, writes: Range<u64>) {
        let row = row_bytes(tensor);
        now.each_range(writes, rows(tensor), |rows| self.write_bytes(&tensor.bytes, rows.start * row..rows.end * row));
    }

    /// Copies a range, which begins no later than where the bytes end.
    fn write_bytes(&mut self, all: &[u8], range: Range<usize>) {
        let known = self.bytes.len().min(range.end);
        self.bytes[range.start..known].copy_from_slice(&all[range.start..known]);
        self.bytes.extend_from_slice(&all[known..range.end]);
    }
}

impl Writes<'_> {
    /// Whether it is known which rows were written since, and those are not as good as all.
    fn know_since(&self, mark: Mark) -> bool {
        let known = match self.order {
            WriteOrder::InTurn { .. } => self.capacity,
            WriteOrder::Listed { log, .. } => log.len(),
        };
        self.id == mark.id && self.written.checked_sub(mark.written).is_some_and(|since| since < known as u64)
    }

    /// Shows the rows of some of the writes that are known, so many at once as lie side by side; each is below `rows`.
    fn each_range(&self, writes: Range<u64>, rows: usize, mut show: impl FnMut(Range<usize>)) {
        match self.order {
            WriteOrder::InTurn { next } => {
                let (since, capacity) = ((self.written - writes.start) as usize, self.capacity);
                let count = (writes.end - writes.start) as usize;
                let first = if since <= next { next - since } else { next + capacity - since };
                let last = (first + count).min(capacity);
                show(first..last);
                // Round the end.
                show(0..first + count - last);
            }
            WriteOrder::Listed { log, first } => {
                let row = |write: u64| log[(write % log.len() as u64) as usize].checked_sub(first);
                let row = |write: u64| row(write).map(|row| row as usize).filter(|row| *row < rows);
                writes.filter_map(row).for_each(|row| show(row..row + 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_turn(id: u64, written: u64, capacity: usize, next: usize) -> Writes<'static> {
        Writes { id, written, capacity, order: WriteOrder::InTurn { next } }
    }

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
                    state.writes.insert("ring".into(), in_turn(3, written, capacity, next));
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
            state.writes.insert("ring".into(), in_turn(1, written, 4, next));
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
            state
                .writes
                .insert("ring".into(), Writes { id, written: 4, capacity: 4, order: WriteOrder::InTurn { next: 0 } });
            let copy = snapshots.copy(&state);
            assert_eq!(copy, state);
            snapshots.recycle(copy);
        }
    }

    /// Rows in two pieces of memory, of which the second begins at row 3, and a log of the latest writes.
    struct Pool {
        words: Vec<u32>,
        log: Vec<u32>,
        written: u64,
    }

    impl Pool {
        const FIRST: usize = 3;

        fn write(&mut self, row: usize) {
            let row = row.min(self.words.len());
            if row == self.words.len() {
                self.words.push(0);
            }
            let latest = self.written as usize % self.log.len();
            self.log[latest] = row as u32;
            self.written += 1;
            self.words[row] = self.written as u32;
        }

        fn state(&self) -> State<'_> {
            let mut state = State::default();
            let (one, other) = self.words.split_at(Self::FIRST.min(self.words.len()));
            for (name, first, words) in [("one", 0, one), ("other", Self::FIRST, other)] {
                state.put_u32(name, vec![words.len(), 1], words);
                let order = WriteOrder::Listed { log: &self.log, first: first as u32 };
                state.writes.insert(name.into(), Writes { id: 1, written: self.written, capacity: 8, order });
            }
            state
        }
    }

    proptest! {
        /// Rows written in any order, followed as it happens, copied now and then, taken over by another now and then.
        #[test]
        fn of_rows_in_any_order_what_was_written_is_copied(
            log in 1usize..20,
            turns in proptest::collection::vec((0usize..9, 0usize..12, 0u8..8), 0..120),
        ) {
            let mut snapshots = Snapshots::default();
            let mut pool = Pool { words: vec![], log: vec![0; log], written: 0 };
            for (row, rows_followed, kind) in turns {
                pool.write(row);
                if rows_followed > 0 {
                    snapshots.follow(&pool.state(), rows_followed * 4);
                }
                if kind == 0 {
                    let copy = snapshots.copy(&pool.state());
                    prop_assert_eq!(&copy, &pool.state());
                    snapshots.recycle(copy);
                } else if kind == 1 {
                    let copy = Snapshots::default().copy(&pool.state());
                    snapshots = Snapshots::default();
                    snapshots.adopt(copy, &pool.state());
                }
            }
            prop_assert_eq!(&snapshots.copy(&pool.state()), &pool.state());
        }
    }

    #[test]
    fn what_was_followed_or_adopted_is_not_copied_again() {
        let mut pool = Pool { words: vec![], log: vec![0; 16], written: 0 };
        [0, 1, 2, 3, 4, 1, 1].into_iter().for_each(|row| pool.write(row));
        let mut snapshots = Snapshots::default();
        // Seven writes of four bytes, which both pieces have to look at.
        assert_eq!(snapshots.behind(&pool.state()), 2 * 28);
        snapshots.follow(&pool.state(), 5 * 4);
        assert_eq!(snapshots.behind(&pool.state()), 2 * 8);
        assert_eq!(snapshots.spare["one"].bytes.len(), 3 * 4);
        assert_eq!(snapshots.spare["other"].bytes.len(), 2 * 4);
        let copy = Snapshots::default().copy(&pool.state());
        let mut snapshots = Snapshots::default();
        snapshots.adopt(copy, &pool.state());
        pool.write(2);
        assert_eq!(snapshots.behind(&pool.state()), 2 * 4);
        // More than the log knows.
        (0..16).for_each(|row| pool.write(row % 5));
        assert_eq!(snapshots.behind(&pool.state()), 0);
        assert!(snapshots.spare["one"].reached(3, &pool.state().writes["one"]).is_none());
        assert_eq!(snapshots.copy(&pool.state()), pool.state());
    }

    /// As it is with a ring that is full and in the midst of a round when a run is resumed.
    #[test]
    fn of_a_ring_that_was_read_only_what_came_since_is_copied() {
        let mut words = [5u32, 6, 3, 4];
        fn ring(words: &[u32], written: u64, next: usize) -> State<'_> {
            let mut state = State::default();
            state.put_u32("ring", vec![4, 1], words);
            state.writes.insert("ring".into(), in_turn(1, written, 4, next));
            state
        }
        let mut read = State::default();
        read.put_u32("ring", vec![4, 1], &[5, 6, 3, 4]);
        let mut snapshots = Snapshots::default();
        snapshots.adopt(read, &ring(&words, 4, 2));
        words[2] = 7;
        assert_eq!(snapshots.behind(&ring(&words, 5, 3)), 4);
        words[3] = 8;
        snapshots.follow(&ring(&words, 6, 0), 4);
        assert_eq!(snapshots.behind(&ring(&words, 6, 0)), 4);
        assert_eq!(snapshots.copy(&ring(&words, 6, 0)), ring(&words, 6, 0));
    }
}
