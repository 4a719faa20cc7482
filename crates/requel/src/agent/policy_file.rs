//! [`PolicyFile`]: a policy as one safetensors file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use requel_nn::{Network, NetworkSpec, pytorch};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use thiserror::Error;

use crate::config::EnvConfig;

use super::{AgentError, GreedyPolicy, ValueHead, ValueSpec};

/// A policy as it lies on disk: the weights under PyTorch's names and in its layout (`layers.0.weight`, out × in), the
/// network's description and the world's id as metadata. Nothing in it can be executed.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyFile {
    /// The world that it was trained in.
    pub env_id: String,
    /// How it is made: options, sticky and repeated actions, stacked observations. Its id is `env_id`.
    pub env: EnvConfig,
    /// The network.
    pub network: NetworkSpec,
    /// What it says of each action.
    pub head: ValueHead,
    /// Its parameters, in the order of [`Network::slices`].
    pub parameters: Vec<f32>,
}

/// Why a policy file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no policy.
    #[error("not a policy: {reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
    /// The policy's network cannot be made.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl PolicyFile {
    /// The file's bytes, the same for the same policy.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PolicyFileError> {
        let network = Network::new(&self.network).map_err(AgentError::from)?;
        let mut tensors = Vec::new();
        for slice in network.slices() {
            let mut theirs = vec![0.0f32; slice.range.len()];
            pytorch::export(slice, &self.parameters[slice.range.clone()], &mut theirs);
            tensors.push((slice.name.clone(), pytorch::shape(slice), theirs));
        }
        let views = tensors.iter().map(|(name, shape, values)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values));
            (name.as_str(), view.expect("a slice is as long as its shape says"))
        });
        // One entry: a map of several would be written in the order of its hashes.
        let env = EnvConfig { id: self.env_id.clone(), ..self.env.clone() };
        let (env_id, head, network) = (&self.env_id, &self.head, &self.network);
        let description =
            serde_json::json!({ "env": env, "env_id": env_id, "format": 1, "head": head, "network": network });
        let metadata = HashMap::from([("requel".to_owned(), description.to_string())]);
        safetensors::serialize(views, Some(metadata)).map_err(invalid)
    }

    /// Reads what [`PolicyFile::to_bytes`] made.
    ///
    /// # Errors
    /// [`PolicyFileError::Invalid`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyFileError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(invalid)?;
        let entries = metadata.metadata().as_ref();
        let description =
            entries.and_then(|m| m.get("requel")).ok_or_else(|| invalid("no `requel` in its metadata"))?;
        let mut description: serde_json::Value = serde_json::from_str(description).map_err(invalid)?;
        let env_id = description["env_id"].as_str().ok_or_else(|| invalid("no `env_id` in its metadata"))?.to_owned();
        let env = match description["env"].take() {
            // Written when only runs knew.
            serde_json::Value::Null => EnvConfig::default(),
            env => serde_json::from_value(env).map_err(|e| invalid(format!("`env` in its metadata: {e}")))?,
        };
        let env = EnvConfig { id: env_id.clone(), ..env };
        let spec: NetworkSpec = serde_json::from_value(description["network"].take()).map_err(invalid)?;
        let head = match description["head"].take() {
            // Written before there were others.
            serde_json::Value::Null => ValueHead::Scalar,
            head => serde_json::from_value(head).map_err(invalid)?,
        };
        let network = Network::new(&spec).map_err(AgentError::from)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(invalid)?;
        // The file holds every parameter: only then is memory taken for them.
        if tensors.iter().map(|(_, view)| view.data().len()).sum::<usize>() != network.parameter_count() * 4 {
            return Err(invalid("it does not hold as many numbers as its network has parameters"));
        }
        let mut parameters = vec![0.0; network.parameter_count()];
        for slice in network.slices() {
            let view = tensors.tensor(&slice.name).map_err(invalid)?;
            if view.dtype() != Dtype::F32 || view.shape() != pytorch::shape(slice) {
                return Err(invalid(format!("`{}` has not the shape of its network", slice.name)));
            }
            let mut theirs = vec![0.0f32; slice.range.len()];
            bytemuck::cast_slice_mut::<f32, u8>(&mut theirs).copy_from_slice(view.data());
            pytorch::import(slice, &theirs, &mut parameters[slice.range.clone()]);
        }
        Ok(PolicyFile { env_id, env, network: spec, head, parameters })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or is no policy.
    pub fn read(path: &Path) -> Result<Self, PolicyFileError> {
        let bytes = std::fs::read(path).map_err(|source| PolicyFileError::Read { path: path.to_path_buf(), source })?;
        Self::from_bytes(&bytes)
    }

    /// The policy, able to look at up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If its network cannot be made on this machine.
    pub fn into_policy(self, max_rows: usize) -> Result<GreedyPolicy, PolicyFileError> {
        let spec = ValueSpec { network: self.network, head: self.head };
        Ok(GreedyPolicy::new(&spec, self.parameters, max_rows)?)
    }
}

fn invalid(reason: impl ToString) -> PolicyFileError {
    PolicyFileError::Invalid { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use requel_nn::Activation;

    use super::*;

    fn file() -> PolicyFile {
        let network = NetworkSpec::mlp(3, &[5], 2, Activation::Relu);
        let count = Network::new(&network).unwrap().parameter_count();
        let head = ValueHead::Scalar;
        PolicyFile {
            env_id: "CartPole-v1".into(),
            env: EnvConfig { frame_stack: 3, ..EnvConfig::default() },
            network,
            head,
            parameters: (0..count).map(|i| i as f32 * 0.1).collect(),
        }
    }

    #[test]
    fn comes_back_as_written() {
        let bytes = file().to_bytes().unwrap();
        assert_eq!(PolicyFile::from_bytes(&bytes).unwrap(), file());
        assert_eq!(file().to_bytes().unwrap(), bytes);
    }

    /// Those that were written before the environment's options were in them.
    #[test]
    fn an_older_file_is_of_an_environment_without_options() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let bytes = file().to_bytes().unwrap();
        let from = text(&bytes).find(r#"\"env\":{"#).unwrap();
        let until = text(&bytes)[from..].find("},").unwrap() + from + 2;
        let header = [&bytes[8..from], &bytes[until..]].concat();
        let len = u64::from_le_bytes(*bytes.first_chunk().unwrap()) - (until - from) as u64;
        let older = PolicyFile::from_bytes(&[&len.to_le_bytes()[..], &header].concat()).unwrap();
        assert_eq!(older, PolicyFile { env: EnvConfig::default(), ..file() });
    }

    #[test]
    fn weights_are_laid_out_as_pytorch_has_them() {
        let bytes = file().to_bytes().unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("layers.0.weight").unwrap().shape(), [5, 3]);
        assert_eq!(tensors.tensor("layers.0.bias").unwrap().shape(), [5]);
    }

    #[test]
    fn refuses_what_is_cut_short_or_changed() {
        let bytes = file().to_bytes().unwrap();
        for len in 0..bytes.len() {
            assert!(PolicyFile::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains("requel"));
        let other = bytes.iter().map(|b| if *b == b'q' { b'x' } else { *b }).collect::<Vec<_>>();
        assert!(PolicyFile::from_bytes(&other).is_err());
    }
}
