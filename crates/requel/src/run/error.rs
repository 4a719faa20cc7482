//! [`RunError`].

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::agent::AgentError;
use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::memory::display_bytes;
use crate::policy_file::PolicyFileError;
use crate::train::{EnvOrigin, TrainError};

/// Why a run cannot be made, opened or gone on with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The disk refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is something in the place of a new run.
    #[error("{} is there already and is not empty", path.display())]
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
    /// There is no run at all.
    #[error("there is no run in {}", root.display())]
    NoRuns {
        /// Where runs were looked for.
        root: PathBuf,
    },
    /// The run has no policy yet.
    #[error("{} has no policy yet: neither a best one nor a checkpoint", path.display())]
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
    /// What a run began from is lost.
    #[error("{} began from other weights, and has no checkpoint any more that holds them", path.display())]
    NoBeginning {
        /// The run.
        path: PathBuf,
    },
    /// Another process works on the run.
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
        /// In what the one here differs; `None` where there is none of this id.
        difference: Option<String>,
    },
    /// A part that the run was trained with is not registered here.
    #[error("{}: {source}", path.display())]
    UnknownPart {
        /// The run.
        path: PathBuf,
        /// Which part, and what there is in its place.
        source: Box<AgentError>,
    },
    /// A run was made for one environment and is to begin in another.
    #[error(
        "the config of {} says env.id = {said:?}, and the environments of the trainer are {used:?}: make the run of the \
         trainer's own config",
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
    /// Settings were changed so that training would go on, and it would not.
    #[error("training would not go on: {reason}")]
    StaysOver {
        /// What ends it at once.
        reason: String,
    },
    /// Settings can only change at the end of what was trained.
    #[error(
        "the newest whole checkpoint of {} is of env step {env_steps}, before its settings changed at {begins}: \
         resume it as it is first",
        path.display()
    )]
    BeforeSegment {
        /// The run.
        path: PathBuf,
        /// Env steps of the checkpoint.
        env_steps: u64,
        /// Env steps at which the next segment begins.
        begins: u64,
    },
    /// There are checkpoints, and none of them is whole.
    #[error(
        "no checkpoint in {} is whole: {}",
        path.display(), damaged.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    NothingWhole {
        /// The directory of the checkpoints.
        path: PathBuf,
        /// What is wrong with each, the newest first.
        damaged: Vec<CheckpointError>,
    },
    /// The disk has no room for the checkpoints.
    #[error(
        "checkpoints need {} and {} are free in {}; a smaller `replay.capacity` or `checkpoint.keep` needs less",
        display_bytes(*needed), display_bytes(*available), path.display()
    )]
    NoRoom {
        /// The run.
        path: PathBuf,
        /// Bytes that the checkpoints take at most.
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
    /// Training cannot start or go on.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// The second half of "it was trained in this".
/// What the environment of this program is, beside the one that a run was trained in.
fn compared(difference: Option<&str>) -> String {
    difference
        .map_or_else(|| "this program has no such environment".into(), |how| format!("the environment here {how}"))
}

fn came_from(origin: EnvOrigin) -> &'static str {
    match origin {
        EnvOrigin::BuiltIn => " of requel",
        EnvOrigin::Registered => ", which its program registered",
        EnvOrigin::Given => ", which its program gave to the trainer",
    }
}

impl RunError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| RunError::Io { action, path, source }
    }
}
