//! Errors of environments as Python exceptions, Gymnasium's own if it has one.

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use requel_envs::EnvError;

/// The exception for an error of an environment: the one raised in Python, if there was one.
pub fn to_python(py: Python<'_>, error: &EnvError) -> PyErr {
    let text = error.to_string();
    match error {
        EnvError::Foreign(foreign) => match foreign.get().downcast_ref::<PyErr>() {
            Some(raised) => raised.clone_ref(py),
            None => PyRuntimeError::new_err(text),
        },
        EnvError::ResetNeeded { .. } => gymnasium(py, "ResetNeeded", text),
        EnvError::InvalidAction { .. } => gymnasium(py, "InvalidAction", text),
        EnvError::UnknownId { .. } => gymnasium(py, "NameNotFound", text),
        EnvError::Panicked { .. } | EnvError::CannotSave { .. } => PyRuntimeError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// One of the exceptions of `gymnasium.error`.
fn gymnasium(py: Python<'_>, name: &str, text: String) -> PyErr {
    let class = py.import("gymnasium.error").and_then(|module| module.getattr(name)?.cast_into().map_err(PyErr::from));
    PyErr::from_type(class.unwrap_or_else(|_| PyRuntimeError::type_object(py)), text)
}
