//! [`CheckpointError`].

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::memory::display_bytes;

/// Why a checkpoint cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The disk refused an operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A file does not match the manifest, or is not valid.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The checkpoint was written by a version with another format.
    #[error("{} has format {found}, but this version reads formats up to {newest}", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this version reads.
        newest: u32,
    },
    /// The files are larger than the available memory.
    #[error(
        "{} needs {} of memory, but only {} are available",
        path.display(), display_bytes(*bytes), display_bytes(*available)
    )]
    TooLarge {
        /// The checkpoint.
        path: PathBuf,
        /// Total bytes of its files.
        bytes: u64,
        /// Bytes of memory available.
        available: u64,
    },
}

impl CheckpointError {
    /// The file or directory with the problem.
    pub fn path(&self) -> &Path {
        match self {
            CheckpointError::Io { path, .. }
            | CheckpointError::Damaged { path, .. }
            | CheckpointError::Format { path, .. }
            | CheckpointError::TooLarge { path, .. } => path,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| CheckpointError::Io { action, path, source }
    }

    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        CheckpointError::Damaged { path: path.to_path_buf(), reason: reason.to_string() }
    }
}
