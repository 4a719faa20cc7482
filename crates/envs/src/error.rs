//! [`EnvError`], everything that an environment can refuse.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use thiserror::Error;

/// Why an environment could not be created, reset, stepped or restored.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum EnvError {
    /// No environment has this id.
    #[error("unknown environment `{id}`{}", .suggestion.as_ref().map(|s| format!(", did you mean `{s}`?")).unwrap_or_default())]
    UnknownId {
        /// The id that was given.
        id: String,
        /// The most similar id in the registry, if there is one.
        suggestion: Option<String>,
    },
    /// The registry already has an environment with this id.
    #[error("`{id}` is already registered: give this environment another id")]
    Registered {
        /// The id.
        id: String,
    },
    /// The environment has no such option, or the option does not accept this value.
    #[error("option `{option}` of {id}: {reason}")]
    InvalidOption {
        /// The environment.
        id: String,
        /// The option's name.
        option: String,
        /// What is wrong with it, and what would be valid.
        reason: String,
    },
    /// A step before the first reset, or after the end of an episode.
    #[error("{id}: step without reset: call `reset` first, and again after each episode ends")]
    ResetNeeded {
        /// The environment.
        id: String,
    },
    /// The action is not in the action space.
    #[error("invalid action {action}, expected {expected}")]
    InvalidAction {
        /// The action that was given.
        action: String,
        /// What the space contains.
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
    /// Bytes that are not a saved state of this environment.
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
        /// In which call.
        during: String,
        /// The message of the panic.
        message: String,
    },
    /// An environment broke the contract.
    #[error("{id} breaks the contract of an environment: {breach}")]
    Contract {
        /// The environment.
        id: String,
        /// What is wrong.
        breach: String,
    },
    /// A failure described by the environment itself.
    #[error("{0}")]
    Foreign(ForeignError),
    /// A failure of an environment, of a type that this crate does not know.
    #[error("{0}")]
    Other(String),
}

impl EnvError {
    /// The error for a panic of the environment `id` in `during`, where `catch_unwind` returned the cause.
    pub fn panicked(id: &str, during: &str, cause: &(dyn Any + Send)) -> Self {
        let text = cause.downcast_ref::<&str>().map(ToString::to_string);
        let message = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into());
        EnvError::Panicked { id: id.into(), during: during.into(), message }
    }

    /// Calls code of the environment `id` that may panic, in `during`; a panic becomes an error.
    ///
    /// # Errors
    /// What `call` returns; [`EnvError::Panicked`].
    pub fn catching<T>(id: &str, during: &str, call: impl FnOnce() -> Result<T, EnvError>) -> Result<T, EnvError> {
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|cause| Err(EnvError::panicked(id, during, &*cause)))
    }

    /// The error of an environment from elsewhere, such as one in another language, passed through training unchanged.
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

/// An error of a type that this crate does not know. Clones share it, and only they are equal to it.
#[derive(Clone, Debug)]
pub struct ForeignError(Arc<dyn StdError + Send + Sync>);

impl ForeignError {
    /// The error, for inspecting or downcasting.
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
