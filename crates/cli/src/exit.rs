//! [`Exit`], how the program ends, and [`Failure`], why.

use std::fmt;
use std::io;

use requel::unknown_env_hint;
use requel_envs::EnvError;

/// How the program ends; `requel --help` lists the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Success = 0,
    /// Something went wrong on the way: a full disk, a damaged run.
    Failure = 1,
    /// The input was wrong: an unknown name, a value out of range, a file that is not what it should be.
    BadInput = 2,
    /// A number was NaN or infinite, in an environment or in learning.
    NotFinite = 3,
    /// Stopped by SIGHUP, after a checkpoint where there was something to save.
    HungUp = 129,
    /// Stopped by Ctrl-C (SIGINT), after a checkpoint where there was something to save.
    Interrupted = 130,
    /// Stopped by SIGTERM, after a checkpoint where there was something to save.
    Terminated = 143,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit as u8)
    }
}

/// Why the program ends early: what is wrong, as a lower-case fragment, and what to try.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong; empty if nobody can read it.
    pub what: String,
    /// What to try.
    pub hint: Option<String>,
}

impl Failure {
    /// The input is wrong.
    pub fn bad_input(what: impl fmt::Display) -> Self {
        Failure { exit: Exit::BadInput, what: what.to_string(), hint: None }
    }

    /// Something went wrong that is not the input's fault.
    pub fn failed(what: impl fmt::Display) -> Self {
        Failure { exit: Exit::Failure, what: what.to_string(), hint: None }
    }

    /// Adds what to try.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Failure { hint: Some(hint.into()), ..self }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // The reader of our output has closed it, as in `requel envs | head -1`.
            io::ErrorKind::BrokenPipe => Failure { exit: Exit::Success, what: String::new(), hint: None },
            // Errors of files are reported where files are written, so this one is about printed output.
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Failure::failed(format_args!("cannot write to standard output: {error}"))
            }
            _ => Failure::failed(error),
        }
    }
}

impl From<EnvError> for Failure {
    fn from(error: EnvError) -> Self {
        match error {
            EnvError::UnknownId { id, suggestion } => {
                let hint = unknown_env_hint(suggestion.as_deref());
                Failure::bad_input(format!("unknown environment `{id}`")).hint(hint)
            }
            EnvError::InvalidOption { .. } | EnvError::InvalidAction { .. } => Failure::bad_input(error),
            _ => Failure::failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_nobodys_fault() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit, failure.what.as_str()), (Exit::Success, ""));
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit, Exit::Failure);
        assert!(full.what.starts_with("cannot write to standard output: "), "{}", full.what);
    }

    #[test]
    fn a_misspelt_environment_is_bad_input_with_a_hint() {
        let failure = Failure::from(requel_envs::make("CartPoel-v1").err().unwrap());
        assert_eq!(failure.exit, Exit::BadInput);
        assert_eq!(failure.what, "unknown environment `CartPoel-v1`");
        assert_eq!(failure.hint.as_deref(), Some("did you mean `CartPole-v1`?"));
    }
}
