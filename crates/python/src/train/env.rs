//! [`PyEnv`], a Gymnasium environment for training.

use numpy::{PyArray3, PyArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use requel_envs::{Action, Env, EnvError, EnvSpec, Pixels, Scene, Space, Step};

use super::errors::foreign;
use super::numbers::read_flags;
use super::source::Source;

/// A `requel._environments.Environment`: a Gymnasium environment, and what is needed to call it.
///
/// A step calls the environment directly; spaces that need more work (observations made of several, masks of several actions) are handled
/// in Python.
pub struct PyEnv {
    source: Source,
    /// `None` once it was returned.
    handle: Option<Py<PyAny>>,
    /// The environment's own `step`.
    step: Py<PyAny>,
    /// What it is passed for each action; empty if that is the number of the action.
    actions: Vec<Py<PyAny>>,
    /// Makes an array of an observation that is not one.
    encode: Option<Py<PyAny>>,
    /// The key to look up in the information of a step.
    names: Vec<Py<PyAny>>,
    mask: Vec<bool>,
    metrics: Vec<f64>,
    running: bool,
}

impl PyEnv {
    /// Wraps what [`Source::make`] was given.
    ///
    /// # Errors
    /// If it lacks something.
    pub fn new(source: Source, handle: Bound<'_, PyAny>) -> PyResult<Self> {
        let description = source.description();
        let names: Vec<Py<PyAny>> = handle.getattr("metrics")?.extract()?;
        let mut env = PyEnv {
            step: handle.getattr("step")?.unbind(),
            actions: handle.getattr("actions")?.extract()?,
            encode: Some(handle.getattr("encode")?).filter(|encode| !encode.is_none()).map(Bound::unbind),
            mask: vec![true; if description.masked { description.action_count } else { 0 }],
            metrics: vec![f64::NAN; names.len()],
            names,
            handle: None,
            running: false,
            source: source.clone(),
        };
        env.handle = Some(handle.unbind());
        Ok(env)
    }

    fn handle<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.handle.as_ref().expect("it is given back only when dropped").bind(py)
    }

    fn read(&self, value: &Bound<'_, PyAny>, observation: &mut [f32]) -> PyResult<()> {
        match &self.encode {
            None => self.source.description().reader.read(value, observation),
            Some(encode) => {
                let encoded = encode.bind(value.py()).call1((value,))?;
                self.source.description().reader.read(&encoded, observation)
            }
        }
    }

    fn read_mask(&mut self, py: Python<'_>, info: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.mask.is_empty() {
            return Ok(());
        }
        let mask = self.handle(py).call_method1(intern!(py, "mask"), (info,))?;
        read_flags(&mask, &mut self.mask)
    }

    fn read_metrics(&mut self, info: &Bound<'_, PyAny>) {
        if self.names.is_empty() {
            return;
        }
        self.metrics.fill(f64::NAN);
        let Ok(info) = info.cast::<PyDict>() else { return };
        for (number, name) in self.metrics.iter_mut().zip(&self.names) {
            if let Ok(Some(value)) = info.get_item(name) {
                *number = value.extract().unwrap_or(f64::NAN);
            }
        }
    }

    fn try_reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> PyResult<()> {
        Python::attach(|py| {
            let result = self.handle(py).call_method1(intern!(py, "reset"), (seed,))?;
            let (value, info): (Bound<'_, PyAny>, Bound<'_, PyAny>) = result.extract()?;
            self.read(&value, observation)?;
            self.read_mask(py, &info)
        })
    }

    fn try_step(&mut self, action: usize, observation: &mut [f32]) -> PyResult<Step> {
        Python::attach(|py| {
            let step = self.step.bind(py);
            let result = match self.actions.get(action) {
                Some(action) => step.call1((action,))?,
                None => step.call1((action,))?,
            };
            let Some(result) = result.cast::<PyTuple>().ok().filter(|result| result.len() == 5) else {
                return Err(not_five(&result));
            };
            self.read(&result.get_item(0)?, observation)?;
            let step = Step {
                reward: reward_of(&result.get_item(1)?)?,
                terminated: result.get_item(2)?.is_truthy()?,
                truncated: result.get_item(3)?.is_truthy()?,
            };
            let info = result.get_item(4)?;
            self.read_mask(py, &info)?;
            self.read_metrics(&info);
            Ok(step)
        })
    }

    fn try_save(&self) -> PyResult<Option<Vec<u8>>> {
        Python::attach(|py| {
            let state = self.handle(py).call_method0(intern!(py, "save"))?;
            if state.is_none() {
                return Ok(None);
            }
            let mut bytes = vec![u8::from(self.running)];
            bytes.extend(self.mask.iter().map(|flag| u8::from(*flag)));
            bytes.extend(state.cast::<PyBytes>()?.as_bytes());
            Ok(Some(bytes))
        })
    }

    fn try_restore(&mut self, state: &[u8]) -> PyResult<()> {
        let (flags, pickled) = state.split_at(1 + self.mask.len());
        Python::attach(|py| {
            self.handle(py).call_method1(intern!(py, "restore"), (PyBytes::new(py, pickled),))?;
            self.step = self.handle(py).getattr("step")?.unbind();
            Ok::<(), PyErr>(())
        })?;
        self.running = flags[0] != 0;
        self.mask.iter_mut().zip(&flags[1..]).for_each(|(to, from)| *to = *from != 0);
        Ok(())
    }

    fn try_scene(&self) -> PyResult<Option<Scene>> {
        Python::attach(|py| {
            let picture = self.handle(py).call_method0(intern!(py, "picture"))?;
            if picture.is_none() {
                return Ok(None);
            }
            let picture = picture.cast_into::<PyArray3<u8>>().map_err(PyErr::from)?;
            let picture = picture.try_readonly()?;
            let pixels = picture.as_array();
            let (height, width, _) = pixels.dim();
            let rgb = pixels.iter().copied().collect();
            Ok(Some(Scene::of_pixels(Pixels { width: width as u32, height: height as u32, rgb })))
        })
    }

    fn id(&self) -> String {
        self.spec().id.clone()
    }
}

impl Env for PyEnv {
    fn spec(&self) -> &EnvSpec {
        &self.source.description().spec
    }

    fn observation_space(&self) -> &Space {
        &self.source.description().observations
    }

    fn action_space(&self) -> &Space {
        &self.source.description().actions
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.running = false;
        self.try_reset(seed, observation).map_err(foreign)?;
        self.running = true;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if !self.running {
            return Err(EnvError::ResetNeeded { id: self.id() });
        }
        let action = action.discrete(self.source.description().action_count)?;
        // If an exception is raised in the middle of a step, the state of the environment is unknown.
        self.running = false;
        let step = self.try_step(action, observation).map_err(foreign)?;
        self.running = !step.ended();
        Ok(step)
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        self.try_save().map_err(foreign)?.ok_or_else(|| EnvError::CannotSave { id: self.id() })
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |reason: String| EnvError::InvalidState { id: self.id(), reason };
        if state.len() < 1 + self.mask.len() {
            return Err(invalid(format!("it has {} bytes", state.len())));
        }
        let id = self.id();
        self.try_restore(state).map_err(|error| EnvError::InvalidState { id, reason: error.to_string() })
    }

    fn scene(&self) -> Option<Scene> {
        self.try_scene().unwrap_or_default()
    }

    fn action_mask(&self) -> Option<&[bool]> {
        (!self.mask.is_empty()).then_some(&self.mask)
    }

    fn metrics(&self, numbers: &mut [f64]) {
        numbers.copy_from_slice(&self.metrics);
    }
}

impl Drop for PyEnv {
    fn drop(&mut self) {
        if let Some(env) = self.handle.take() {
            self.source.give_back(env);
        }
    }
}

/// A reward as a number: a Python or numpy number, or an array without axes.
fn reward_of(given: &Bound<'_, PyAny>) -> PyResult<f64> {
    given.extract().map_err(|_| {
        let kind = given.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
        let shape = given.getattr("shape").and_then(|shape| shape.repr()?.extract::<String>());
        let shape = shape.map_or_else(|_| String::new(), |shape| format!(" of shape {shape}"));
        PyTypeError::new_err(format!(
            "step() returned a reward of the type {kind}{shape} instead of a number: return float(reward)"
        ))
    })
}

fn not_five(result: &Bound<'_, PyAny>) -> PyErr {
    let found = match result.len() {
        Ok(count) => format!("{count} values"),
        Err(_) => "one value".into(),
    };
    PyTypeError::new_err(format!(
        "step() returned {found}; Gymnasium's step() returns five values: observation, reward, terminated, truncated, \
         info"
    ))
}
