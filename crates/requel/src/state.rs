//! [`State`]: what a component saves and takes back, as named tensors and values.

mod packed;
mod shared_rows;
mod tensor;

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::Dtype;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use shared_rows::SharedRows;
pub use tensor::{Bytes, Tensor};

/// The state of components: tensors and values by name. Names look like `replay/records`; the text before the slash is the part, and a
/// checkpoint has one file per part.
///
/// Tensors borrow from the components if possible, or share their memory ([`SharedRows`]), so that saving a large buffer copies nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State<'a> {
    /// Arrays by name.
    pub tensors: BTreeMap<String, Tensor<'a>>,
    /// Everything else by name.
    pub values: BTreeMap<String, serde_json::Value>,
}

/// A state that does not fit the component that reads it.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("saved state `{name}` {reason}")]
pub struct StateError {
    /// Which tensor or value.
    pub name: String,
    /// What is wrong, as the rest of a sentence that starts with the name.
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
        let bytes = bytemuck::cast_slice(values).into();
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::F32, shape, bytes });
    }

    /// Adds an array of `u32`.
    pub fn put_u32(&mut self, name: impl Into<String>, shape: Vec<usize>, values: &'a [u32]) {
        let bytes = bytemuck::cast_slice(values).into();
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::U32, shape, bytes });
    }

    /// Adds an array of `u32`, one line for each of these rows. They are shared and not copied: later writes to the rows are not visible
    /// here.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn put_rows(&mut self, name: impl Into<String>, rows: &SharedRows, range: Range<usize>) {
        let shape = vec![range.len(), rows.words()];
        let bytes = rows.snapshot(range).into();
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::U32, shape, bytes });
    }

    /// Adds an array of bytes.
    pub fn put_bytes(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        let shape = vec![bytes.len()];
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::U8, shape, bytes: bytes.into() });
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

    /// Adds under `key` the name of something that a program gives and a state cannot contain, if there is such a thing.
    pub(crate) fn put_name(&mut self, key: &str, name: Option<&str>) {
        if let Some(name) = name {
            self.put(key, name);
        }
    }

    /// Refuses a state that has a name other than the given one under `key`.
    pub(crate) fn check_name(&self, key: &str, given: Option<&str>) -> Result<(), StateError> {
        let saved: Option<String> = self.values.contains_key(key).then(|| self.read(key)).transpose()?;
        if saved.as_deref() == given {
            return Ok(());
        }
        let say = |name: Option<&str>| name.map_or("none".to_owned(), |name| format!("`{name}`"));
        let (saved, given) = (say(saved.as_deref()), say(given));
        Err(StateError::new(key, format!("is {saved}, but this program has {given}: use the same one")))
    }

    /// The array `name`, copied into `target`.
    ///
    /// # Errors
    /// If it is missing, not an array of `f32`, or has another length.
    pub fn read_f32(&self, name: &str, target: &mut [f32]) -> Result<(), StateError> {
        let bytes = self.bytes(name, Dtype::F32, target.len() * 4)?;
        bytes.copy_to(bytemuck::cast_slice_mut(target));
        Ok(())
    }

    /// The array `name`, copied into `target`.
    ///
    /// # Errors
    /// If it is missing, not an array of `u32`, or has another length.
    pub fn read_u32(&self, name: &str, target: &mut [u32]) -> Result<(), StateError> {
        let bytes = self.bytes(name, Dtype::U32, target.len() * 4)?;
        bytes.copy_to(bytemuck::cast_slice_mut(target));
        Ok(())
    }

    /// The array `name`, copied into these rows.
    ///
    /// # Errors
    /// If it is missing, not an array of `u32`, or has another length.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn read_rows(&self, name: &str, rows: &mut SharedRows, range: Range<usize>) -> Result<(), StateError> {
        let bytes = self.bytes(name, Dtype::U32, range.len() * rows.words() * 4)?;
        let (mut next, mut gathered) = (0, Vec::new());
        rows.pieces_mut(range, |piece| {
            let piece: &mut [u8] = bytemuck::cast_slice_mut(piece);
            piece.copy_from_slice(bytes.part(next..next + piece.len(), &mut gathered));
            next += piece.len();
        });
        Ok(())
    }

    /// The bytes called `name`.
    ///
    /// # Errors
    /// If they are missing.
    pub fn read_bytes(&self, name: &str) -> Result<&[u8], StateError> {
        match self.tensors.get(name) {
            Some(Tensor { dtype: Dtype::U8, bytes, .. }) => {
                bytes.piece().ok_or_else(|| StateError::new(name, "is rows of words"))
            }
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
    /// If it is missing or has another type.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, StateError> {
        let value = self.values.get(name).ok_or_else(|| StateError::new(name, "is missing"))?;
        T::deserialize(value).map_err(|e| StateError::new(name, e.to_string()))
    }

    fn bytes(&self, name: &str, dtype: Dtype, bytes: usize) -> Result<&Bytes<'a>, StateError> {
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

    /// Rows that lie in several blocks, read into one piece and back, and as other rows.
    #[test]
    fn rows_are_read_as_rows_and_as_an_array() {
        let mut rows = SharedRows::zeroed(7, 30_000);
        (0..7).for_each(|at| rows.row_mut(at).fill(at as u32 + 1));
        let mut state = State::default();
        state.put_rows("a/rows", &rows, 1..6);
        let mut array = vec![0; 5 * 30_000];
        state.read_u32("a/rows", &mut array).unwrap();
        let mut other = State::default();
        other.put_u32("a/rows", vec![5, 30_000], &array);
        assert_eq!(state, other);
        for state in [state, other] {
            let mut read = SharedRows::zeroed(9, 30_000);
            state.read_rows("a/rows", &mut read, 2..7).unwrap();
            assert!((0..9).all(|at| {
                let expected = if (2..7).contains(&at) { at as u32 } else { 0 };
                read.row(at).iter().all(|word| *word == expected)
            }));
            let error = state.read_rows("a/rows", &mut read, 2..6).unwrap_err();
            assert_eq!(error.to_string(), "saved state `a/rows` has 600000 bytes, not 480000");
        }
    }

    #[test]
    fn a_name_goes_with_itself_alone() {
        let names = [Some("warm"), Some("cold"), None];
        for saved in names {
            let mut state = State::default();
            state.put_name("a/function", saved);
            for given in names {
                assert_eq!(state.check_name("a/function", given).is_ok(), given == saved, "{saved:?}, {given:?}");
            }
        }
        let error = State::default().check_name("a/function", Some("warm")).unwrap_err().to_string();
        assert_eq!(error, "saved state `a/function` is none, but this program has `warm`: use the same one");
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
