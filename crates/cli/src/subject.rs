//! [`Subject`]: what a verb that looks at a policy is pointed at: a run, a packed run, or a policy's file alone.

use std::path::{Path, PathBuf};

use requel::Registry;
use requel::agent::Policy;
use requel::config::{Config, EnvConfig};
use requel::policy_file::PolicyFile;
use requel::run::Run;
use requel::train::EnvFactory;
use requel_envs::Env;
use tempfile::TempDir;

use crate::exit::Failure;
use crate::pack::{self, Wanted};
use crate::{missing, runs};

/// A policy with the environment that it was trained in.
pub struct Subject {
    /// The directory or file, for messages.
    pub name: PathBuf,
    /// The run's config; for a policy file the defaults, with the environment that the file names.
    pub config: Config,
    /// Where the policy is kept.
    kept: Kept,
    /// Whether the environment is a stand-in, because this program does not have it: a stand-in cannot be stepped.
    pub is_stand_in: bool,
    /// The registry with the environment.
    registry: Registry,
    /// Where a packed run is unpacked while it is in use.
    _unpacked: Option<TempDir>,
}

/// What a command needs from the environment of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// An environment that can be stepped.
    Steps,
    /// Only its spaces, which a run and a policy file describe themselves.
    Spaces,
}

/// Where a policy is kept.
enum Kept {
    /// In a file, checked against the environment.
    File(Box<PolicyFile>),
    /// In the checkpoints of a run whose agent writes no such file.
    Checkpoints(Run),
}

impl Subject {
    /// The subject with this name; by default, the newest run that has a policy.
    ///
    /// # Errors
    /// If there is no such subject, or its policy cannot be read or does not belong to its environment.
    pub fn open(path: Option<&Path>, needs: Needs, registry: &Registry) -> Result<Self, Failure> {
        if let Some(path) = path.filter(|path| missing::is_missing(path)) {
            return Err(missing::no_such_path(path, missing::POLICY));
        }
        match path.filter(|path| path.is_file()) {
            None => Self::of_run_for(runs::open_with_policy(path)?, needs, None, registry),
            Some(file) if pack::is_packed(file)? => {
                let unpacked = unpack(file)?;
                let run = Run::open(&unpacked.path().join("run"))?;
                let subject = Self::of_run_for(run, needs, Some(unpacked), registry)?;
                Ok(Subject { name: file.to_path_buf(), ..subject })
            }
            Some(file) => Self::of_policy(file, needs, registry),
        }
    }

    /// The best policy of a run.
    ///
    /// # Errors
    /// If it has none yet, or it cannot be read.
    pub fn of_run(run: Run, registry: &Registry) -> Result<Self, Failure> {
        Self::of_run_for(run, Needs::Steps, None, registry)
    }

    fn of_run_for(run: Run, needs: Needs, unpacked: Option<TempDir>, registry: &Registry) -> Result<Self, Failure> {
        let (registry, is_stand_in) = match needs {
            Needs::Steps => (registry.clone(), false),
            Needs::Spaces => run.registry_to_look(registry)?,
        };
        let (name, config) = (run.dir().to_path_buf(), run.config()?);
        let kept = match run.best_policy_path().exists() {
            true => Kept::File(Box::new(runs::policy_file(&run, &registry)?)),
            false => {
                // Reports what is wrong with it.
                runs::policy(&run, &registry, 1)?;
                Kept::Checkpoints(run)
            }
        };
        Ok(Subject { name, config, kept, is_stand_in, registry, _unpacked: unpacked })
    }

    fn of_policy(file: &Path, needs: Needs, registry: &Registry) -> Result<Self, Failure> {
        let policy = PolicyFile::read(file)?;
        let looking = policy.registry_to_look(registry).filter(|_| needs == Needs::Spaces);
        let is_stand_in = looking.is_some();
        let (env, checked) = match &looking {
            // The stand-in has the spaces that the policy describes, with its settings already applied.
            Some(looking) => {
                let config = EnvConfig { id: policy.env_id.clone(), ..EnvConfig::default() };
                let checked = policy.check_env(&*runs::env(&config, looking)?);
                (config, checked)
            }
            None => {
                let config = EnvConfig { id: policy.env_id.clone(), ..policy.env.clone() };
                let (identity, env) = runs::policy_env(&policy, file, registry)?;
                (config, policy.check_identity(&identity).and_then(|()| policy.check_env(&*env)))
            }
        };
        checked.map_err(|error| error.in_file(file))?;
        let config = Config { preset: "policy".into(), env, ..Config::default() };
        let (name, kept) = (file.to_path_buf(), Kept::File(Box::new(policy)));
        let registry = looking.unwrap_or_else(|| registry.clone());
        Ok(Subject { name, config, kept, is_stand_in, registry, _unpacked: None })
    }

    /// The environment, as the policy sees it.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn env(&self) -> Result<Box<dyn Env>, Failure> {
        runs::env(&self.config.env, &self.registry)
    }

    /// Creates environments like the one that the policy was trained in.
    pub fn env_factory(&self) -> EnvFactory {
        self.registry.env_factory(&self.config.env)
    }

    /// The policy, for up to this many observations at once.
    ///
    /// # Errors
    /// If its network cannot be created on this machine.
    pub fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, Failure> {
        match &self.kept {
            Kept::File(file) => Ok(Box::new((**file).clone().into_policy(rows)?)),
            Kept::Checkpoints(run) => runs::policy(run, &self.registry, rows),
        }
    }

    /// The policy as a file holds it.
    ///
    /// # Errors
    /// If the run's agent did not learn a value network: then there is no such file.
    pub fn policy_file(&self) -> Result<PolicyFile, Failure> {
        match &self.kept {
            Kept::File(file) => Ok((**file).clone()),
            Kept::Checkpoints(run) => Err(Failure::bad_input(format_args!(
                "the agent of {} has not learned a value network, and nothing else can be exported",
                run.dir().display()
            ))),
        }
    }
}

/// A packed run, unpacked into a temporary directory; the run is in `run`. Without its checkpoints.
///
/// # Errors
/// If it is not a packed run, or the disk is full.
pub fn unpack(file: &Path) -> Result<TempDir, Failure> {
    let cannot = |e: std::io::Error| Failure::failed(format_args!("cannot unpack {}: {e}", file.display()));
    let unpacked = tempfile::Builder::new().prefix("requel-").tempdir().map_err(cannot)?;
    let inside = unpacked.path().join("run");
    std::fs::create_dir(&inside).map_err(cannot)?;
    pack::unpack(file, &inside, Wanted::WithoutCheckpoints)?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use requel::agent::Readout;
    use requel::train::EnvOrigin;
    use requel_nn::{Activation, Network, NetworkSpec};

    use super::*;

    /// A simulator may take seconds to start.
    #[test]
    fn an_environment_is_made_once_to_open_a_policy() {
        let made = Arc::new(AtomicUsize::new(0));
        let mut registry = Registry::empty();
        let counted = Arc::clone(&made);
        let make = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            requel_envs::make("CartPole-v1")
        };
        registry.register_env(make).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let network = NetworkSpec::mlp(4, &[5], 2, Activation::Relu);
        let policy = PolicyFile {
            env_id: "CartPole-v1".into(),
            origin: EnvOrigin::Registered,
            identity: None,
            env: EnvConfig::default(),
            parameters: vec![0.5; Network::new(&network).unwrap().parameter_count()],
            network,
            head: Readout::Scalar,
        };
        let file = dir.path().join("mine.safetensors");
        std::fs::write(&file, policy.to_bytes().unwrap()).unwrap();
        let before = made.load(Ordering::Relaxed);
        Subject::open(Some(&file), Needs::Steps, &registry).unwrap();
        assert_eq!(made.load(Ordering::Relaxed) - before, 1, "of a file");

        let config = Config { env: policy.env, ..Config::default() };
        let run = Run::create(&dir.path().join("run"), &config).unwrap();
        std::fs::create_dir(run.dir().join("best")).unwrap();
        std::fs::copy(&file, run.best_policy_path()).unwrap();
        let before = made.load(Ordering::Relaxed);
        Subject::of_run(run, &registry).unwrap();
        assert_eq!(made.load(Ordering::Relaxed) - before, 1, "of a run");
    }
}
