//! A [`State`] as bytes, for sending it or storing it in a file.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::{State, StateError, Tensor};

const VALUES: &str = "values";
/// Bytes of the seal.
const SEAL: usize = blake3::OUT_LEN;

impl State<'_> {
    /// The whole state as one array of bytes, in the safetensors format.
    ///
    /// # Errors
    /// If the size of a tensor does not match its shape.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        let pieces: Vec<(&String, &Tensor<'_>, Cow<'_, [u8]>)> =
            self.tensors.iter().map(|(name, tensor)| (name, tensor, tensor.bytes.contiguous())).collect();
        let mut views = Vec::with_capacity(pieces.len());
        for (name, tensor, bytes) in &pieces {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), bytes);
            views.push(((*name).clone(), view.map_err(|error| StateError::new((*name).clone(), error.to_string()))?));
        }
        let values = serde_json::to_string(&self.values).expect("saved values are plain data");
        let said = HashMap::from([(VALUES.to_owned(), values)]);
        safetensors::serialize(views, Some(said)).map_err(|error| StateError::new(VALUES, error.to_string()))
    }

    /// Reads the bytes of a state.
    ///
    /// # Errors
    /// If they are not a state.
    pub fn from_bytes(bytes: &[u8]) -> Result<State<'static>, StateError> {
        let refused = |error: String| StateError::new(VALUES, format!("cannot be read: {error}"));
        let (_, said) = SafeTensors::read_metadata(bytes).map_err(|error| refused(error.to_string()))?;
        let read = SafeTensors::deserialize(bytes).map_err(|error| refused(error.to_string()))?;
        let values =
            said.metadata().as_ref().and_then(|said| said.get(VALUES)).ok_or_else(|| refused("it has none".into()))?;
        let values = serde_json::from_str(values).map_err(|error| refused(error.to_string()))?;
        let owned = |(name, view): (String, TensorView<'_>)| {
            let tensor =
                Tensor { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec().into() };
            (name, tensor)
        };
        Ok(State { tensors: read.tensors().into_iter().map(owned).collect(), values })
    }

    /// The same bytes followed by a seal, with which [`State::from_sealed_bytes`] checks that they are complete.
    ///
    /// # Errors
    /// As [`State::to_bytes`].
    pub fn to_sealed_bytes(&self) -> Result<Vec<u8>, StateError> {
        let mut bytes = self.to_bytes()?;
        let seal = blake3::hash(&bytes);
        bytes.extend(seal.as_bytes());
        Ok(bytes)
    }

    /// Reads sealed bytes of a state.
    ///
    /// # Errors
    /// If they are not a state, or not complete.
    pub fn from_sealed_bytes(bytes: &[u8]) -> Result<State<'static>, StateError> {
        match bytes.split_last_chunk::<SEAL>() {
            Some((bytes, seal)) if blake3::hash(bytes).as_bytes() == seal => State::from_bytes(bytes),
            _ => Err(StateError::new(VALUES, "is damaged, or is not a saved state: the seal does not match")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_the_same_again_and_what_is_cut_is_refused() {
        let numbers = [1.5f32, -0.0, f32::MIN_POSITIVE];
        let mut state = State::default();
        state.put_f32("a/numbers", vec![3], &numbers);
        state.put_bytes("b/bytes", vec![7; 5]);
        state.put("c", ("text", u64::MAX));
        let bytes = state.to_bytes().unwrap();
        let read = State::from_bytes(&bytes).unwrap();
        assert_eq!(read, state);
        for cut in [0, 8, bytes.len() - 1] {
            assert!(State::from_bytes(&bytes[..cut]).is_err());
        }
        let mut sealed = state.to_sealed_bytes().unwrap();
        assert_eq!(State::from_sealed_bytes(&sealed).unwrap(), state);
        // A number that is another one is found by the seal alone.
        let within = bytes.len() - 1;
        sealed[within] ^= 1;
        assert!(State::from_sealed_bytes(&sealed).unwrap_err().reason.contains("damaged"));
        assert!(State::from_sealed_bytes(&bytes).is_err() && State::from_sealed_bytes(&[]).is_err());
        state.tensors.get_mut("a/numbers").unwrap().shape = vec![4];
        assert_eq!(state.to_bytes().unwrap_err().name, "a/numbers");
    }
}
