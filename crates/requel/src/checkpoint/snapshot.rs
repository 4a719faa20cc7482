//! [`Snapshots`]: copies of a state that others can write while training goes on.

use std::collections::BTreeMap;

use crate::state::{State, Tensor};

/// Makes copies of a state. Rows that components share ([`SharedRows`](crate::state::SharedRows)), such as a replay buffer's, stay shared.
/// Other arrays are copied into memory that is reused from one copy to the next: allocating new memory costs more than the copy.
#[derive(Debug, Default)]
pub struct Snapshots {
    spare: BTreeMap<String, Vec<u8>>,
}

impl Snapshots {
    /// A copy of `state` that borrows nothing.
    pub fn copy(&mut self, state: &State<'_>) -> State<'static> {
        let mut copy = State { values: state.values.clone(), ..State::default() };
        for (name, Tensor { dtype, shape, bytes }) in &state.tensors {
            let bytes = bytes.detached(|piece| {
                let mut memory = self.spare.remove(name).unwrap_or_default();
                memory.clear();
                memory.extend_from_slice(piece);
                memory
            });
            copy.tensors.insert(name.clone(), Tensor { dtype: *dtype, shape: shape.clone(), bytes });
        }
        copy
    }

    /// Returns a copy that is no longer needed.
    pub fn recycle(&mut self, copy: State<'static>) {
        let piece = |(name, tensor): (String, Tensor<'static>)| Some((name, tensor.bytes.into_owned_piece()?));
        self.spare = copy.tensors.into_iter().filter_map(piece).collect();
    }

    /// Bytes of the reusable memory.
    pub fn bytes(&self) -> u64 {
        self.spare.values().map(|spare| spare.capacity() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::SharedRows;

    #[test]
    fn a_copy_is_equal_and_its_memory_is_used_again() {
        let (first, second) = ([1.0f32, 2.0, 3.0], [4.0f32, 5.0]);
        let mut snapshots = Snapshots::default();
        let mut state = State::default();
        state.put_f32("a/b", vec![3], &first);
        state.put("c", 7);
        let copy = snapshots.copy(&state);
        assert_eq!(copy, state);
        let place = copy.tensors["a/b"].bytes.piece().unwrap().as_ptr();
        snapshots.recycle(copy);
        let mut shorter = State::default();
        shorter.put_f32("a/b", vec![2], &second);
        let copy = snapshots.copy(&shorter);
        assert_eq!(copy, shorter);
        assert_eq!(copy.tensors["a/b"].bytes.piece().unwrap().as_ptr(), place);
    }

    #[test]
    fn rows_are_shared_until_they_are_written_and_no_longer_than_the_copy_lives() {
        let mut rows = SharedRows::zeroed(10, 4);
        let mut snapshots = Snapshots::default();
        let place = |rows: &SharedRows| rows.row(0).as_ptr();
        let before = place(&rows);
        let copy = {
            let mut state = State::default();
            state.put_rows("a/rows", &rows, 0..10);
            snapshots.copy(&state)
        };
        assert_eq!(place(&rows), before, "they were copied before anybody wrote");
        rows.row_mut(3).fill(7);
        let after = place(&rows);
        assert_ne!(after, before);
        assert!(copy.tensors["a/rows"].bytes.contiguous().iter().all(|byte| *byte == 0));
        let copy_of_later = {
            let mut state = State::default();
            state.put_rows("a/rows", &rows, 0..10);
            snapshots.copy(&state)
        };
        [copy, copy_of_later].into_iter().for_each(|copy| snapshots.recycle(copy));
        assert_eq!(snapshots.bytes(), 0);
        rows.row_mut(4).fill(8);
        assert_eq!(place(&rows), after, "a copy that was taken back still shares them");
    }
}
