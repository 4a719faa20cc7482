//! Errors of the libraries as exceptions, and exceptions as errors that come out as they went in.

use pyo3::exceptions::{PyFileExistsError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use requel::agent::AgentError;
use requel::config::ConfigError;
use requel::run::RunError;
use requel::train::TrainError;
use requel_envs::EnvError;

/// An exception on its way through the training of an environment.
pub fn foreign(error: PyErr) -> EnvError {
    EnvError::foreign(error)
}

/// The exception for what ended a training: the one that was raised in Python, if one was.
pub fn of_training(py: Python<'_>, error: TrainError) -> PyErr {
    match error {
        TrainError::Env(error) => of_env(py, &error),
        TrainError::Agent(error) => of_agent(&error),
        TrainError::Config(error) => of_config(&error),
        TrainError::Observer(error) => match error.downcast::<PyErr>() {
            Ok(raised) => *raised,
            Err(error) => PyRuntimeError::new_err(error.to_string()),
        },
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for what ended a run.
pub fn of_run(py: Python<'_>, error: RunError) -> PyErr {
    match error {
        RunError::Train(error) => of_training(py, error),
        RunError::Config(error) => of_config(&error),
        RunError::Occupied { .. } => PyFileExistsError::new_err(error.to_string()),
        RunError::OtherEnvironment { .. }
        | RunError::NotARun { .. }
        | RunError::NoRuns { .. }
        | RunError::StaysOver { .. }
        | RunError::BeforeSegment { .. } => PyValueError::new_err(error.to_string()),
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for what an environment refused.
pub fn of_env(py: Python<'_>, error: &EnvError) -> PyErr {
    match error {
        EnvError::Foreign(foreign) => match foreign.get().downcast_ref::<PyErr>() {
            Some(raised) => raised.clone_ref(py),
            None => PyRuntimeError::new_err(foreign.to_string()),
        },
        EnvError::UnknownId { .. } | EnvError::InvalidOption { .. } => PyValueError::new_err(error.to_string()),
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for a config that cannot be, with what to try.
pub fn of_config(error: &ConfigError) -> PyErr {
    let text = error.to_string();
    PyValueError::new_err(match error.hint() {
        _ if asks_for_rewards(&text) => of_rewards(&text),
        Some(hint) => format!("{text}\n{hint}"),
        None => text,
    })
}

fn of_agent(error: &AgentError) -> PyErr {
    let text = error.to_string();
    PyValueError::new_err(if asks_for_rewards(&text) { of_rewards(&text) } else { text })
}

/// Whether an error is about an environment that does not say what its rewards can be.
fn asks_for_rewards(text: &str) -> bool {
    text.contains("range of rewards")
}

fn of_rewards(text: &str) -> String {
    format!("{text}\nof an environment in Python reward_range=(lowest, highest) says it")
}
