//! `environment.json`: the environment that a run is trained in. `checksums.blake3` covers it from the start.
//!
//! The first session writes it; sessions that resume, and everything else that creates the environment again, compare it with the
//! environment they have before anything is written.

use std::io::ErrorKind;

use requel_envs::{Env, EnvError};

use super::{Run, RunError, checksums};
use crate::agent::AgentError;
use crate::checkpoint::CheckpointError;
use crate::config::Config;
use crate::registry::Registry;
use crate::storage::{RealStorage, replace};
use crate::train::{EnvFactory, EnvIdentity, EnvOrigin, TrainError, Trainer, for_network};

/// Its name.
pub(super) const ENVIRONMENT: &str = "environment.json";
/// Room for the bounds of the largest observations that fit into memory, bytes.
const MOST_BYTES: u64 = 64 << 20;

impl Run {
    /// The identity of the environment that the run is trained in; `None` if no session has started, and for runs of versions that did not
    /// write it.
    ///
    /// # Errors
    /// If the file cannot be read, or was changed.
    pub fn environment(&self) -> Result<Option<EnvIdentity>, RunError> {
        let path = self.dir().join(ENVIRONMENT);
        match checksums::read_sealed(self.dir(), ENVIRONMENT, MOST_BYTES) {
            Err(CheckpointError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            text => {
                let identity: Result<EnvIdentity, _> = serde_json::from_slice(&text?);
                let identity = identity.map_err(|error| CheckpointError::damaged(&path, error))?;
                identity.check().map_err(|reason| CheckpointError::damaged(&path, format!("it {reason}")))?;
                Ok(Some(identity))
            }
        }
    }

    /// Refuses an environment that differs from the run's.
    ///
    /// # Errors
    /// [`RunError::OtherEnvironment`] with the difference; or if the run's identity cannot be read.
    pub fn check_environment(&self, found: &EnvIdentity) -> Result<(), RunError> {
        match self.environment()? {
            Some(known) => match known.difference(found) {
                Some(difference) => Err(self.other_environment(&known, Some(difference))),
                None => Ok(()),
            },
            None => self.check_policy(found),
        }
    }

    /// A fresh trainer of its config, in its environment.
    ///
    /// # Errors
    /// If the registry has no such environment, or another one with its id, or the trainer cannot be created.
    pub fn trainer(&self, registry: &Registry) -> Result<Trainer, RunError> {
        self.trainer_of(self.config()?, registry)
    }

    /// Like [`Run::trainer`], with other settings.
    ///
    /// # Errors
    /// As [`Run::trainer`].
    pub fn trainer_of(&self, config: Config, registry: &Registry) -> Result<Trainer, RunError> {
        match registry.trainer(config) {
            Ok(trainer) => self.check_environment(trainer.env_identity()).map(|()| trainer),
            Err(TrainError::Env(error)) => Err(self.no_environment(error)),
            Err(TrainError::Agent(error @ AgentError::UnknownPart { .. })) => {
                Err(RunError::UnknownPart { path: self.dir().to_path_buf(), source: Box::new(error) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Creates environments like those of the run, with all the wrappers of its config.
    ///
    /// # Errors
    /// If the registry has no such environment, or another one with its id.
    pub fn env_factory(&self, registry: &Registry) -> Result<EnvFactory, RunError> {
        let config = self.config()?;
        let identity = registry.env_identity(&config.env).map_err(|error| self.no_environment(error))?;
        self.check_environment(&identity)?;
        Ok(registry.env_factory(&config.env))
    }

    /// One of its environments, as its network sees it.
    ///
    /// # Errors
    /// As [`Run::env_factory`].
    pub fn env(&self, registry: &Registry) -> Result<Box<dyn Env>, RunError> {
        let config = self.config()?.env;
        let env = registry.env_factory(&config)().map_err(|error| self.no_environment(error))?;
        self.check_environment(&EnvIdentity::of(&*env, registry.env_origin(&config.id)))?;
        Ok(for_network(env).map_err(TrainError::Env)?)
    }

    /// Writes and seals the environment that the run is trained in, unless that was already done. Only for the holder of the lock.
    pub(super) fn note_environment(&self, identity: &EnvIdentity) -> Result<(), RunError> {
        if self.environment()?.is_none() {
            let (path, text) = (self.dir().join(ENVIRONMENT), serde_json::to_vec_pretty(identity));
            let text = text.expect("an identity is plain data");
            replace(&RealStorage, &path, &text).map_err(CheckpointError::io("write", &path))?;
        }
        // A process that died between the two writes left a file without a seal. A run whose checksums were removed continues without.
        if let Some(mut files) = checksums::read(self.dir())?.filter(|files| !files.contains_key(ENVIRONMENT)) {
            let text = checksums::read_sealed(self.dir(), ENVIRONMENT, MOST_BYTES)?;
            files.insert(ENVIRONMENT.to_owned(), checksums::of(&text));
            checksums::write(self.dir(), &files)?;
        }
        Ok(())
    }

    /// Refuses an environment other than that of the best policy. An unreadable policy is ignored: it is written again from the checkpoint.
    pub(super) fn check_policy(&self, found: &EnvIdentity) -> Result<(), RunError> {
        let Ok(policy) = self.best_policy() else { return Ok(()) };
        Ok(policy.check_identity(found).map_err(|error| error.in_file(&self.best_policy_path()))?)
    }

    fn other_environment(&self, known: &EnvIdentity, difference: Option<String>) -> RunError {
        RunError::OtherEnvironment {
            path: self.dir().to_path_buf(),
            id: known.id.clone(),
            origin: known.origin,
            difference,
        }
    }

    /// The error if the environment cannot be created: for a program's own environment, that this program does not have it.
    fn no_environment(&self, error: EnvError) -> RunError {
        match (error, self.environment()) {
            (EnvError::UnknownId { .. }, Ok(Some(known))) if known.origin != EnvOrigin::BuiltIn => {
                self.other_environment(&known, None)
            }
            (error, _) => TrainError::Env(error).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn an_environment_that_was_left_without_a_seal_is_sealed_by_whoever_goes_on() {
        let root = tempfile::tempdir().unwrap();
        let run = Run::create(root.path(), &Config::default()).unwrap();
        let unsealed = checksums::read(run.dir()).unwrap().unwrap();
        let env = (Registry::built_in().env_factory(&Config::default().env))().unwrap();
        let identity = EnvIdentity::of(&*env, EnvOrigin::BuiltIn);
        run.note_environment(&identity).unwrap();
        let sealed = checksums::read(run.dir()).unwrap().unwrap();
        assert_eq!(sealed.len(), unsealed.len() + 1);
        // As a process leaves it that dies between the two writes.
        checksums::write(run.dir(), &unsealed).unwrap();
        run.note_environment(&identity).unwrap();
        assert_eq!(checksums::read(run.dir()).unwrap().unwrap(), sealed);
        std::fs::write(run.dir().join(ENVIRONMENT), "{}").unwrap();
        assert!(run.environment().is_err() && run.note_environment(&identity).is_err(), "damage is found again");
    }
}
