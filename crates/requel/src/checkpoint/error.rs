//! [`CheckpointError`].

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::memory::display_bytes;

/// Why a checkpoint cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The disk refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not what the manifest says, or not what it should be.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The checkpoint is from a version that writes another format.
    #[error("{} has format {found}, this version reads formats up to {newest}", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest of ours.
        newest: u32,
    },
    /// The files are larger than the memory that could take them.
    #[error(
        "{} holds {} and {} of memory are available",
        path.display(), display_bytes(*bytes), display_bytes(*available)
    )]
    TooLarge {
        /// The checkpoint.
        path: PathBuf,
        /// Bytes that its files have.
        bytes: u64,
        /// Bytes of memory that there are.
        available: u64,
    },
}

impl CheckpointError {
    /// The file or directory that something is wrong with.
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
