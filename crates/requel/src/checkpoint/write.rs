//! Writing a checkpoint.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;

use super::examine::read_manifest;
use super::manifest::{FORMAT, seal};
use super::segments::{Earlier, Writing};
use super::{CheckpointError, FileEntry, LogEntry, Manifest, Segmenting, list};
use crate::state::{State, Tensor};
use crate::storage::{Storage, ensure_dir, remove_tree, write_synced};

/// The prefix of the name of a checkpoint that is being written.
const STAGED: &str = ".staged-";

/// Where checkpoints go.
#[derive(Clone, Copy)]
pub struct Destination<'a> {
    /// The storage they are written through.
    pub storage: &'a dyn Storage,
    /// The directory of all checkpoints of a run.
    pub root: &'a Path,
    /// How many of the newest checkpoints are kept.
    pub keep: usize,
    /// How large arrays are split.
    pub segmenting: Segmenting,
}

/// The contents of a checkpoint.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// Env steps of the state.
    pub env_steps: u64,
    /// The state.
    pub state: &'a State<'a>,
    /// The current state of each log.
    pub logs: BTreeMap<String, LogEntry>,
}

/// Writes a checkpoint and removes surplus ones. Returns its path.
///
/// # Errors
/// If writing to the disk fails; all earlier checkpoints are then unchanged, except for those already removed.
pub fn write(destination: Destination<'_>, contents: &Contents<'_>) -> Result<PathBuf, CheckpointError> {
    let Destination { storage, root, keep, .. } = destination;
    let env_steps = contents.env_steps;
    let name = name_of(env_steps);
    let staged = root.join(format!("{STAGED}{name}"));
    // The directories above exist, or the run was removed in the meantime.
    ensure_dir(storage, root).map_err(CheckpointError::io("create", root))?;
    remove_leftovers(storage, root)?;
    storage.create_dir(&staged).map_err(CheckpointError::io("create", &staged))?;
    // Checkpoints of later steps were skipped as damaged: they do not count and are not removed.
    let older = list(storage, root)?.into_iter().filter(|(steps, _)| *steps < env_steps);
    let older: Vec<PathBuf> = older.map(|(_, path)| path).collect();

    stage(destination, &staged, &older, contents)?;
    let path = root.join(&name);
    if storage.list(&path).is_ok() {
        // Only a damaged checkpoint is written again.
        set_aside(storage, &path, ".replaced-")?;
    }
    storage.rename(&staged, &path).map_err(CheckpointError::io("rename", &staged))?;
    storage.sync_dir(root).map_err(CheckpointError::io("sync", root))?;
    for old in older.iter().rev().skip(keep.saturating_sub(1)) {
        // Under another name first, so that half of a checkpoint is never mistaken for a damaged one.
        set_aside(storage, old, ".removed-")?;
    }
    remove_leftovers(storage, root)?;
    Ok(path)
}

/// Writes all files into the directory `staged`; when this returns, they survive a crash.
fn stage(
    destination: Destination<'_>,
    staged: &Path,
    older: &[PathBuf],
    contents: &Contents<'_>,
) -> Result<(), CheckpointError> {
    let Destination { storage, segmenting, .. } = destination;
    let manifests: Vec<(&PathBuf, Manifest)> =
        older.iter().rev().filter_map(|path| Some((path, read_manifest(storage, path).ok()?))).collect();
    let generation = manifests.first().map_or(0, |(_, before)| 1 - before.generation.min(1));
    let earlier = manifests.iter().find(|(_, manifest)| manifest.generation == generation);
    let earlier = earlier.map(|(dir, manifest)| Earlier { dir, manifest });
    let writing = Writing { storage, staged, segmenting, earlier };

    let mut files = BTreeMap::new();
    let mut add = |name: String, contents: &[u8]| {
        let path = staged.join(&name);
        write_synced(storage, &path, contents).map_err(CheckpointError::io("write", &path))?;
        files.insert(name, FileEntry::of(contents));
        Ok::<(), CheckpointError>(())
    };
    let is_large = |tensor: &Tensor<'_>| tensor.bytes.len() > segmenting.segment_bytes();
    let mut segmented = BTreeMap::new();
    for (name, tensor) in contents.state.tensors.iter().filter(|(_, tensor)| is_large(tensor)) {
        segmented.insert(name.clone(), writing.write(name, tensor)?);
    }
    let small = contents.state.tensors.iter().filter(|(_, tensor)| !is_large(tensor));
    for (part, tensors) in parts(small) {
        add(format!("{part}.safetensors"), &serialize(staged, &tensors)?)?;
    }
    let values = serde_json::to_vec_pretty(&contents.state.values).expect("values are plain data");
    add("state.json".into(), &values)?;

    let (env_steps, logs) = (contents.env_steps, contents.logs.clone());
    let requel = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { format: FORMAT, requel, env_steps, generation, files, segmented, logs };
    let manifest = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
    for (name, bytes) in [("manifest.json", &manifest[..]), ("manifest.blake3", seal(&manifest).as_bytes())] {
        let path = staged.join(name);
        write_synced(storage, &path, bytes).map_err(CheckpointError::io("write", &path))?;
    }
    storage.sync_dir(staged).map_err(CheckpointError::io("sync", staged))
}

/// Renames a checkpoint to a name that [`remove_leftovers`] knows.
fn set_aside(storage: &dyn Storage, path: &Path, prefix: &str) -> Result<(), CheckpointError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!("{prefix}{name}"));
    storage.rename(path, &aside).map_err(CheckpointError::io("rename", path))
}

/// Whether a name below `checkpoints/` is that of the checkpoint of `env_steps`, or of one that was about to become it.
pub(crate) fn is_of_step(name: &str, env_steps: u64) -> bool {
    let whole = name_of(env_steps);
    name == whole || name.strip_prefix(STAGED).is_some_and(|name| name == whole)
}

fn name_of(env_steps: u64) -> String {
    format!("ckpt-{env_steps:012}")
}

/// Removes what was set aside, and what an interrupted save left behind.
fn remove_leftovers(storage: &dyn Storage, root: &Path) -> Result<(), CheckpointError> {
    for name in storage.list(root).map_err(CheckpointError::io("read", root))? {
        if [STAGED, ".replaced-", ".removed-"].iter().any(|prefix| name.starts_with(prefix)) {
            let path = root.join(name);
            remove_tree(storage, &path).map_err(CheckpointError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Tensors by part: the text before the slash in their names.
fn parts<'s>(
    tensors: impl Iterator<Item = (&'s String, &'s Tensor<'s>)>,
) -> BTreeMap<&'s str, BTreeMap<&'s str, &'s Tensor<'s>>> {
    let mut parts: BTreeMap<&str, BTreeMap<&str, &Tensor<'_>>> = BTreeMap::new();
    for (name, tensor) in tensors {
        let (part, rest) = name.split_once('/').unwrap_or(("state", name));
        parts.entry(part).or_default().insert(rest, tensor);
    }
    parts
}

fn serialize(staged: &Path, tensors: &BTreeMap<&str, &Tensor<'_>>) -> Result<Vec<u8>, CheckpointError> {
    let damaged = |e: safetensors::SafeTensorError| CheckpointError::damaged(staged, e);
    let pieces: Vec<(&str, &Tensor<'_>, Cow<'_, [u8]>)> =
        tensors.iter().map(|(name, tensor)| (*name, *tensor, tensor.bytes.contiguous())).collect();
    let views = pieces
        .iter()
        .map(|(name, t, bytes)| Ok((*name, TensorView::new(t.dtype, t.shape.clone(), bytes).map_err(damaged)?)))
        .collect::<Result<Vec<_>, CheckpointError>>()?;
    safetensors::serialize(views, None).map_err(damaged)
}
