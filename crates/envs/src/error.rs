//! [`EnvError`], everything that an environment can refuse.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use thiserror::Error;

/// Why an environment could not be made, reset, stepped or restored.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum EnvError {
    /// No environment has this id.
    #[error("unknown environment `{id}`{}", .suggestion.as_ref().map(|s| format!(", did you mean `{s}`?")).unwrap_or_default())]
    UnknownId {
        /// What was asked for.
        id: String,
        /// The nearest id of the registry, if one is near.
        suggestion: Option<String>,
    },
    /// The registry has an environment of this id already.
    #[error("`{id}` is registered already: give this environment another id")]
    Registered {
        /// The id.
        id: String,
    },
    /// The environment has no such option, or the option does not take such a value.
    #[error("option `{option}` of {id}: {reason}")]
    InvalidOption {
        /// The environment.
        id: String,
        /// The option's name.
        option: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// A step before the first reset, or after the end of an episode.
    #[error("{id}: step without reset: call `reset` first, and again after each end of an episode")]
    ResetNeeded {
        /// The environment.
        id: String,
    },
    /// The action is not in the action space.
    #[error("invalid action {action}, expected {expected}")]
    InvalidAction {
        /// What was given.
        action: String,
        /// What the space holds.
        expected: String,
    },
    /// The observation slice has the wrong length.
    #[error("observation slice has {found} numbers, expected {expected}")]
    ObservationLength {
        /// How many numbers an observation has.
        expected: usize,
        /// How many the slice holds.
        found: usize,
    },
    /// Bytes that are no saved state of this environment.
    #[error("not a saved state of {id}: {reason}")]
    InvalidState {
        /// The environment.
        id: String,
        /// What is wrong with the bytes.
        reason: String,
    },
    /// The environment has no way to save its state, see [`Env::save`](crate::Env::save).
    #[error("{id} cannot save its state")]
    CannotSave {
        /// The environment.
        id: String,
    },
    /// An environment panicked.
    #[error("{id} panicked in {during}: {message}")]
    Panicked {
        /// The environment.
        id: String,
        /// Which call it was in.
        during: String,
        /// What it said.
        message: String,
    },
    /// An environment did what no environment may.
    #[error("{id} breaks the contract of an environment: {breach}")]
    Contract {
        /// The environment.
        id: String,
        /// What is wrong.
        breach: String,
    },
    /// A failure of an environment in its own words.
    #[error("{0}")]
    Foreign(ForeignError),
    /// A failure of an environment that this crate does not know.
    #[error("{0}")]
    Other(String),
}

impl EnvError {
    /// The error for a panic of the environment `id` in `during`, of which `catch_unwind` gave the cause.
    pub fn panicked(id: &str, during: &str, cause: &(dyn Any + Send)) -> Self {
        let text = cause.downcast_ref::<&str>().map(ToString::to_string);
        let message = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into());
        EnvError::Panicked { id: id.into(), during: during.into(), message }
    }

    /// Calls code of the environment `id` that may panic, in `during`: a panic is an error then.
    ///
    /// # Errors
    /// What `call` returns; [`EnvError::Panicked`].
    pub fn catching<T>(id: &str, during: &str, call: impl FnOnce() -> Result<T, EnvError>) -> Result<T, EnvError> {
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|cause| Err(EnvError::panicked(id, during, &*cause)))
    }

    /// The error of an environment from elsewhere, such as one in another language, which comes out of a training as it went in.
    ///
    /// ```
    /// use requel_envs::EnvError;
    ///
    /// let error = EnvError::foreign(std::io::Error::other("the arm is stuck"));
    /// let EnvError::Foreign(foreign) = &error else { unreachable!() };
    /// assert!(foreign.get().is::<std::io::Error>());
    /// ```
    pub fn foreign(error: impl StdError + Send + Sync + 'static) -> Self {
        EnvError::Foreign(ForeignError(Arc::new(error)))
    }
}

/// An error that this crate knows nothing about. It is shared by its clones, and equal only to these.
#[derive(Clone, Debug)]
pub struct ForeignError(Arc<dyn StdError + Send + Sync>);

impl ForeignError {
    /// The error, to be looked at or downcast.
    pub fn get(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for ForeignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for ForeignError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
