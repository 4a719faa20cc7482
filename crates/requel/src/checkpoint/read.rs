//! Finding, verifying and reading checkpoints.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::examine::{examine, read_manifest};
use super::{CheckpointError, Manifest};
use crate::state::State;
use crate::storage::Storage;

/// A checkpoint that was read and verified.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its path.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// The state.
    pub state: State<'static>,
}

/// The newest intact checkpoint, and what was skipped to find it.
#[derive(Debug, Default)]
pub struct Newest {
    /// The checkpoint; `None` if none is intact.
    pub checkpoint: Option<Checkpoint>,
    /// What is wrong with each newer one.
    pub damaged: Vec<CheckpointError>,
}

/// All checkpoints below `root` by env steps, intact or not; empty if the directory does not exist.
///
/// # Errors
/// If the directory cannot be read.
pub fn list(storage: &dyn Storage, root: &Path) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let names = match storage.list(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        names => names.map_err(CheckpointError::io("read", root))?,
    };
    let steps = |name: &String| Some((name.strip_prefix("ckpt-")?.parse::<u64>().ok()?, root.join(name)));
    let mut found: Vec<(u64, PathBuf)> = names.iter().filter_map(steps).collect();
    found.sort();
    Ok(found)
}

/// The newest intact checkpoint below `root`.
///
/// # Errors
/// If the directory cannot be read; if a checkpoint is intact but has another format, because continuing from an older one would undo what
/// another version did; or if it is too large for this machine's memory. Damaged checkpoints are not an error here: they are listed.
pub fn newest(storage: &dyn Storage, root: &Path) -> Result<Newest, CheckpointError> {
    newest_where(storage, root, |_| Ok(()))
}

/// The newest intact checkpoint below `root` for which `fits` reports no problem.
pub(crate) fn newest_where(
    storage: &dyn Storage,
    root: &Path,
    fits: impl Fn(&Manifest) -> Result<(), CheckpointError>,
) -> Result<Newest, CheckpointError> {
    let mut newest = Newest::default();
    for (_, path) in list(storage, root)?.into_iter().rev() {
        let checked = read(storage, &path).and_then(|checkpoint| {
            fits(&checkpoint.manifest)?;
            Ok(checkpoint)
        });
        match checked {
            Ok(checkpoint) => {
                newest.checkpoint = Some(checkpoint);
                break;
            }
            Err(error @ (CheckpointError::Format { .. } | CheckpointError::TooLarge { .. })) => return Err(error),
            Err(error) => newest.damaged.push(error),
        }
    }
    Ok(newest)
}

/// Reads and verifies one checkpoint.
///
/// # Errors
/// If a file is missing, cannot be read, or does not match the manifest.
pub fn read(storage: &dyn Storage, path: &Path) -> Result<Checkpoint, CheckpointError> {
    let manifest = read_manifest(storage, path)?;
    let mut state = State::default();
    match examine(storage, path, &manifest, Some(&mut state)).into_iter().next() {
        Some(error) => Err(error),
        None => Ok(Checkpoint { path: path.to_path_buf(), manifest, state }),
    }
}
