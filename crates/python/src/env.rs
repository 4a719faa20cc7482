//! One environment of the registry, used by `requel.envs.RequelEnv`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArray3, PyArrayLike1, PyArrayMethods, TypeMustMatch};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyString};
use requel_cli::draw;
use requel_envs::{Action, Env, EnvError, EnvOptions, OptionValue, Scene, make_with, option_specs, specs};

use crate::env_error;
use crate::space::{self, Layout};

/// The specification of each environment, known without creating it, as one dictionary for each.
#[pyfunction]
pub fn environments(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let entry = |spec: requel_envs::EnvSpec| {
        let entry = PyDict::new(py);
        entry.set_item("id", &spec.id)?;
        entry.set_item("max_episode_steps", spec.max_episode_steps)?;
        entry.set_item("reward_threshold", spec.reward_threshold)?;
        entry.set_item("reward_range", spec.reward_range)?;
        entry.set_item("render_fps", spec.frames_per_second)?;
        let options = option_specs(&spec.id).map_err(|error| env_error::to_python(py, &error))?;
        entry.set_item("options", options.iter().map(|option| option.name).collect::<Vec<_>>())?;
        Ok(entry)
    };
    specs().into_iter().map(entry).collect()
}

/// Options in the form that an environment accepts: booleans, numbers, strings and lists of strings. Those that are `None` are left out.
pub fn options_of(options: &Bound<'_, PyDict>) -> PyResult<EnvOptions> {
    let mut taken = BTreeMap::new();
    for (name, value) in options.iter() {
        if !value.is_none() {
            taken.insert(name.extract()?, option_value(&name, &value)?);
        }
    }
    Ok(taken)
}

fn option_value(name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<OptionValue> {
    if value.is_instance_of::<PyBool>() {
        Ok(OptionValue::Bool(value.extract()?))
    } else if value.is_instance_of::<PyInt>() {
        Ok(OptionValue::Int(value.extract()?))
    } else if value.is_instance_of::<PyFloat>() {
        Ok(OptionValue::Float(value.extract()?))
    } else if value.is_instance_of::<PyString>() {
        Ok(OptionValue::Text(value.extract()?))
    } else {
        let list = value.extract().map(OptionValue::List);
        list.map_err(|_| {
            let kind = value.get_type().to_string();
            PyTypeError::new_err(format!(
                "option {name}: expected a bool, an int, a float, a str or a list of str, got a {kind}"
            ))
        })
    }
}

/// An environment of the registry.
#[pyclass(name = "Env", module = "requel._requel")]
pub struct PyEnv {
    /// Never locked: an environment can be sent to another thread but not shared, which a lock that is always taken through `&mut self`
    /// expresses.
    env: Mutex<Box<dyn Env>>,
    layout: Layout,
    observation: Vec<f32>,
    metrics: Vec<f64>,
}

impl PyEnv {
    fn env(&mut self) -> &mut dyn Env {
        self.env.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn scene(&mut self) -> PyResult<Scene> {
        self.env().scene().ok_or_else(|| PyRuntimeError::new_err("this environment has nothing to draw"))
    }

    /// Gymnasium's `info`: the action mask and the metrics of the last step, if there are any.
    fn info<'py>(&mut self, py: Python<'py>, is_step: bool) -> PyResult<Bound<'py, PyDict>> {
        let info = PyDict::new(py);
        let env = self.env.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(mask) = env.action_mask() {
            let mask: Vec<i8> = mask.iter().map(|allowed| i8::from(*allowed)).collect();
            info.set_item("action_mask", PyArray1::from_slice(py, &mask))?;
        }
        if is_step && !self.metrics.is_empty() {
            self.metrics.fill(f64::NAN);
            env.metrics(&mut self.metrics);
            for (metric, number) in env.spec().metrics.iter().zip(&self.metrics).filter(|(_, number)| !number.is_nan())
            {
                info.set_item(&metric.name, *number)?;
            }
        }
        Ok(info)
    }
}

#[pymethods]
impl PyEnv {
    #[new]
    fn new(id: &str, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let env = make_with(id, &options_of(options)?).map_err(|error| env_error::to_python(options.py(), &error))?;
        Ok(PyEnv {
            layout: Layout::of(env.observation_space()),
            observation: vec![0.0; env.observation_len()],
            metrics: vec![f64::NAN; env.spec().metrics.len()],
            env: Mutex::new(env),
        })
    }

    /// The observation space, see `requel.envs.spaces`.
    fn observation_space<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        space::to_python(py, self.env().observation_space())
    }

    /// The action space.
    fn action_space<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        space::to_python(py, self.env().action_space())
    }

    /// Starts an episode: the observation and the info.
    #[pyo3(signature = (seed=None))]
    fn reset<'py>(&mut self, py: Python<'py>, seed: Option<u64>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        let env = self.env.get_mut().unwrap_or_else(PoisonError::into_inner);
        env.reset(seed, &mut self.observation).map_err(|error| env_error::to_python(py, &error))?;
        Ok((self.layout.one(py, &self.observation)?, self.info(py, false)?))
    }

    /// Takes an action: the observation, the reward, whether the episode terminated, whether it was truncated, the info.
    #[allow(clippy::type_complexity)]
    fn step<'py>(
        &mut self,
        py: Python<'py>,
        action: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, f64, bool, bool, Bound<'py, PyDict>)> {
        let env = self.env.get_mut().unwrap_or_else(PoisonError::into_inner);
        let step = match env.action_space().discrete_n() {
            Some(n) => {
                // A value that is not an index is refused like an index that does not exist.
                let index = action.extract::<usize>().map_err(|_| {
                    let expected = format!("Discrete({n}): 0 to {}", n.saturating_sub(1));
                    let error = EnvError::InvalidAction { action: action.to_string(), expected };
                    env_error::to_python(py, &error)
                })?;
                env.step(Action::Discrete(index), &mut self.observation)
            }
            None => {
                let values = continuous(action)?;
                env.step(Action::Continuous(&values), &mut self.observation)
            }
        };
        let step = step.map_err(|error| env_error::to_python(py, &error))?;
        let observation = self.layout.one(py, &self.observation)?;
        Ok((observation, step.reward, step.terminated, step.truncated, self.info(py, true)?))
    }

    /// The environment as an image in red, green and blue: height × `width` × 3 bytes.
    fn pixels<'py>(&mut self, py: Python<'py>, width: u32) -> PyResult<Bound<'py, PyArray3<u8>>> {
        pixels_of(py, &self.scene()?, width)
    }

    /// The environment in at most this many character cells, with escape sequences for 24-bit colours.
    fn text(&mut self, columns: usize, rows: usize) -> PyResult<String> {
        Ok(draw::text(&self.scene()?, (columns, rows)))
    }

    /// The same with what the terminal of this process can show.
    fn terminal_text(&mut self, columns: usize, rows: usize) -> PyResult<String> {
        Ok(draw::terminal_text(&self.scene()?, (columns, rows)))
    }

    /// The complete state.
    fn save<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = self.env().save().map_err(|error| env_error::to_python(py, &error))?;
        Ok(PyBytes::new(py, &state))
    }

    /// Restores a state that `save` returned.
    fn restore(&mut self, py: Python<'_>, state: &[u8]) -> PyResult<()> {
        self.env().restore(state).map_err(|error| env_error::to_python(py, &error))
    }
}

/// The numbers of a continuous action, whatever their type.
fn continuous(action: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
    if let Ok(array) = action.extract::<PyArrayLike1<'_, f32, TypeMustMatch>>() {
        return Ok(array.as_array().to_vec());
    }
    let numbers: Vec<f64> = action.extract()?;
    Ok(numbers.into_iter().map(|number| number as f32).collect())
}

/// A scene in red, green and blue.
pub fn pixels_of<'py>(py: Python<'py>, scene: &Scene, width: u32) -> PyResult<Bound<'py, PyArray3<u8>>> {
    let pixels = draw::pixels(scene, width);
    let shape = [pixels.height as usize, pixels.width as usize, 3];
    PyArray1::from_slice(py, &pixels.rgb).reshape(shape)
}
