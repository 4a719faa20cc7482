//! [`Source`], which provides environments that are Python objects and describes them.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use requel_envs::{DType, Env, EnvError, EnvSpec, MetricSpec, OverEpisode, Space};

use super::env::PyEnv;
use super::errors::foreign;
use super::numbers::Reader;

/// A `requel._environments.Source`: it creates environments, takes back those that are no longer needed, and has examined what they are.
#[derive(Clone, Debug)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Py<PyAny>,
    description: Description,
}

/// The description of a source's environments.
#[derive(Clone, Debug)]
pub struct Description {
    /// Their own specification.
    pub spec: EnvSpec,
    /// The space of observations as the agent sees them.
    pub observations: Space,
    /// The space of actions, which is discrete.
    pub actions: Space,
    /// How many actions there are.
    pub action_count: usize,
    /// How observations are read.
    pub reader: Reader,
    /// Whether they have action masks.
    pub masked: bool,
}

impl Source {
    /// Asks a Python source for its description.
    ///
    /// # Errors
    /// If it lacks something.
    pub fn of(source: Bound<'_, PyAny>) -> PyResult<Self> {
        let description = Description::of(&source.getattr("description")?)?;
        Ok(Source(Arc::new(Inner { source: source.unbind(), description })))
    }

    /// The description of its environments.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// One more environment.
    ///
    /// # Errors
    /// What is raised while creating it.
    pub fn make(&self) -> Result<Box<dyn Env>, EnvError> {
        Python::attach(|py| {
            let env = self.0.source.bind(py).call_method0(intern!(py, "take"))?;
            PyEnv::new(self.clone(), env)
        })
        .map(|env| Box::new(env) as Box<dyn Env>)
        .map_err(foreign)
    }

    /// Takes an environment back. Does nothing while the interpreter is shutting down.
    pub fn give_back(&self, env: Py<PyAny>) {
        let source = &self.0.source;
        // An error here can no longer be reported; the environment is not used again.
        let _ = Python::try_attach(|py| source.bind(py).call_method1(intern!(py, "give"), (env,)).map(drop));
    }
}

impl Description {
    /// The Python object's attribute of the same name.
    ///
    /// # Errors
    /// If it lacks something, or a space is invalid.
    pub fn of(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let spec = EnvSpec {
            max_episode_steps: given.getattr("max_episode_steps")?.extract()?,
            reward_threshold: given.getattr("reward_threshold")?.extract()?,
            reward_range: given.getattr("reward_range")?.extract()?,
            frames_per_second: given.getattr("frames_per_second")?.extract()?,
            metrics: metrics(given.getattr("metrics")?.extract()?),
            // Python has already tried it, and reports what it found instead of refusing the environment.
            heeds_seeds: false,
            ..EnvSpec::new(given.getattr("id")?.extract::<String>()?)
        };
        let (observations, reader) = observations(given.getattr("observations")?.cast()?)?;
        let action_count: usize = given.getattr("action_count")?.extract()?;
        let actions = Space::Discrete { n: action_count };
        let masked = given.getattr("masked")?.extract()?;
        Ok(Description { spec, observations, actions, action_count, reader, masked })
    }
}

/// Each counts with its value at the end of the episode.
fn metrics(names: Vec<String>) -> Vec<MetricSpec> {
    names.into_iter().map(|name| MetricSpec::new(name, OverEpisode::Last)).collect()
}

fn observations(given: &Bound<'_, PyDict>) -> PyResult<(Space, Reader)> {
    let get = |key: &str| given.get_item(key)?.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(key.to_owned()));
    let kind: String = get("kind")?.extract()?;
    let start = given.get_item("start")?.map_or(Ok(0.0), |start| start.extract())?;
    let axes = given.get_item("axes")?.map(|axes| axes.extract()).transpose()?;
    let space = match kind.as_str() {
        "discrete" => Space::Discrete { n: get("n")?.extract()? },
        "multi_discrete" => Space::MultiDiscrete { n: get("n")?.extract()? },
        _ => {
            // Numbers of all other types are converted to single precision for learning.
            let dtype = DType::of_name(&get("dtype")?.extract::<String>()?).unwrap_or(DType::F32);
            Space::Box {
                low: get("low")?.extract()?,
                high: get("high")?.extract()?,
                shape: get("shape")?.extract()?,
                dtype,
            }
        }
    };
    let reader = Reader { len: space.len(), start, axes };
    Ok((space, reader))
}
