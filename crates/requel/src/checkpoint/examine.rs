//! Verifying every byte of a checkpoint.

use std::path::{Component, Path};

use safetensors::SafeTensors;

use super::manifest::seal;
use super::segments::{file_name, read_exactly};
use super::{CheckpointError, FileEntry, Manifest, SegmentedTensor};
use crate::memory;
use crate::state::{State, Tensor};
use crate::storage::Storage;
use crate::unique_keys::check_unique_tensors;

/// The maximum size of a manifest: that of a replay buffer of a terabyte.
const MOST_MANIFEST_BYTES: u64 = 128 << 20;

/// Everything that is wrong with the checkpoint in the directory `path`, each with its file and, if there are blocks, the block; empty for
/// an intact checkpoint. Needs no more memory than its largest file.
pub fn verify(storage: &dyn Storage, path: &Path) -> Vec<CheckpointError> {
    match read_manifest(storage, path) {
        Err(error) => vec![error],
        Ok(manifest) => examine(storage, path, &manifest, None),
    }
}

/// Reads the manifest and checks it against its seal.
pub(super) fn read_manifest(storage: &dyn Storage, path: &Path) -> Result<Manifest, CheckpointError> {
    let (manifest_path, seal_path) = (path.join("manifest.json"), path.join("manifest.blake3"));
    let text = read_small(storage, &manifest_path)?;
    if read_small(storage, &seal_path)? != seal(&text).as_bytes() {
        return Err(CheckpointError::damaged(&manifest_path, "its BLAKE3 differs from the one in manifest.blake3"));
    }
    Manifest::parse(&manifest_path, &text)
}

/// Reads all files and checks each against the manifest, into `state` if one is given. Reports every problem.
pub(super) fn examine(
    storage: &dyn Storage,
    path: &Path,
    manifest: &Manifest,
    mut state: Option<&mut State<'static>>,
) -> Vec<CheckpointError> {
    let mut findings = Vec::new();
    if state.is_some()
        && let Err(error) = check_memory(path, manifest)
    {
        return vec![error];
    }
    for (name, entry) in &manifest.files {
        let read = read_verified(storage, path, name, entry);
        let taken = read.and_then(|contents| take_over(&path.join(name), name, &contents, state.as_deref_mut()));
        findings.extend(taken.err());
    }
    for (name, entry) in &manifest.segmented {
        findings.extend(read_segments(storage, path, (name, entry), state.as_deref_mut()));
    }
    findings
}

fn read_small(storage: &dyn Storage, path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let bytes = storage.len(path).map_err(CheckpointError::io("read", path))?;
    if bytes > MOST_MANIFEST_BYTES {
        return Err(CheckpointError::damaged(path, format!("it has {bytes} bytes, which is too many")));
    }
    read_exactly(storage, path, bytes)
}

/// Refuses a checkpoint that cannot fit into memory, judged by its manifest; each file is checked against the manifest before it is read.
fn check_memory(path: &Path, manifest: &Manifest) -> Result<(), CheckpointError> {
    let files = manifest.files.values().map(|entry| entry.bytes);
    let segmented = manifest.segmented.values().map(|entry| entry.bytes);
    let bytes = files.chain(segmented).fold(0u64, u64::saturating_add);
    match memory::available_bytes() {
        Some(available) if bytes > available => {
            Err(CheckpointError::TooLarge { path: path.to_path_buf(), bytes, available })
        }
        _ => Ok(()),
    }
}

fn read_verified(
    storage: &dyn Storage,
    path: &Path,
    name: &str,
    entry: &FileEntry,
) -> Result<Vec<u8>, CheckpointError> {
    let file = path.join(name);
    check_name(&file, name)?;
    let contents = read_exactly(storage, &file, entry.bytes)?;
    let actual = FileEntry::of(&contents);
    if actual != *entry {
        let reason = format!("its BLAKE3 is {}, expected {}", &actual.blake3[..16], entry.blake3);
        return Err(CheckpointError::damaged(&file, reason));
    }
    Ok(contents)
}

/// A plain name that stays within its directory.
fn check_name(file: &Path, name: &str) -> Result<(), CheckpointError> {
    let mut components = Path::new(name).components();
    let is_plain = matches!((components.next(), components.next()), (Some(Component::Normal(_)), None));
    if !is_plain || name.contains(['/', '\\', '\0']) || name.starts_with('.') {
        return Err(CheckpointError::damaged(file, "its name leads out of the checkpoint"));
    }
    Ok(())
}

fn take_over(
    file: &Path,
    name: &str,
    contents: &[u8],
    state: Option<&mut State<'static>>,
) -> Result<(), CheckpointError> {
    if name == "state.json" {
        let values = serde_json::from_slice(contents).map_err(|e| CheckpointError::damaged(file, e))?;
        if let Some(state) = state {
            state.values = values;
        }
        return Ok(());
    }
    let Some(part) = name.strip_suffix(".safetensors") else {
        return Err(CheckpointError::damaged(file, "no file of a checkpoint has this name"));
    };
    let tensors = SafeTensors::deserialize(contents).map_err(|e| CheckpointError::damaged(file, e))?;
    // If two arrays have the same name, the reader keeps only one.
    check_unique_tensors(contents).map_err(|e| CheckpointError::damaged(file, e))?;
    if let Some(state) = state {
        for (name, view) in tensors.iter() {
            let bytes = view.data().to_vec().into();
            let tensor = Tensor { dtype: view.dtype(), shape: view.shape().to_vec(), bytes };
            state.tensors.insert(format!("{part}/{name}"), tensor);
        }
    }
    Ok(())
}

fn read_segments(
    storage: &dyn Storage,
    path: &Path,
    (name, entry): (&String, &SegmentedTensor),
    state: Option<&mut State<'static>>,
) -> Vec<CheckpointError> {
    let manifest = path.join("manifest.json");
    let lengths = match entry.file_lengths() {
        Ok(lengths) => lengths,
        Err(reason) => return vec![CheckpointError::damaged(&manifest, format!("`{name}`: {reason}"))],
    };
    if let Err(error) = check_name(&manifest, &file_name(name, 0)) {
        return vec![error];
    }
    let mut findings = Vec::new();
    let mut bytes = Vec::new();
    for (index, length) in lengths.into_iter().enumerate() {
        let file = path.join(file_name(name, index));
        let checked = read_exactly(storage, &file, length).and_then(|contents| {
            entry.check(index, &contents).map_err(|reason| CheckpointError::damaged(&file, reason))?;
            Ok(contents)
        });
        match checked {
            Ok(contents) if state.is_some() => bytes.extend_from_slice(&contents),
            Ok(_) => {}
            Err(error) => findings.push(error),
        }
    }
    if let Some(state) = state.filter(|_| findings.is_empty()) {
        let tensor = Tensor { dtype: entry.dtype, shape: entry.shape.clone(), bytes: bytes.into() };
        state.tensors.insert(name.clone(), tensor);
    }
    findings
}
