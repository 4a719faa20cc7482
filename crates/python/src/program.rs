//! The `requel` program, for the command of that name that the package installs.

use std::ffi::OsString;

use pyo3::prelude::*;
use requel::Registry;

/// Runs the program with `arguments`, its name first, and returns the exit code. The GIL is released meanwhile.
#[pyfunction]
pub fn run_program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| requel_cli::run_with(Registry::built_in(), arguments))
}
