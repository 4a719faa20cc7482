//! [`LoadError`], why a file is not a policy.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::PolicyError;
use crate::saved_policy::FORMAT;

/// Why a policy file cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not a policy.
    Invalid {
        /// What is wrong.
        reason: String,
    },
    /// The file was written by a version with another format.
    Format {
        /// Its format.
        found: serde_json::Value,
    },
    /// A weight is NaN or infinite: every value would be too.
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The first such weight.
        value: f32,
    },
    /// The policy cannot be created.
    Policy(PolicyError),
    /// Any of these errors, with the file.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<LoadError>,
    },
}

impl LoadError {
    /// The same error with the file it is about.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        match self {
            LoadError::Read { .. } | LoadError::File { .. } => self,
            error => LoadError::File { path: path.to_path_buf(), source: Box::new(error) },
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Read { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            LoadError::Invalid { reason } => write!(f, "not a policy: {reason}"),
            LoadError::Format { found } => {
                write!(f, "it has format {found}, but this version reads format {FORMAT}")
            }
            LoadError::NotFinite { tensor, value } => {
                write!(f, "`{tensor}` contains {value}: a policy's weights must be finite")
            }
            LoadError::Policy(error) => error.fmt(f),
            LoadError::File { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            LoadError::Read { source, .. } => Some(source),
            LoadError::File { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<PolicyError> for LoadError {
    fn from(error: PolicyError) -> Self {
        LoadError::Policy(error)
    }
}
