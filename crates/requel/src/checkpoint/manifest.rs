//! [`Manifest`], the description that a checkpoint has of itself.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use super::CheckpointError;
use crate::unique_keys::unique;

/// The version of the format that this code writes. It also reads all earlier ones.
pub(super) const FORMAT: u32 = 2;

/// The table of contents of a checkpoint, written last except for its own hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// Version of requel that wrote it.
    pub requel: String,
    /// Env steps of the state.
    pub env_steps: u64,
    /// 0 or 1, alternating from one checkpoint to the next: only checkpoints with the same number share files.
    pub generation: u8,
    /// The other files except segments, by name.
    #[serde(deserialize_with = "unique")]
    pub files: BTreeMap<String, FileEntry>,
    /// Arrays stored in segments, by name.
    #[serde(deserialize_with = "unique")]
    pub segmented: BTreeMap<String, SegmentedTensor>,
    /// The state of each log at that moment, by its path from the run's directory: a resumed run truncates it to that.
    #[serde(deserialize_with = "unique")]
    pub logs: BTreeMap<String, LogEntry>,
}

/// One file of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its length.
    pub bytes: u64,
    /// Its BLAKE3, hexadecimal.
    pub blake3: String,
}

/// The beginning of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of that many bytes, hexadecimal; absent in format 1.
    pub blake3: Option<String>,
}

/// One array in segments: files of `blocks_per_segment` blocks each except the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentedTensor {
    /// Type of the elements.
    pub dtype: Dtype,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Length of the array.
    pub bytes: u64,
    /// Length of each block except the last.
    pub block_bytes: u64,
    /// Blocks in each file except the last.
    pub blocks_per_segment: u64,
    /// BLAKE3 of each block, hexadecimal.
    pub blocks: Vec<String>,
}

/// Format 1: no segments, no hashes of logs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestV1 {
    format: u32,
    requel: String,
    env_steps: u64,
    #[serde(deserialize_with = "unique")]
    files: BTreeMap<String, FileEntry>,
    #[serde(deserialize_with = "unique")]
    logs: BTreeMap<String, u64>,
}

impl From<ManifestV1> for Manifest {
    fn from(v1: ManifestV1) -> Self {
        let ManifestV1 { format, requel, env_steps, files, logs } = v1;
        let logs = logs.into_iter().map(|(name, bytes)| (name, LogEntry { bytes, blake3: None })).collect();
        Manifest { format, requel, env_steps, generation: 0, files, segmented: BTreeMap::new(), logs }
    }
}

impl Manifest {
    /// Reads `manifest.json`; `path` is its place for error messages.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, CheckpointError> {
        /// What every format contains.
        #[derive(Deserialize)]
        struct AnyFormat {
            format: u32,
        }
        // The format first: the rest may differ in another format.
        let damaged = |e: serde_json::Error| CheckpointError::damaged(path, e);
        let AnyFormat { format } = serde_json::from_slice(text).map_err(damaged)?;
        match format {
            1 => Ok(serde_json::from_slice::<ManifestV1>(text).map_err(damaged)?.into()),
            FORMAT => serde_json::from_slice(text).map_err(damaged),
            found => Err(CheckpointError::Format { path: path.to_path_buf(), found, newest: FORMAT }),
        }
    }
}

/// The contents of `manifest.blake3` for `manifest.json`, in the form that `b3sum --check` reads.
pub(super) fn seal(manifest: &[u8]) -> String {
    format!("{}  manifest.json\n", blake3::hash(manifest).to_hex())
}

impl FileEntry {
    /// The entry of a file with these contents.
    pub fn of(contents: &[u8]) -> Self {
        FileEntry { bytes: contents.len() as u64, blake3: blake3::hash(contents).to_hex().to_string() }
    }
}
