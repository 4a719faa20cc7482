//! Writing so that a crash leaves the old or the new, never half of it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::CheckpointError;

/// The few things that a save asks of the disk.
pub(crate) struct Disk;

impl Disk {
    /// Makes a directory and those above it.
    pub fn create_dir(path: &Path) -> Result<(), CheckpointError> {
        fs::create_dir_all(path).map_err(CheckpointError::io("create", path))
    }

    /// Writes a new file, on the disk when this returns.
    pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
        let mut file = File::create(path).map_err(CheckpointError::io("create", path))?;
        file.write_all(bytes).map_err(CheckpointError::io("write", path))?;
        file.sync_all().map_err(CheckpointError::io("sync", path))
    }

    /// Makes what happened to a directory's entries last.
    pub fn sync_dir(path: &Path) -> Result<(), CheckpointError> {
        File::open(path).and_then(|dir| dir.sync_all()).map_err(CheckpointError::io("sync", path))
    }

    /// Gives a file or directory another name.
    pub fn rename(from: &Path, to: &Path) -> Result<(), CheckpointError> {
        fs::rename(from, to).map_err(CheckpointError::io("rename", from))
    }

    /// Removes a directory with all in it, if it is there.
    pub fn remove_dir(path: &Path) -> Result<(), CheckpointError> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointError::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Writes a file in place of one that may be there: at any moment one of the two is there, whole.
pub(crate) fn write_replacing(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    let staged = Path::new(&staged);
    Disk::write(staged, bytes)?;
    Disk::rename(staged, path)?;
    path.parent().map_or(Ok(()), Disk::sync_dir)
}
