//! Finding, verifying and reading checkpoints.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

use super::manifest::{FORMAT, seal};
use super::{CheckpointError, FileEntry, Manifest};
use crate::state::{State, Tensor};

/// A checkpoint that was read and verified.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The state.
    pub state: State<'static>,
}

/// The newest whole checkpoint, and what had to be stepped over to find it.
#[derive(Debug, Default)]
pub struct Newest {
    /// The checkpoint; `None` where there is no whole one.
    pub checkpoint: Option<Checkpoint>,
    /// What is wrong with each newer one.
    pub damaged: Vec<CheckpointError>,
}

/// All checkpoints below `root` by env steps, whole or not; none where there is no such directory.
///
/// # Errors
/// If the directory cannot be read.
pub fn list(root: &Path) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(CheckpointError::io("read", root))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(CheckpointError::io("read", root))?;
        let name = entry.file_name();
        let steps = name.to_str().and_then(|name| name.strip_prefix("ckpt-")).and_then(|steps| steps.parse().ok());
        found.extend(steps.map(|steps: u64| (steps, entry.path())));
    }
    found.sort();
    Ok(found)
}

/// The newest checkpoint below `root` that is whole.
///
/// # Errors
/// If the directory cannot be read, or a checkpoint is whole but of another format, so that going on from an older one
/// would undo what another version did. Damaged checkpoints are no error here: they are listed.
pub fn newest(root: &Path) -> Result<Newest, CheckpointError> {
    let mut newest = Newest::default();
    for (_, path) in list(root)?.into_iter().rev() {
        match read(&path) {
            Ok(checkpoint) => {
                newest.checkpoint = Some(checkpoint);
                break;
            }
            Err(error @ CheckpointError::Format { .. }) => return Err(error),
            Err(error) => newest.damaged.push(error),
        }
    }
    Ok(newest)
}

/// Reads and verifies one checkpoint.
///
/// # Errors
/// If a file is missing, cannot be read, or is not what the manifest says.
pub fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let manifest_path = path.join("manifest.json");
    let text = fs::read(&manifest_path).map_err(CheckpointError::io("read", &manifest_path))?;
    let seal_path = path.join("manifest.blake3");
    if fs::read(&seal_path).map_err(CheckpointError::io("read", &seal_path))? != seal(&text).as_bytes() {
        return Err(CheckpointError::damaged(&manifest_path, "its BLAKE3 is not what manifest.blake3 says"));
    }
    let manifest = parse_manifest(&manifest_path, &text)?;
    let mut state = State::default();
    for (name, entry) in &manifest.files {
        let file = path.join(name);
        let contents = read_verified(&file, name, entry)?;
        if name == "state.json" {
            state.values = serde_json::from_slice(&contents).map_err(|e| CheckpointError::damaged(&file, e))?;
        } else if let Some(part) = name.strip_suffix(".safetensors") {
            let tensors = SafeTensors::deserialize(&contents).map_err(|e| CheckpointError::damaged(&file, e))?;
            for (name, view) in tensors.iter() {
                let bytes = Cow::Owned(view.data().to_vec());
                let tensor = Tensor { dtype: view.dtype(), shape: view.shape().to_vec(), bytes };
                state.tensors.insert(format!("{part}/{name}"), tensor);
            }
        } else {
            return Err(CheckpointError::damaged(&file, "no file of a checkpoint is called so"));
        }
    }
    Ok(Checkpoint { path: path.to_path_buf(), manifest, state })
}

fn parse_manifest(path: &Path, text: &[u8]) -> Result<Manifest, CheckpointError> {
    // The format first: what follows may look different in another one.
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|e| CheckpointError::damaged(path, e))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64).and_then(|f| u32::try_from(f).ok());
    match format {
        Some(FORMAT) => serde_json::from_value(value).map_err(|e| CheckpointError::damaged(path, e)),
        Some(found) => Err(CheckpointError::Format { path: path.to_path_buf(), found, expected: FORMAT }),
        None => Err(CheckpointError::damaged(path, "it has no format number")),
    }
}

fn read_verified(path: &Path, name: &str, entry: &FileEntry) -> Result<Vec<u8>, CheckpointError> {
    if Path::new(name).components().count() != 1 || name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(CheckpointError::damaged(path, "its name leads out of the checkpoint"));
    }
    // The length first, so that a wrong one takes no memory.
    let found = fs::metadata(path).map_err(CheckpointError::io("read", path))?.len();
    if found != entry.bytes {
        return Err(CheckpointError::damaged(path, format!("it has {found} bytes, not {}", entry.bytes)));
    }
    let contents = fs::read(path).map_err(CheckpointError::io("read", path))?;
    let actual = FileEntry::of(&contents);
    if actual != *entry {
        let reason = format!("its BLAKE3 is {}, not {}", &actual.blake3[..16], entry.blake3);
        return Err(CheckpointError::damaged(path, reason));
    }
    Ok(contents)
}
