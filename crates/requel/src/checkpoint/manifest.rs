//! [`Manifest`], what a checkpoint says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the format that this code writes and reads.
pub(super) const FORMAT: u32 = 1;

/// The table of contents of a checkpoint, written last but for its own hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// Version of requel that wrote it.
    pub requel: String,
    /// Env steps of the state.
    pub env_steps: u64,
    /// The other files, by name.
    pub files: BTreeMap<String, FileEntry>,
    /// How long each log was at that moment, bytes: a resumed run cuts them there.
    pub logs: BTreeMap<String, u64>,
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

/// What `manifest.blake3` says of `manifest.json`, in the form that `b3sum --check` reads.
pub(super) fn seal(manifest: &[u8]) -> String {
    format!("{}  manifest.json\n", blake3::hash(manifest).to_hex())
}

impl FileEntry {
    /// The entry of a file with these contents.
    pub fn of(contents: &[u8]) -> Self {
        FileEntry { bytes: contents.len() as u64, blake3: blake3::hash(contents).to_hex().to_string() }
    }
}
