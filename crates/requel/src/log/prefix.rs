//! Checks that logs still start with what a checkpoint recorded.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::checkpoint::{CheckpointError, LogEntry, Manifest};
use crate::storage::open_regular;

/// Compares the logs in `dir` with what a checkpoint recorded.
///
/// # Errors
/// The first log that is missing, too short, or starts differently.
pub(crate) fn check_logs(dir: &Path, manifest: &Manifest) -> Result<(), CheckpointError> {
    manifest.logs.iter().try_for_each(|(name, entry)| check_log(&dir.join(name), entry))
}

fn check_log(path: &Path, entry: &LogEntry) -> Result<(), CheckpointError> {
    let read = |e| CheckpointError::io("read", path)(e);
    let mut file = open_regular(path).map_err(read)?;
    let found = file.metadata().map_err(read)?.len();
    if found < entry.bytes {
        let reason = format!("it has {found} bytes, but its checkpoint recorded {}", entry.bytes);
        return Err(CheckpointError::damaged(path, reason));
    }
    let Some(expected) = &entry.blake3 else { return Ok(()) };
    let actual = hash_prefix(&mut file, entry.bytes).map_err(read)?.finalize().to_hex();
    if actual.as_str() != expected {
        let reason = format!("the BLAKE3 of its first {} bytes is {}, expected {expected}", entry.bytes, &actual[..16]);
        return Err(CheckpointError::damaged(path, reason));
    }
    Ok(())
}

/// The hash of the first `len` bytes of a file.
pub(super) fn hash_prefix(file: &mut File, len: u64) -> io::Result<blake3::Hasher> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file.take(len), &mut hasher)?;
    Ok(hasher)
}
