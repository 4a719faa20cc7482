//! `origin.json`: what a run started from, unless from random weights. `checksums.blake3` covers it from the start.
//!
//! Such a run has a checkpoint at env step 0, so that it can always be resumed, whatever happens to what it started from.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Run, RunError, checksums};
use crate::checkpoint::{self, Checkpoint, CheckpointError, Contents, Destination, Segmenting};
use crate::config::{Change, Config};
use crate::log::check_logs;
use crate::policy_file::PolicyFile;
use crate::registry::Registry;
use crate::state::State;
use crate::storage::{RealStorage, Storage, is_staged, remove_tree, replace};
use crate::train::{TrainError, Trainer};

/// Its name.
pub(super) const ORIGIN: &str = "origin.json";
/// Where checkpoints are.
pub(super) const CHECKPOINTS: &str = "checkpoints";

/// Which weights of a run another one starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Those of its best policy.
    Best,
    /// Those of its newest checkpoint.
    Last,
    /// Those of a policy file.
    File,
}

/// What a run started from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The run or the file, as named by the user.
    pub from: String,
    /// Which weights.
    pub weights: Weights,
    /// BLAKE3 of the weights as little-endian `f32`, hexadecimal.
    pub weights_blake3: String,
    /// Env steps of the checkpoint whose replay buffer was included, if one was.
    pub replay_env_steps: Option<u64>,
}

/// What a new run will start from.
#[derive(Clone, Debug)]
pub struct Beginning {
    policy: PolicyFile,
    replay: Option<State<'static>>,
    config: Option<Config>,
    origin: Origin,
}

impl Beginning {
    /// The weights of a policy file.
    ///
    /// # Errors
    /// If it cannot be read or is not a policy.
    pub fn from_file(path: &Path) -> Result<Self, RunError> {
        Ok(Self::new(path, Weights::File, PolicyFile::read(path)?))
    }

    /// The weights of a run; if they come from a checkpoint, the registry must have its environment.
    ///
    /// # Errors
    /// If the run has none yet, or they cannot be read.
    pub fn from_run(run: &Run, weights: Weights, registry: &Registry) -> Result<Self, RunError> {
        let mut policy = match weights {
            Weights::Last => run.last_policy(registry)?,
            Weights::Best | Weights::File => match run.best_policy() {
                // An agent whose policy is not a value network never writes one, however long it trains.
                Err(error @ RunError::NoPolicy { .. }) if has_checkpoint(run) => {
                    return Err(run.trainer_with_network(registry).err().unwrap_or(error));
                }
                policy => policy?,
            },
        };
        if policy.identity.is_none() {
            policy.identity = run.environment()?;
        }
        Ok(Beginning { config: Some(run.config()?), ..Self::new(run.dir(), weights, policy) })
    }

    fn new(from: &Path, weights: Weights, policy: PolicyFile) -> Self {
        let weights_blake3 = checksums::of(bytemuck::cast_slice(&policy.parameters));
        let origin = Origin { from: from.display().to_string(), weights, weights_blake3, replay_env_steps: None };
        Beginning { policy, replay: None, config: None, origin }
    }

    /// The same, with the transitions in the replay buffer of the run's newest checkpoint.
    ///
    /// # Errors
    /// If the run has no intact checkpoint.
    pub fn with_replay(mut self, run: &Run) -> Result<Self, RunError> {
        let Checkpoint { manifest, mut state, .. } = run.newest_checkpoint()?;
        state.tensors.retain(|name, _| name.starts_with("replay/"));
        state.values.retain(|name, _| name.starts_with("replay/"));
        self.origin.replay_env_steps = Some(manifest.env_steps);
        self.config = Some(run.config()?);
        self.replay = Some(state);
        Ok(self)
    }

    /// Writes what the run starts from into its directory before that becomes a run: the trainer's initial state as a checkpoint at env
    /// step 0, and a note of the origin, whose BLAKE3 is returned.
    pub(super) fn write(&self, dir: &Path, trainer: &Trainer) -> Result<String, RunError> {
        let (root, keep) = (dir.join(CHECKPOINTS), trainer.config().checkpoint.keep);
        let destination = Destination { storage: &RealStorage, root: &root, keep, segmenting: Segmenting::default() };
        let contents = Contents { env_steps: 0, state: &trainer.save()?, logs: BTreeMap::new() };
        checkpoint::write(destination, &contents)?;
        let text = serde_json::to_vec_pretty(&self.origin).expect("an origin is plain data");
        let origin = dir.join(ORIGIN);
        replace(&RealStorage, &origin, &text).map_err(CheckpointError::io("write", &origin))?;
        Ok(checksums::of(&text))
    }

    /// The note in a run that starts from this.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The config of the source run, if it is a run.
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// The policy whose weights are used.
    pub fn policy(&self) -> &PolicyFile {
        &self.policy
    }

    /// Applies it to a trainer before its first step.
    ///
    /// # Errors
    /// [`TrainError::Beginning`] if environment, network or head differ, or the transitions in the replay buffer were collected in a way
    /// that differs from the trainer's.
    pub fn apply(&self, trainer: &mut Trainer) -> Result<(), TrainError> {
        trainer.begin_from(&self.policy)?;
        let (Some(replay), Some(config)) = (&self.replay, &self.config) else { return Ok(()) };
        if let Some(change) = config.changes(trainer.config()).into_iter().find(makes_transitions) {
            let reason = format!("the transitions in the replay buffer were collected with another setting: {change}");
            return Err(TrainError::Beginning { reason });
        }
        trainer.begin_with_replay(replay)
    }
}

/// Whether there is a checkpoint, intact or not: reading one completely would take long.
fn has_checkpoint(run: &Run) -> bool {
    checkpoint::list(&RealStorage, &run.checkpoints()).is_ok_and(|found| !found.is_empty())
}

/// Whether an entry in a directory that is not a run yet is one that [`Beginning::write`] writes.
///
/// # Errors
/// If it cannot be examined.
pub(super) fn is_of_beginning(dir: &Path, name: &str) -> io::Result<bool> {
    if name != CHECKPOINTS {
        return Ok(is_origin(name));
    }
    match RealStorage.list(&dir.join(name)) {
        Ok(inside) => Ok(inside.iter().all(|name| checkpoint::is_of_step(name, 0))),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_origin(name: &str) -> bool {
    name == ORIGIN || is_staged(name, ORIGIN)
}

/// Removes what [`Beginning::write`] has written into a directory that did not become a run.
///
/// # Errors
/// If something cannot be removed.
pub(super) fn remove_beginning(dir: &Path) -> io::Result<()> {
    remove_tree(&RealStorage, &dir.join(CHECKPOINTS))?;
    RealStorage
        .list(dir)?
        .iter()
        .filter(|name| is_origin(name))
        .try_for_each(|name| RealStorage.remove_file(&dir.join(name)))
}

/// Whether the contents of a replay buffer depend on the setting.
fn makes_transitions(change: &Change) -> bool {
    let key = &change.key;
    let of_agent = ["agent.kind", "agent.gamma", "agent.n_step", "agent.reward_scale", "agent.reward_clip"];
    let of_replay = ["replay.kind", "replay.capacity"];
    key.starts_with("replay.priority_")
        || key.starts_with("env.")
        || of_agent.into_iter().chain(of_replay).any(|one| one == key)
}

impl Run {
    /// What it started from, unless from random weights.
    ///
    /// # Errors
    /// If the file cannot be read or was changed.
    pub fn origin(&self) -> Result<Option<Origin>, RunError> {
        let path = self.dir().join(ORIGIN);
        match RealStorage.len(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            len if len.as_ref().is_ok_and(|len| *len > 1 << 20) => {
                return Err(CheckpointError::damaged(&path, "it is too large").into());
            }
            len => len.map_err(RunError::io("read", &path))?,
        };
        let text = RealStorage.read(&path).map_err(RunError::io("read", &path))?;
        Ok(Some(serde_json::from_slice(&text).map_err(|e| CheckpointError::damaged(&path, e))?))
    }

    /// Whether its newest intact checkpoint contains the environments: if not, the run continues with new episodes. `None` if it has no
    /// checkpoint.
    ///
    /// # Errors
    /// If checkpoints cannot be read, or none of them is intact.
    pub fn saves_envs(&self) -> Result<Option<bool>, RunError> {
        match self.newest_checkpoint() {
            Ok(checkpoint) => Ok(Some(Trainer::state_has_envs(&checkpoint.state))),
            Err(RunError::NoCheckpoint { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The newest intact checkpoint.
    pub(super) fn newest_checkpoint(&self) -> Result<Checkpoint, RunError> {
        let root = self.checkpoints();
        let newest = checkpoint::newest_where(&RealStorage, &root, |manifest| check_logs(self.dir(), manifest))?;
        match newest.checkpoint {
            Some(checkpoint) => Ok(checkpoint),
            None if newest.damaged.is_empty() => Err(RunError::NoCheckpoint { path: self.dir().to_path_buf() }),
            None => Err(RunError::NothingWhole { path: root, damaged: newest.damaged }),
        }
    }

    /// The policy of the newest intact checkpoint.
    ///
    /// # Errors
    /// If there is none, or the registry does not have the run's environment.
    pub fn last_policy(&self, registry: &Registry) -> Result<PolicyFile, RunError> {
        let mut trainer = self.trainer_with_network(registry)?;
        trainer.restore(&self.newest_checkpoint()?.state)?;
        let parameters = trainer.value_network()?.parameters;
        let policy = trainer.policy_file(parameters);
        policy.ok_or_else(|| RunError::NoPolicy { path: self.dir().to_path_buf() })
    }

    /// A fresh trainer of its config, if its agent has a value network.
    fn trainer_with_network(&self, registry: &Registry) -> Result<Trainer, RunError> {
        let trainer = self.trainer(registry)?;
        if trainer.value_network().is_err() {
            let reason = format!(
                "the agent of {} has not learned a value network, so there is no policy \
                         file",
                self.dir().display()
            );
            return Err(TrainError::Beginning { reason }.into());
        }
        Ok(trainer)
    }
}
