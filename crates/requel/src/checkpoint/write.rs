//! Writing a checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;

use super::manifest::{FORMAT, seal};
use super::{CheckpointError, Disk, FileEntry, Manifest, list};
use crate::state::{State, Tensor};

/// Where checkpoints go.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The directory of all checkpoints of a run.
    pub root: &'a Path,
    /// How many are kept, the newest ones.
    pub keep: usize,
}

/// Writes `state` as the checkpoint of `env_steps` env steps, with the lengths of the logs at this moment, and removes the
/// checkpoints that are too many. Returns where it is.
///
/// # Errors
/// If the disk refuses; all earlier checkpoints are then as they were.
pub fn write(
    destination: Destination<'_>,
    env_steps: u64,
    state: &State<'_>,
    logs: BTreeMap<String, u64>,
) -> Result<PathBuf, CheckpointError> {
    let Destination { root, keep } = destination;
    let name = format!("ckpt-{env_steps:012}");
    let staged = root.join(format!(".staged-{name}"));
    Disk::create_dir(root)?;
    remove_leftovers(root)?;
    Disk::create_dir(&staged)?;

    let mut files = BTreeMap::new();
    let mut add = |name: String, contents: &[u8]| {
        Disk::write(&staged.join(&name), contents)?;
        files.insert(name, FileEntry::of(contents));
        Ok::<(), CheckpointError>(())
    };
    for (part, tensors) in parts(state) {
        add(format!("{part}.safetensors"), &serialize(&staged, &tensors)?)?;
    }
    let values = serde_json::to_vec_pretty(&state.values).expect("values are plain data");
    add("state.json".into(), &values)?;

    let requel = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { format: FORMAT, requel, env_steps, files, logs };
    let manifest = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
    Disk::write(&staged.join("manifest.json"), &manifest)?;
    Disk::write(&staged.join("manifest.blake3"), seal(&manifest).as_bytes())?;
    Disk::sync_dir(&staged)?;

    let path = root.join(&name);
    let replaced = root.join(format!(".replaced-{name}"));
    if path.exists() {
        // Only a damaged one is written again.
        Disk::rename(&path, &replaced)?;
    }
    Disk::rename(&staged, &path)?;
    Disk::sync_dir(root)?;
    Disk::remove_dir(&replaced)?;
    // Those of later steps were stepped over as damaged: they neither count nor are they ours to remove.
    let older = list(root)?.into_iter().filter(|(steps, _)| *steps < env_steps);
    let older: Vec<PathBuf> = older.map(|(_, path)| path).collect();
    for old in older.iter().rev().skip(keep.saturating_sub(1)) {
        Disk::remove_dir(old)?;
    }
    Ok(path)
}

/// Removes what a save that was cut off had staged.
fn remove_leftovers(root: &Path) -> Result<(), CheckpointError> {
    for entry in std::fs::read_dir(root).map_err(CheckpointError::io("read", root))? {
        let name = entry.map_err(CheckpointError::io("read", root))?.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(".staged-") || name.starts_with(".replaced-")) {
            Disk::remove_dir(&root.join(name))?;
        }
    }
    Ok(())
}

/// The tensors by part: what stands before the slash of their names.
fn parts<'s>(state: &'s State<'_>) -> BTreeMap<&'s str, BTreeMap<&'s str, &'s Tensor<'s>>> {
    let mut parts: BTreeMap<&str, BTreeMap<&str, &Tensor<'_>>> = BTreeMap::new();
    for (name, tensor) in &state.tensors {
        let (part, rest) = name.split_once('/').unwrap_or(("state", name));
        parts.entry(part).or_default().insert(rest, tensor);
    }
    parts
}

fn serialize(staged: &Path, tensors: &BTreeMap<&str, &Tensor<'_>>) -> Result<Vec<u8>, CheckpointError> {
    let damaged = |e: safetensors::SafeTensorError| CheckpointError::damaged(staged, e);
    let views = tensors
        .iter()
        .map(|(name, t)| Ok((*name, TensorView::new(t.dtype, t.shape.clone(), &t.bytes).map_err(damaged)?)))
        .collect::<Result<Vec<_>, CheckpointError>>()?;
    safetensors::serialize(views, None).map_err(damaged)
}
