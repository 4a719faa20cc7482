//! [`Config`], the settings of a training run, from Python values.

use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};
use requel::Registry;
use requel::config::{self, Layers, SECTIONS};
use requel::run::Run;

use super::errors::{of_config, of_run};

/// The settings of a training run, complete and checked.
#[pyclass(frozen, module = "requel._requel")]
#[derive(Clone)]
pub struct Config(pub config::Config);

/// Keys and values in the order they were given, each with its place.
type Settings<'py> = Vec<(String, String, Bound<'py, PyAny>)>;

#[pymethods]
impl Config {
    /// The settings of a preset and an algorithm for an environment, overridden by individual ones.
    #[staticmethod]
    #[pyo3(signature = (env_id, preset, algo, settings))]
    fn resolve(env_id: &str, preset: Option<&str>, algo: Option<&str>, settings: Settings<'_>) -> PyResult<Self> {
        let mut layers = Layers::new();
        if let Some(name) = preset {
            layers = layers.preset(name).map_err(|error| of_config(&error))?;
        }
        if let Some(name) = algo {
            layers = layers.algorithm(name).map_err(|error| of_config(&error))?;
        }
        layers =
            layers.set_from("the environment", &format!("env.id={env_id:?}")).map_err(|error| of_config(&error))?;
        let layers = set(layers, settings)?.for_env().map_err(|error| of_config(&error))?;
        Ok(Config(layers.resolve().map_err(|error| of_config(&error))?))
    }

    /// The settings of a run, as it would continue with them.
    #[staticmethod]
    fn of_run(py: Python<'_>, dir: PathBuf) -> PyResult<Self> {
        let config = Run::open(&dir).and_then(|run| run.config());
        Ok(Config(config.map_err(|error| of_run(py, error))?))
    }

    /// The same with other values for some keys.
    fn with_settings(&self, settings: Settings<'_>) -> PyResult<Self> {
        let layers = Layers::new().record_text("the settings", &self.text()).map_err(|error| of_config(&error))?;
        Ok(Config(set(layers, settings)?.resolve().map_err(|error| of_config(&error))?))
    }

    /// Why some of these keys have no effect with the other settings, a sentence for each that has none.
    fn unused(&self, keys: Vec<String>) -> Vec<String> {
        keys.iter().filter_map(|key| config::unused(&self.0, key)).collect()
    }

    /// All of them as TOML.
    #[getter]
    fn text(&self) -> String {
        toml::to_string(&self.0).unwrap_or_default()
    }

    /// The number of environments trained in parallel.
    #[getter]
    fn num_envs(&self) -> usize {
        self.0.train.num_envs
    }

    /// The number of env steps after which training stops; `None` if the limit is not a number of env steps.
    #[getter]
    fn env_steps(&self) -> Option<u64> {
        Some(self.0.train.env_steps).filter(|limit| *limit > 0)
    }

    /// The id of the environment.
    #[getter]
    fn env_id(&self) -> &str {
        &self.0.env.id
    }
}

fn set(mut layers: Layers, settings: Settings<'_>) -> PyResult<Layers> {
    for (place, key, value) in settings {
        let value = toml_text(&value).map_err(|_| {
            let kind = value.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "`{key}` has the type {kind}: a setting is a number, a string, True, False or a list of these"
            ))
        })?;
        layers = layers.set_from(&place, &format!("{key}={value}")).map_err(|error| of_config(&error))?;
    }
    Ok(layers)
}

/// A value as written in TOML.
fn toml_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if value.is_instance_of::<PyBool>() {
        return Ok(value.extract::<bool>()?.to_string());
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(value.str()?.to_string());
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(format!("{:?}", value.extract::<f64>()?).to_lowercase());
    }
    if value.is_instance_of::<PyString>() {
        // TOML escapes the same characters as JSON, in the same way.
        return Ok(serde_json::to_string(&value.extract::<String>()?).unwrap_or_default());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items = value.try_iter()?.map(|item| toml_text(&item?)).collect::<PyResult<Vec<_>>>()?;
        return Ok(format!("[{}]", items.join(", ")));
    }
    // A number of numpy.
    toml_text(&value.call_method0("item")?)
}

/// Whether an environment of requel's own has this id.
#[pyfunction]
pub fn is_own_env(id: &str) -> bool {
    Registry::built_in().envs().is_built_in(id) == Some(true)
}

/// The names of the presets.
#[pyfunction]
pub fn presets() -> Vec<&'static str> {
    config::presets::all().iter().map(|preset| preset.name).collect()
}

/// The contents of a preset, section by section, as JSON.
#[pyfunction]
pub fn preset_settings(name: &str) -> PyResult<String> {
    let unknown = || PyValueError::new_err(format!("there is no preset {name:?}"));
    let preset = config::presets::get(name).ok_or_else(unknown)?;
    let settings: toml::Table = preset.toml.parse().map_err(|_| unknown())?;
    Ok(serde_json::to_string(&settings).unwrap_or_default())
}

/// A section: its name, its purpose, and its keys with their meaning.
type SectionHelp = (&'static str, &'static str, Vec<(&'static str, String)>);

/// Every section of the settings.
#[pyfunction]
pub fn config_sections() -> Vec<SectionHelp> {
    let keys = |section: &config::Section| section.keys.iter().map(|key| (key.name(), key.help())).collect();
    let named = SECTIONS.iter().filter(|section| !section.name.is_empty());
    named.map(|section| (section.name, section.about, keys(section))).collect()
}
