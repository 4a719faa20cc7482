//! [`SavedPolicy`]: a policy as it lies in a file.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use requel_nn::{Network, NetworkSpec, Workspace, pytorch};
use serde_json::{Map, Value};

use crate::tensors::{Tensor, Tensors};
use crate::unique_keys::check_unique_keys;
use crate::{GreedyPolicy, LoadError, PolicyError, Readout, ValueSpec, description};

/// The version of the format that this code reads.
pub(crate) const FORMAT: u64 = 1;

/// A policy as one safetensors file, as requel writes it: the weights with PyTorch's names and layout (`layers.0.weight`, out × in), and
/// the network's description and the environment's id as metadata. Nothing in it can be executed.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPolicy {
    /// The environment that it was trained in.
    pub env_id: String,
    /// The network.
    pub network: NetworkSpec,
    /// What its outputs mean.
    pub head: Readout,
    /// Its parameters, in the order of [`Network::slices`].
    pub parameters: Vec<f32>,
    /// Other metadata of the file, by name: how the environment was created (`env`), such as the number of frames stacked into an
    /// observation.
    pub description: Map<String, Value>,
}

impl SavedPolicy {
    /// The version of the format that is read, and that a writer puts into `format`.
    pub const FORMAT: u64 = FORMAT;
    /// The maximum size of a file that is read, bytes: a policy with a thousand million weights.
    pub const MOST_BYTES: u64 = 4 << 30;

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// [`LoadError::Invalid`] for anything that is not a policy, [`LoadError::Format`] for files of a later version,
    /// [`LoadError::NotFinite`] if a weight is NaN or infinite, and [`LoadError::Policy`] if the network is invalid.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        let tensors = Tensors::read(bytes).map_err(invalid)?;
        let mut description = description_of(&tensors)?;
        let mut take = |name: &str| description.remove(name).unwrap_or(Value::Null);
        // First: the rest may look different in another format.
        match take("format") {
            found if found == FORMAT => {}
            Value::Null => return Err(invalid("no `format` in its metadata")),
            found => return Err(LoadError::Format { found }),
        }
        let Value::String(env_id) = take("env_id") else { return Err(invalid("no `env_id` in its metadata")) };
        let spec = description::network(&take("network")).map_err(invalid)?;
        let head = match take("head") {
            // Written before there were other heads.
            Value::Null => Readout::Scalar,
            head => Readout::of_description(&head).map_err(invalid)?,
        };
        let network = Network::new(&spec).map_err(PolicyError::from)?;
        // The file contains every parameter: only now is memory allocated for them.
        if tensors.count() != network.parameter_count() {
            return Err(invalid("it does not contain as many numbers as its network has parameters"));
        }
        let mut parameters = vec![0.0; network.parameter_count()];
        for slice in network.slices() {
            let tensor = tensors.get(&slice.name).filter(|tensor| tensor.shape == pytorch::shape(slice));
            let tensor = tensor.ok_or_else(|| {
                invalid(format!(
                    "no `{}` with the shape that its network \
                needs",
                    slice.name
                ))
            })?;
            let theirs =
                finite_numbers(tensor).map_err(|value| LoadError::NotFinite { tensor: slice.name.clone(), value })?;
            pytorch::import(slice, &theirs, &mut parameters[slice.range.clone()]);
        }
        Ok(SavedPolicy { env_id, network: spec, head, parameters, description })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or is not a policy; each error names the file.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let bytes = read(path).map_err(|source| LoadError::Read { path: path.to_path_buf(), source })?;
        Self::from_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// The policy, for up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If the network does not match the meaning of its outputs, or a single observation would need more than [`SavedPolicy::MOST_BYTES`]
    /// of memory.
    pub fn into_policy(self, max_rows: usize) -> Result<GreedyPolicy, LoadError> {
        let network = Network::new(&self.network).map_err(PolicyError::from)?;
        let needed = Workspace::bytes_needed_with_fractions(&network, 1, self.head.acting_fractions().max(1));
        let needed = needed.map_err(PolicyError::from)?;
        if needed as u64 > Self::MOST_BYTES {
            return Err(invalid(format!("its network needs {needed} bytes for a single observation")));
        }
        let spec = ValueSpec { network: self.network, head: self.head };
        Ok(GreedyPolicy::new(&spec, self.parameters, max_rows)?)
    }
}

/// The metadata of a file.
fn description_of(tensors: &Tensors<'_>) -> Result<Map<String, Value>, LoadError> {
    let text = tensors.metadata("requel").ok_or_else(|| invalid("no `requel` in its metadata"))?;
    check_unique_keys(text.as_bytes()).map_err(invalid)?;
    match serde_json::from_str(text).map_err(invalid)? {
        Value::Object(description) => Ok(description),
        _ => Err(invalid("`requel` in its metadata is not a JSON object")),
    }
}

/// The numbers of a tensor, or the first of them that is NaN or infinite.
fn finite_numbers(tensor: &Tensor<'_>) -> Result<Vec<f32>, f32> {
    let numbers: Vec<f32> = tensor.numbers().collect();
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => Err(*number),
        None => Ok(numbers),
    }
}

/// The bytes of a regular file that is not too large. Other files, such as pipes, are not opened: that could wait forever.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let most = SavedPolicy::MOST_BYTES;
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let file = fs::File::open(path)?;
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "it is too large to be a policy");
    if file.metadata()?.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}

fn invalid(reason: impl ToString) -> LoadError {
    LoadError::Invalid { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../examples/cartpole.safetensors");

    /// The sample with its header changed and its tensors unchanged.
    fn with_header(change: impl Fn(String) -> String) -> Vec<u8> {
        let len = u64::from_le_bytes(*SAMPLE.first_chunk().unwrap()) as usize;
        let header = change(String::from_utf8(SAMPLE[8..8 + len].to_vec()).unwrap());
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &SAMPLE[8 + len..]].concat()
    }

    fn refusal(bytes: &[u8]) -> String {
        SavedPolicy::from_bytes(bytes).unwrap_err().to_string()
    }

    fn replaced(from: &str, to: &str) -> Vec<u8> {
        let file = with_header(|header| header.replace(from, to));
        assert_ne!(file, SAMPLE, "{from}");
        file
    }

    #[test]
    fn a_file_says_what_it_is() {
        let policy = SavedPolicy::from_bytes(SAMPLE).unwrap();
        assert_eq!((policy.env_id.as_str(), policy.parameters.len()), ("CartPole-v1", 123));
        assert_eq!(policy.head, Readout::Categorical { atoms: 11, v_min: 0.0, v_max: 10.0 });
        assert!(policy.description.is_empty());
        let more = SavedPolicy::from_bytes(&replaced(r#"{\"env_id\""#, r#"{\"env\":{\"frame_stack\":3},\"env_id\""#));
        assert_eq!(more.unwrap().description["env"]["frame_stack"], 3);
    }

    #[test]
    fn what_a_file_says_of_itself_is_checked() {
        let refused = |from: &str, to: &str| refusal(&replaced(from, to));
        assert_eq!(refused(r#"\"format\":1"#, r#"\"format\":9"#), "it has format 9, but this version reads format 1");
        assert_eq!(refused(r#"\"format\":1,"#, ""), "not a policy: no `format` in its metadata");
        assert_eq!(refused("env_id", "name"), "not a policy: no `env_id` in its metadata");
        assert_eq!(refused(r#""requel""#, r#""other""#), "not a policy: no `requel` in its metadata");
        let twice = refused(r#"\"format\":1"#, r#"\"format\":1,\"format\":1"#);
        assert!(twice.contains("`format` appears twice"), "{twice}");
        let kind = refused("dense", "attention");
        assert_eq!(kind, "not a policy: network.layers.0: `attention` is not a kind of layer that this version knows");
        let more = refused(r#"\"outputs\":22"#, r#"\"outputs\":33"#);
        assert_eq!(more, "not a policy: it does not contain as many numbers as its network has parameters");
        assert!(refused("layers.0.bias", "layers.0.bas").contains("no `layers.0.bias` with the shape"));
    }

    #[test]
    fn weights_that_are_not_finite_are_refused_by_name() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let at = SAMPLE.len() - 4;
            let file = [&SAMPLE[..at], &value.to_le_bytes()].concat();
            assert_eq!(
                refusal(&file),
                format!("`layers.2.weight` contains {value}: a policy's weights must be finite")
            );
        }
    }

    /// Any byte another, any byte missing: an answer, and a policy only where it can act.
    #[test]
    fn no_file_makes_it_panic() {
        let mut policies = 0;
        let mut check = |file: &[u8]| {
            if let Ok(mut policy) = SavedPolicy::from_bytes(file).and_then(|policy| policy.into_policy(1)) {
                let action = policy.act(&vec![0.5; policy.observation_len()], None).unwrap();
                assert!(action < policy.actions());
                policies += 1;
            }
        };
        for at in 0..SAMPLE.len() {
            check(&SAMPLE[..at]);
            check(&[&SAMPLE[..at], &SAMPLE[at + 1..]].concat());
            for byte in [0, 1, b' ', b'"', b'0', b'9', b'a', b'{', b'}', b'\\', 0x7f, 0xff, SAMPLE[at] ^ 1] {
                let mut changed = SAMPLE.to_vec();
                changed[at] = byte;
                check(&changed);
            }
        }
        assert!(policies > 0);
    }

    /// Few parameters, and a picture that no memory holds.
    #[test]
    fn a_network_that_no_memory_holds_is_refused() {
        let layers = r#"{"kind":"conv2d","channels":1,"kernel":1,"stride":1,"activation":"relu"}"#;
        for side in [1_000_000u64, 3_000_000_000] {
            let network = format!(r#"{{"input_shape":[{side},{side},1],"layers":[{layers}]}}"#);
            let network = description::network(&serde_json::from_str(&network).unwrap()).unwrap();
            let policy = SavedPolicy {
                env_id: "Mine-v0".into(),
                network,
                head: Readout::Scalar,
                parameters: vec![0.0; 2],
                description: Map::new(),
            };
            assert!(policy.into_policy(1).is_err(), "{side}");
        }
        let network = NetworkSpec::mlp(1, &[], 2, requel_nn::Activation::Relu);
        for fractions in [0, 1, usize::MAX] {
            let policy = SavedPolicy {
                env_id: "Mine-v0".into(),
                network: network.clone(),
                head: Readout::ImplicitQuantile { fractions },
                parameters: vec![0.0; 4],
                description: Map::new(),
            };
            assert!(policy.into_policy(1).is_err(), "{fractions}");
        }
    }

    #[test]
    fn every_error_of_a_file_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.safetensors");
        fs::write(&path, SAMPLE).unwrap();
        assert_eq!(SavedPolicy::read(&path).unwrap(), SavedPolicy::from_bytes(SAMPLE).unwrap());
        fs::write(&path, replaced(r#"\"format\":1"#, r#"\"format\":2"#)).unwrap();
        for other in [path, dir.path().to_path_buf(), dir.path().join("none")] {
            let error = SavedPolicy::read(&other).unwrap_err().to_string();
            assert!(error.contains(&*other.to_string_lossy()), "{error}");
        }
    }
}
