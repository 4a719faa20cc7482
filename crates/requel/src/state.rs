//! [`State`]: what a component saves and takes back, as named tensors and values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::Dtype;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A named array inside a [`State`].
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// Type of the elements.
    pub dtype: Dtype,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The elements, row-major, little-endian.
    pub bytes: Cow<'a, [u8]>,
}

/// Write history of a large array that is filled row by row, in the order of the rows. It is not saved: it tells a snapshot which
/// rows may have changed since the one before.
#[derive(Clone, Copy, Debug)]
pub struct Writes<'a> {
    /// Which array it is: another one of the same name has another number.
    pub id: u64,
    /// How many rows were written in all, or more than that where it is not known of all which they were.
    pub written: u64,
    /// How many rows there are at most.
    pub capacity: usize,
    /// Which row was written when.
    pub order: WriteOrder<'a>,
}

/// In what order rows are written.
#[derive(Clone, Copy, Debug)]
pub enum WriteOrder<'a> {
    /// One after the other, round and round.
    InTurn {
        /// Which one is written next.
        next: usize,
    },
    /// In any order.
    Listed {
        /// Of which row each of the latest writes was: write `w` of row `log[w % log.len()] - first`, or of none where there is no
        /// such row.
        log: &'a [u32],
        /// By how much the log counts higher.
        first: u32,
    },
}

/// The state of components: tensors and values by name. Names look like `replay/records`; what stands before the slash
/// is the part, and a checkpoint has one file per part.
///
/// Tensors borrow from the components where they can, so that saving a large buffer copies nothing.
#[derive(Clone, Debug, Default)]
pub struct State<'a> {
    /// Arrays by name.
    pub tensors: BTreeMap<String, Tensor<'a>>,
    /// Everything else by name.
    pub values: BTreeMap<String, serde_json::Value>,
    /// How those arrays were written that are large and written row by row, by name. Not saved.
    pub writes: BTreeMap<String, Writes<'a>>,
}

impl PartialEq for State<'_> {
    /// Whether all that is saved is the same.
    fn eq(&self, other: &Self) -> bool {
        self.tensors == other.tensors && self.values == other.values
    }
}

/// A state that does not fit the component that reads it.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("saved state `{name}` {reason}")]
pub struct StateError {
    /// Which tensor or value.
    pub name: String,
    /// What is wrong, as the rest of a sentence that the name begins.
    pub reason: String,
}

impl StateError {
    /// An error about `name`.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        StateError { name: name.into(), reason: reason.into() }
    }
}

impl<'a> State<'a> {
    /// Adds an array of `f32`.
    pub fn put_f32(&mut self, name: impl Into<String>, shape: Vec<usize>, values: &'a [f32]) {
        let bytes = Cow::Borrowed(bytemuck::cast_slice(values));
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::F32, shape, bytes });
    }

    /// Adds an array of `u32`.
    pub fn put_u32(&mut self, name: impl Into<String>, shape: Vec<usize>, values: &'a [u32]) {
        let bytes = Cow::Borrowed(bytemuck::cast_slice(values));
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::U32, shape, bytes });
    }

    /// Adds an array of bytes.
    pub fn put_bytes(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        let shape = vec![bytes.len()];
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::U8, shape, bytes: Cow::Owned(bytes) });
    }

    /// Adds an array of flags, a byte each.
    pub(crate) fn put_flags(&mut self, name: impl Into<String>, flags: &[bool]) {
        self.put_bytes(name, flags.iter().map(|flag| u8::from(*flag)).collect());
    }

    /// Adds a value.
    pub fn put(&mut self, name: impl Into<String>, value: impl Serialize) {
        let value = serde_json::to_value(value).expect("saved values are plain data");
        self.values.insert(name.into(), value);
    }

    /// The array `name`, copied into `target`.
    ///
    /// # Errors
    /// If it is missing, no array of `f32`, or of another length.
    pub fn read_f32(&self, name: &str, target: &mut [f32]) -> Result<(), StateError> {
        let bytes = self.tensor(name, Dtype::F32, target.len() * 4)?;
        bytemuck::cast_slice_mut::<f32, u8>(target).copy_from_slice(bytes);
        Ok(())
    }

    /// The array `name`, copied into `target`.
    ///
    /// # Errors
    /// If it is missing, no array of `u32`, or of another length.
    pub fn read_u32(&self, name: &str, target: &mut [u32]) -> Result<(), StateError> {
        let bytes = self.tensor(name, Dtype::U32, target.len() * 4)?;
        bytemuck::cast_slice_mut::<u32, u8>(target).copy_from_slice(bytes);
        Ok(())
    }

    /// The bytes called `name`.
    ///
    /// # Errors
    /// If they are missing.
    pub fn read_bytes(&self, name: &str) -> Result<&[u8], StateError> {
        match self.tensors.get(name) {
            Some(tensor) if tensor.dtype == Dtype::U8 => Ok(&tensor.bytes),
            Some(tensor) => Err(StateError::new(name, format!("is {:?}, not U8", tensor.dtype))),
            None => Err(StateError::new(name, "is missing")),
        }
    }

    /// The flags `name`, copied into `target`.
    pub(crate) fn read_flags(&self, name: &str, target: &mut [bool]) -> Result<(), StateError> {
        let bytes = self.read_bytes(name)?;
        if bytes.len() != target.len() || bytes.iter().any(|byte| *byte > 1) {
            return Err(StateError::new(name, format!("is not {} flags", target.len())));
        }
        target.iter_mut().zip(bytes).for_each(|(flag, byte)| *flag = *byte == 1);
        Ok(())
    }

    /// The value `name`.
    ///
    /// # Errors
    /// If it is missing or of another type.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, StateError> {
        let value = self.values.get(name).ok_or_else(|| StateError::new(name, "is missing"))?;
        T::deserialize(value).map_err(|e| StateError::new(name, e.to_string()))
    }

    fn tensor(&self, name: &str, dtype: Dtype, bytes: usize) -> Result<&[u8], StateError> {
        let tensor = self.tensors.get(name).ok_or_else(|| StateError::new(name, "is missing"))?;
        if tensor.dtype != dtype {
            return Err(StateError::new(name, format!("is {:?}, not {dtype:?}", tensor.dtype)));
        }
        if tensor.bytes.len() != bytes {
            return Err(StateError::new(name, format!("has {} bytes, not {bytes}", tensor.bytes.len())));
        }
        Ok(&tensor.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_read() {
        let (floats, words) = ([1.5f32, -0.0], [7u32]);
        let mut state = State::default();
        state.put_f32("a/floats", vec![2], &floats);
        state.put_u32("a/words", vec![1], &words);
        state.put_bytes("b/bytes", vec![1, 2, 3]);
        // Every bit of a double survives.
        state.put("c/number", 0.1f64 + 0.2);
        let (mut floats_read, mut words_read) = ([9.0f32; 2], [9u32]);
        state.read_f32("a/floats", &mut floats_read).unwrap();
        state.read_u32("a/words", &mut words_read).unwrap();
        assert_eq!(floats_read.map(f32::to_bits), floats.map(f32::to_bits));
        assert_eq!(words_read, words);
        assert_eq!(state.read_bytes("b/bytes").unwrap(), [1, 2, 3]);
        assert_eq!(state.read::<f64>("c/number").unwrap(), 0.1 + 0.2);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let floats = [1.0f32; 2];
        let mut state = State::default();
        state.put_f32("floats", vec![2], &floats);
        state.put("text", "seven");
        let message = |result: Result<(), StateError>| result.unwrap_err().to_string();
        assert_eq!(message(state.read_f32("none", &mut [0.0])), "saved state `none` is missing");
        assert_eq!(message(state.read_f32("floats", &mut [0.0])), "saved state `floats` has 8 bytes, not 4");
        assert_eq!(message(state.read_u32("floats", &mut [0; 2])), "saved state `floats` is F32, not U32");
        assert_eq!(state.read_bytes("floats").unwrap_err().to_string(), "saved state `floats` is F32, not U8");
        assert_eq!(state.read::<u64>("none").unwrap_err().to_string(), "saved state `none` is missing");
        assert_eq!(state.read::<u64>("text").unwrap_err().name, "text");
    }
}
