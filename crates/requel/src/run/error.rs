//! [`RunError`].

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::agent::AgentError;
use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::memory::display_bytes;
use crate::policy_file::PolicyFileError;
use crate::train::{EnvOrigin, TrainError};

/// Why a run cannot be created, opened or continued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The disk refused an operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The place of a new run is already occupied.
    #[error("{} already exists and is not empty", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is not a run.
    #[error("{} is not a run: it has no config.toml", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// There is no run.
    #[error("there is no run in {}", root.display())]
    NoRuns {
        /// The directory that was searched.
        root: PathBuf,
    },
    /// The run has no policy yet.
    #[error("{} has no policy yet: none of its evaluations has been made", path.display())]
    NoPolicy {
        /// The run.
        path: PathBuf,
    },
    /// The run has no checkpoint.
    #[error("{} has no checkpoint", path.display())]
    NoCheckpoint {
        /// The run.
        path: PathBuf,
    },
    /// The weights that a run started from are lost.
    #[error("{} started from other weights, and no longer has a checkpoint with them", path.display())]
    NoBeginning {
        /// The run.
        path: PathBuf,
    },
    /// Another process is using the run.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The run.
        path: PathBuf,
    },
    /// The environment is not the one that the run is trained in.
    #[error("{} was trained in `{id}`{}; {}", path.display(), came_from(*origin), compared(difference.as_deref()))]
    OtherEnvironment {
        /// The run.
        path: PathBuf,
        /// The id of its environment.
        id: String,
        /// Where its environment came from.
        origin: EnvOrigin,
        /// How the one here differs; `None` if there is none with this id.
        difference: Option<String>,
    },
    /// A component that the run was trained with is not registered here.
    #[error("{}: {source}", path.display())]
    UnknownPart {
        /// The run.
        path: PathBuf,
        /// The component, and what is registered instead.
        source: Box<AgentError>,
    },
    /// A run was created for one environment and is started in another.
    #[error(
        "the config of {} says env.id = {said:?}, but the environments of the trainer are {used:?}: create the run \
         with the trainer's own config",
        path.display()
    )]
    OtherTrainer {
        /// The run.
        path: PathBuf,
        /// The environment of its config.
        said: String,
        /// The environment of the trainer.
        used: String,
    },
    /// Settings were changed to continue training, but it would not continue.
    #[error("training would not continue: {reason}")]
    StaysOver {
        /// What ends it at once.
        reason: String,
    },
    /// Settings can only change at the end of what was trained.
    #[error(
        "the newest intact checkpoint of {} is from env step {env_steps}, before its settings changed at {begins}: \
         first resume it without changes",
        path.display()
    )]
    BeforeSegment {
        /// The run.
        path: PathBuf,
        /// Env steps of the checkpoint.
        env_steps: u64,
        /// Env steps at which the next segment starts.
        begins: u64,
    },
    /// There are checkpoints, but none of them is intact.
    #[error(
        "no checkpoint in {} is intact: {}",
        path.display(), damaged.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    NothingWhole {
        /// The directory of the checkpoints.
        path: PathBuf,
        /// What is wrong with each, newest first.
        damaged: Vec<CheckpointError>,
    },
    /// The disk has no room for the checkpoints.
    #[error(
        "checkpoints need {}, but only {} are free in {}; a smaller `replay.capacity` or `checkpoint.keep` needs less",
        display_bytes(*needed), display_bytes(*available), path.display()
    )]
    NoRoom {
        /// The run.
        path: PathBuf,
        /// Maximum bytes of the checkpoints.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// The run's config cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A checkpoint cannot be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The best policy cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyFileError),
    /// Training cannot start or continue.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// The second half of "it was trained in this": how this program's environment relates to the one that the run was trained in.
fn compared(difference: Option<&str>) -> String {
    difference
        .map_or_else(|| "this program has no such environment".into(), |how| format!("the environment here {how}"))
}

fn came_from(origin: EnvOrigin) -> &'static str {
    match origin {
        EnvOrigin::BuiltIn => " of requel",
        EnvOrigin::Registered => ", which the program that trained it registered",
        EnvOrigin::Given => ", which the program that trained it passed to the trainer",
    }
}

impl RunError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| RunError::Io { action, path, source }
    }
}
