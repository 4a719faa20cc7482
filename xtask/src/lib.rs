//! What the chores of [`xtask`](crate) and the measurements of `lab` have in common: commands, the folders of the repository,
//! Python environments, and what is said of the machine.
#![forbid(unsafe_code)]

pub mod command;
mod finished;
pub mod machine;
pub mod python;
pub mod workspace;

use std::fmt;

pub use finished::finished_line;

/// A mistake in the arguments, as against a chore that failed.
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// How a process ends that came to this: 2 is what a person's mistake exits with everywhere in this project, 1 a chore that failed.
pub fn exit(result: anyhow::Result<std::process::ExitCode>) -> std::process::ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        std::process::ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
    })
}
