//! [`PolicyFile`]: a policy as one safetensors file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use requel_envs::Env;
use requel_nn::{Network, NetworkSpec, pytorch};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::agent::{AgentError, GreedyPolicy, LoadError, Readout, SavedPolicy};
use crate::config::{ConfigError, EnvConfig};
use crate::identity::{EnvIdentity, EnvOrigin};
use crate::memory::available_bytes;
use crate::storage::read_regular;

/// A policy as stored on disk: the weights with PyTorch's names and layout (`layers.0.weight`, out × in), and the network's description and
/// the environment's id as metadata. Nothing in it can be executed. It consists of a [`SavedPolicy`] of `requel-policy`, which reads it,
/// and how its environment is created.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyFile {
    /// The environment that it was trained in.
    pub env_id: String,
    /// Where that environment came from. Files from before this was recorded are for requel's own.
    pub origin: EnvOrigin,
    /// The identity of that environment; `None` in older files, and if it is unknown.
    pub identity: Option<EnvIdentity>,
    /// How it is created: options, sticky and repeated actions, stacked observations. Its id is `env_id`.
    pub env: EnvConfig,
    /// The network.
    pub network: NetworkSpec,
    /// What its outputs mean.
    pub head: Readout,
    /// Its parameters, in the order of [`Network::slices`].
    pub parameters: Vec<f32>,
}

/// Why a policy file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// The file cannot be read, or is not a policy.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The policy was trained in an environment other than the one it is used in.
    #[error("it is a policy for {trained_in}, not for {used_in}")]
    OtherEnvironment {
        /// The id of the environment that it was trained in.
        trained_in: String,
        /// The id of the environment it is used in.
        used_in: String,
    },
    /// The policy is for a user's environment with the same id as one of requel's.
    #[error(
        "it is a policy for an environment `{env_id}` that is not requel's own, and this program only has requel's own \
         `{env_id}`"
    )]
    OwnEnvironment {
        /// The id of both.
        env_id: String,
    },
    /// The policy is for another environment with this id.
    #[error("it is a policy for another `{env_id}`: the environment here {difference}")]
    ChangedEnvironment {
        /// The id of both.
        env_id: String,
        /// How the environment here differs, as the rest of a sentence about it.
        difference: String,
    },
    /// The policy is for an environment with this id, but another shape.
    #[error(
        "it takes observations of {} numbers and values {} actions; {env_id} has observations of {} numbers and {} actions",
        policy.0, policy.1, environment.0, environment.1
    )]
    OtherShape {
        /// The id of the environment.
        env_id: String,
        /// Numbers of an observation and actions of the policy.
        policy: (usize, usize),
        /// Numbers of an observation and actions of the environment, 0 if its actions are continuous.
        environment: (usize, usize),
    },
    /// A setting of its environment is out of range.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// What is wrong, with the file.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PolicyFileError>,
    },
    /// The policy's network cannot be created.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl PolicyFileError {
    /// The same error with the file it is about.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        match self {
            PolicyFileError::Load(LoadError::Read { .. }) | PolicyFileError::File { .. } => self,
            error => PolicyFileError::File { path: path.to_path_buf(), source: Box::new(error) },
        }
    }
}

impl PolicyFile {
    /// The file's bytes, identical for identical policies.
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
        let mut description = serde_json::json!({ "env": env, "env_id": env_id, "format": SavedPolicy::FORMAT, "head": head, "network": network });
        if self.origin != EnvOrigin::BuiltIn {
            description["env_origin"] = serde_json::json!(self.origin);
        }
        if let Some(identity) = &self.identity {
            description["env_identity"] = serde_json::json!(identity);
        }
        let metadata = HashMap::from([("requel".to_owned(), description.to_string())]);
        safetensors::serialize(views, Some(metadata)).map_err(invalid)
    }

    /// Reads what [`PolicyFile::to_bytes`] wrote.
    ///
    /// # Errors
    /// As [`SavedPolicy::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyFileError> {
        let SavedPolicy { env_id, network, head, parameters, mut description } = SavedPolicy::from_bytes(bytes)?;
        // Each is missing in files written before it existed.
        let env = said::<EnvConfig>(&mut description, "env")?.unwrap_or_default();
        let env = EnvConfig { id: env_id.clone(), ..env };
        env.check("its metadata")?;
        let origin = said(&mut description, "env_origin")?.unwrap_or(EnvOrigin::BuiltIn);
        let identity = said::<EnvIdentity>(&mut description, "env_identity")?;
        if let Some(Err(reason)) = identity.as_ref().map(EnvIdentity::check) {
            return Err(invalid(format!("`env_identity` in its metadata {reason}")));
        }
        if let Some(identity) = identity.as_ref().filter(|identity| identity.id != env_id || identity.origin != origin)
        {
            let EnvIdentity { id, origin, .. } = identity;
            return Err(invalid(format!(
                "`env_identity` in its metadata says {id} ({origin:?}), but the rest says {env_id}"
            )));
        }
        Ok(PolicyFile { env_id, origin, identity, env, network, head, parameters })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or is not a policy; each error names the file.
    pub fn read(path: &Path) -> Result<Self, PolicyFileError> {
        let bytes = read_regular(path, Self::most_bytes());
        let bytes = bytes.map_err(|source| LoadError::Read { path: path.to_path_buf(), source })?;
        Self::from_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// The maximum length of a file that is read, bytes.
    pub(crate) fn most_bytes() -> u64 {
        available_bytes().map_or(SavedPolicy::MOST_BYTES, |available| available.min(SavedPolicy::MOST_BYTES))
    }

    /// Checks the policy against an environment as a network sees it, created by [`for_network`](crate::train::for_network): its id, the
    /// length of its observations and its actions.
    ///
    /// # Errors
    /// [`PolicyFileError::OtherEnvironment`] or [`PolicyFileError::OtherShape`].
    pub fn check_env(&self, env: &dyn Env) -> Result<(), PolicyFileError> {
        let env_id = &env.spec().id;
        self.check_id(env_id)?;
        let network = Network::new(&self.network).map_err(AgentError::from)?;
        let policy = (network.input_len(), network.output_len() / self.head.atoms().max(1));
        let environment = (env.observation_len(), env.action_space().discrete_n().unwrap_or(0));
        if policy == environment {
            return Ok(());
        }
        Err(PolicyFileError::OtherShape { env_id: env_id.clone(), policy, environment })
    }

    /// Refuses an environment with another id.
    ///
    /// # Errors
    /// [`PolicyFileError::OtherEnvironment`].
    pub(crate) fn check_id(&self, found: &str) -> Result<(), PolicyFileError> {
        match self.env_id == found {
            true => Ok(()),
            false => {
                let (trained_in, used_in) = (self.env_id.clone(), found.to_owned());
                Err(PolicyFileError::OtherEnvironment { trained_in, used_in })
            }
        }
    }

    /// Checks the policy against the identity of an environment before discrete observations are one-hot encoded: it must be the one that
    /// the policy was trained in. For policies that did not record it, checks the id and the origin.
    ///
    /// # Errors
    /// [`PolicyFileError::OtherEnvironment`], [`PolicyFileError::OwnEnvironment`] or [`PolicyFileError::ChangedEnvironment`].
    pub fn check_identity(&self, found: &EnvIdentity) -> Result<(), PolicyFileError> {
        self.check_known(self.identity.as_ref(), found)
    }

    /// Like [`PolicyFile::check_identity`], but only what no setting around an environment changes: its origin and its actions.
    ///
    /// # Errors
    /// As [`PolicyFile::check_identity`].
    pub(crate) fn check_actions(&self, found: &EnvIdentity) -> Result<(), PolicyFileError> {
        let set_apart = |known: &EnvIdentity| EnvIdentity {
            observations: found.observations.clone(),
            reward_range: None,
            goal: None,
            max_episode_steps: None,
            ..known.clone()
        };
        self.check_known(self.identity.as_ref().map(set_apart).as_ref(), found)
    }

    /// Compares the recorded identity of the policy's environment with another one.
    fn check_known(&self, known: Option<&EnvIdentity>, found: &EnvIdentity) -> Result<(), PolicyFileError> {
        self.check_id(&found.id)?;
        self.check_origin(found.origin)?;
        match known.and_then(|known| known.difference(found)) {
            Some(difference) => Err(PolicyFileError::ChangedEnvironment { env_id: self.env_id.clone(), difference }),
            None => Ok(()),
        }
    }

    /// Refuses requel's own environment for a policy of another environment that only has the same id.
    ///
    /// # Errors
    /// [`PolicyFileError::OwnEnvironment`].
    pub(crate) fn check_origin(&self, found: EnvOrigin) -> Result<(), PolicyFileError> {
        match (self.origin, found) {
            (EnvOrigin::Registered | EnvOrigin::Given, EnvOrigin::BuiltIn) => {
                Err(PolicyFileError::OwnEnvironment { env_id: self.env_id.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The policy, for up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If its network cannot be created on this machine.
    pub fn into_policy(self, max_rows: usize) -> Result<GreedyPolicy, PolicyFileError> {
        let PolicyFile { env_id, network, head, parameters, .. } = self;
        Ok(SavedPolicy { env_id, network, head, parameters, description: Map::new() }.into_policy(max_rows)?)
    }
}

/// The file's metadata under this name, if present.
fn said<T: DeserializeOwned>(description: &mut Map<String, Value>, name: &str) -> Result<Option<T>, PolicyFileError> {
    let value = description.remove(name).filter(|value| !value.is_null());
    let read = value.map(serde_json::from_value).transpose();
    read.map_err(|error| invalid(format!("`{name}` in its metadata: {error}")))
}

fn invalid(reason: impl ToString) -> PolicyFileError {
    LoadError::Invalid { reason: reason.to_string() }.into()
}

#[cfg(test)]
mod tests {
    use requel_nn::Activation;
    use safetensors::SafeTensors;

    use super::*;

    fn file() -> PolicyFile {
        let network = NetworkSpec::mlp(3, &[5], 2, Activation::Relu);
        let count = Network::new(&network).unwrap().parameter_count();
        let head = Readout::Scalar;
        PolicyFile {
            env_id: "CartPole-v1".into(),
            origin: EnvOrigin::BuiltIn,
            identity: Some(EnvIdentity::of(&*requel_envs::make("CartPole-v1").unwrap(), EnvOrigin::BuiltIn)),
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

    /// The file with its header changed and its tensors unchanged.
    fn with_header(change: impl Fn(String) -> String) -> Vec<u8> {
        let bytes = file().to_bytes().unwrap();
        let len = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        let header = change(String::from_utf8(bytes[8..8 + len].to_vec()).unwrap());
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[8 + len..]].concat()
    }

    fn refusal(bytes: &[u8]) -> String {
        PolicyFile::from_bytes(bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_a_file_says_of_itself_is_checked() {
        assert_eq!(PolicyFile::from_bytes(&with_header(|header| header)).unwrap(), file());
        let later = with_header(|header| header.replace(r#"\"format\":1"#, r#"\"format\":999"#));
        assert_eq!(refusal(&later), "it has format 999, but this version reads format 1");
        let none = with_header(|header| header.replace(r#"\"format\":1,"#, ""));
        assert_eq!(refusal(&none), "not a policy: no `format` in its metadata");
        let bias = |header: &str| {
            let from = header.find("\"layers.0.bias\"").unwrap();
            header[from..from + header[from..].find('}').unwrap() + 1].to_owned()
        };
        let twice = with_header(|header| format!("{{{},{}", bias(&header), &header[1..]));
        assert!(refusal(&twice).contains("`layers.0.bias` appears twice"), "{}", refusal(&twice));
        let twice = with_header(|header| header.replace(r#"\"format\":1"#, r#"\"format\":1,\"format\":1"#));
        assert!(refusal(&twice).contains("`format` appears twice"), "{}", refusal(&twice));
    }

    /// A number out of range is refused, and not clamped.
    #[test]
    fn the_numbers_of_the_environment_are_checked_by_name() {
        let refused = |from: &str, to: &str| {
            let changed = with_header(|header| header.replace(from, to));
            assert_ne!(changed, file().to_bytes().unwrap(), "{from}");
            refusal(&changed)
        };
        let cases = [
            (r#"\"frame_stack\":3"#, r#"\"frame_stack\":0"#, "`env.frame_stack` is 0"),
            (r#"\"frame_stack\":3"#, r#"\"frame_stack\":4000000000"#, "`env.frame_stack` is 4000000000"),
            (r#"\"frame_stack\":3"#, r#"\"frame_stack\":-1"#, "`env` in its metadata"),
            (r#"\"action_repeat\":1"#, r#"\"action_repeat\":0"#, "`env.action_repeat` is 0"),
            (r#"\"sticky_actions\":0.0"#, r#"\"sticky_actions\":1.5"#, "`env.sticky_actions` is 1.5"),
            (r#"\"sticky_actions\":0.0"#, r#"\"sticky_actions\":-0.1"#, "`env.sticky_actions` is -0.1"),
            (r#"\"max_episode_steps\":500"#, r#"\"max_episode_steps\":0"#, "its episodes have 0 steps"),
            (r#"\"kind\":\"discrete\",\"n\":2"#, r#"\"kind\":\"discrete\",\"n\":0"#, "its action space has no values"),
            (r#"\"shape\":[4]"#, r#"\"shape\":[5]"#, "its observation space has the shape [5]"),
        ];
        for (from, to, expected) in cases {
            let reason = refused(from, to);
            assert!(reason.contains(expected) && reason.contains("in its metadata"), "{to}: {reason}");
        }
    }

    #[test]
    fn weights_that_are_not_finite_are_refused_by_name() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut policy = file();
            *policy.parameters.last_mut().unwrap() = value;
            let error = refusal(&policy.to_bytes().unwrap());
            assert_eq!(error, format!("`layers.1.bias` contains {value}: a policy's weights must be finite"));
        }
    }

    #[test]
    fn every_error_of_a_file_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.safetensors");
        std::fs::write(&path, safetensors::serialize([("x", file_view())], None).unwrap()).unwrap();
        let error = PolicyFile::read(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{}: not a policy: no `requel` in its metadata", path.display()));
        for other in [dir.path().to_path_buf(), dir.path().join("none")] {
            let error = PolicyFile::read(&other).unwrap_err().to_string();
            assert!(error.contains(&*other.to_string_lossy()), "{error}");
        }
    }

    fn file_view() -> TensorView<'static> {
        TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap()
    }

    #[test]
    fn a_policy_of_another_environment_is_told_by_id_and_by_shape() {
        let trained_in = |env_id: &str, inputs, actions| {
            let network = NetworkSpec::mlp(inputs, &[5], actions, Activation::Relu);
            PolicyFile { env_id: env_id.into(), network, ..file() }
        };
        let env = requel_envs::make("CartPole-v1").unwrap();
        trained_in("CartPole-v1", 4, 2).check_env(&*env).unwrap();
        let error = |policy: PolicyFile| policy.check_env(&*env).unwrap_err().to_string();
        assert_eq!(error(trained_in("Acrobot-v1", 4, 2)), "it is a policy for Acrobot-v1, not for CartPole-v1");
        for (inputs, actions) in [(6, 2), (4, 3)] {
            let expected = format!(
                "it takes observations of {inputs} numbers and values {actions} actions; \
                 CartPole-v1 has observations of 4 numbers and 2 actions"
            );
            assert_eq!(error(trained_in("CartPole-v1", inputs, actions)), expected);
        }
    }
}
