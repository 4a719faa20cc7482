//! The file of a policy, with the environment that it is of, and what else a policy is made from.

mod file;
mod pytorch_import;

pub use file::{PolicyFile, PolicyFileError};
pub use pytorch_import::{PytorchError, PytorchMlp};
