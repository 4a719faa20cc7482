//! [`CheckpointError`].

use std::path::{Path, PathBuf};

use thiserror::Error;

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
    #[error("{} has format {found}, this version reads format {expected}", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        expected: u32,
    },
}

impl CheckpointError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| CheckpointError::Io { action, path, source }
    }

    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        CheckpointError::Damaged { path: path.to_path_buf(), reason: reason.to_string() }
    }
}
