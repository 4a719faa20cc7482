//! [`Fuse`], calls into code that may panic.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use requel_envs::EnvError;

/// Calls an environment until it panics: from then on it is in no known state, and is not touched again.
pub(super) struct Fuse {
    id: String,
    /// What it panicked with.
    blown: RefCell<Option<EnvError>>,
}

impl Fuse {
    /// For calls of the environment `id`.
    pub(super) fn new(id: String) -> Self {
        Fuse { id, blown: RefCell::new(None) }
    }

    /// Calls the environment, unless it panicked before.
    pub(super) fn call<T>(&self, during: &str, call: impl FnOnce() -> Result<T, EnvError>) -> Result<T, EnvError> {
        if let Some(error) = &*self.blown.borrow() {
            return Err(error.clone());
        }
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|cause| {
            let error = panicked(&self.id, during, &*cause);
            *self.blown.borrow_mut() = Some(error.clone());
            Err(error)
        })
    }

    /// The state that `save` gives.
    ///
    /// # Panics
    /// With the [`EnvError`] if the environment panics: `save` has no error to return, and `Trainer::try_save` makes an error of it
    /// again.
    pub(super) fn saved(&self, save: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
        self.call("save", || Ok(save())).unwrap_or_else(|error| resume_unwind(Box::new(error)))
    }
}

/// The error for what `catch_unwind` caught.
pub(super) fn panicked(id: &str, during: &str, cause: &(dyn Any + Send)) -> EnvError {
    let text = cause.downcast_ref::<&str>().map(ToString::to_string);
    let message = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into());
    EnvError::Panicked { id: id.into(), during: during.into(), message }
}
