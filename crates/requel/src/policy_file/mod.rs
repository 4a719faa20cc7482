//! The file of a policy, with the environment it is for, and other sources of policies.

mod file;
mod pytorch_import;

pub use file::{PolicyFile, PolicyFileError};
pub use pytorch_import::{PytorchError, PytorchMlp};
