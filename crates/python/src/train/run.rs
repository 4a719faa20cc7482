//! Runs on disk, and the program for their environments.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use requel::Registry;
use requel::run::Run;
use requel_envs::EnvError;

use super::errors::of_run;
use super::source::Source;
use crate::env_error::to_python;

/// Information on a run: the id and the origin of its environment, the config as TOML, and the summary as JSON if it is finished.
#[pyfunction]
pub fn run_record<'py>(py: Python<'py>, dir: PathBuf) -> PyResult<Bound<'py, PyDict>> {
    let record = PyDict::new(py);
    let failed = |error| of_run(py, error);
    let run = Run::open(&dir).map_err(failed)?;
    let config = run.config().map_err(failed)?;
    record.set_item("env_id", &config.env.id)?;
    record.set_item("frame_stack", config.env.frame_stack)?;
    record.set_item("num_envs", config.train.num_envs)?;
    record.set_item("config", toml::to_string(&config).unwrap_or_default())?;
    let identity = run.environment().map_err(failed)?;
    record.set_item("is_built_in", identity.is_none_or(|identity| identity.is_built_in()))?;
    let summary = run.summary().map_err(failed)?;
    record.set_item("summary", summary.and_then(|summary| serde_json::to_string(&summary).ok()))?;
    record.set_item("best_policy", run.best_policy_path())?;
    Ok(record)
}

/// Whether the newest checkpoint of a run contains its environments; `None` if the run has no checkpoint.
#[pyfunction]
pub fn run_saves_envs(py: Python<'_>, dir: PathBuf) -> PyResult<Option<bool>> {
    Run::open(&dir).and_then(|run| run.saves_envs()).map_err(|error| of_run(py, error))
}

/// Runs the `requel` program with the environments of a source registered, and returns the exit code. The GIL is released meanwhile.
#[pyfunction]
#[pyo3(signature = (arguments, source=None))]
pub fn program_in(py: Python<'_>, arguments: Vec<OsString>, source: Option<Bound<'_, PyAny>>) -> PyResult<u8> {
    let registry = match source.map(Source::of).transpose()? {
        Some(source) => registry_of(&source).map_err(|error| to_python(py, &error))?,
        None => Registry::built_in(),
    };
    Ok(py.detach(|| requel_cli::run_with(registry, arguments)))
}

/// A registry whose only environment is that of a source.
pub fn registry_of(source: &Source) -> Result<Registry, EnvError> {
    let mut registry = Registry::empty();
    let source = source.clone();
    registry.register_env(move || source.make())?;
    Ok(registry)
}
