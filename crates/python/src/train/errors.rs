//! Errors of the libraries as exceptions, and Python exceptions as errors that are raised again unchanged.

use pyo3::exceptions::{PyFileExistsError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use requel::config::ConfigError;
use requel::run::RunError;
use requel::train::TrainError;
use requel_envs::EnvError;

use crate::env_error::to_python;

/// An exception passed through the training of an environment.
pub fn foreign(error: PyErr) -> EnvError {
    EnvError::foreign(error)
}

/// The exception for an error that ended training: the one raised in Python, if there was one.
pub fn of_training(py: Python<'_>, error: TrainError) -> PyErr {
    match error {
        TrainError::Env(error) => to_python(py, &error),
        error @ (TrainError::Agent(_) | TrainError::Part { .. }) => PyValueError::new_err(error.to_string()),
        TrainError::Config(error) => of_config(&error),
        TrainError::Observer(error) => match error.downcast::<PyErr>() {
            Ok(raised) => *raised,
            Err(error) => PyRuntimeError::new_err(error.to_string()),
        },
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for an error that ended a run.
pub fn of_run(py: Python<'_>, error: RunError) -> PyErr {
    match error {
        RunError::Train(error) => of_training(py, error),
        RunError::Config(error) => of_config(&error),
        RunError::Occupied { .. } => PyFileExistsError::new_err(error.to_string()),
        RunError::OtherEnvironment { .. }
        | RunError::UnknownPart { .. }
        | RunError::NotARun { .. }
        | RunError::NoRuns { .. }
        | RunError::StaysOver { .. }
        | RunError::BeforeSegment { .. } => PyValueError::new_err(error.to_string()),
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for an invalid config, with what to try.
pub fn of_config(error: &ConfigError) -> PyErr {
    let hint = match error {
        ConfigError::NoRewardRange { .. } => {
            Some("for an environment in Python, pass reward_range=(lowest, highest)".into())
        }
        error => error.hint(),
    };
    PyValueError::new_err(match hint {
        Some(hint) => format!("{error}\n{hint}"),
        None => error.to_string(),
    })
}
