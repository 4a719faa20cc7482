//! [`Snapshots`]: copies of a state that others can write while training goes on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::state::{State, Tensor};

/// Makes copies of a state into memory that it keeps: fresh memory costs more than the copy.
#[derive(Debug, Default)]
pub struct Snapshots {
    spare: BTreeMap<String, Vec<u8>>,
}

impl Snapshots {
    /// A copy of `state` that borrows nothing.
    pub fn copy(&mut self, state: &State<'_>) -> State<'static> {
        let mut tensors = BTreeMap::new();
        for (name, tensor) in &state.tensors {
            let mut bytes = self.spare.remove(name).unwrap_or_default();
            bytes.clear();
            bytes.extend_from_slice(&tensor.bytes);
            let Tensor { dtype, shape, .. } = tensor;
            tensors.insert(name.clone(), Tensor { dtype: *dtype, shape: shape.clone(), bytes: Cow::Owned(bytes) });
        }
        State { tensors, values: state.values.clone() }
    }

    /// Takes a copy back that is no longer needed.
    pub fn recycle(&mut self, copy: State<'static>) {
        self.spare = copy.tensors.into_iter().map(|(name, tensor)| (name, tensor.bytes.into_owned())).collect();
    }
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
}
