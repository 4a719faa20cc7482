//! Several environments at once, used by `requel.envs.RequelVectorEnv`.

use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use requel_envs::{Autoreset, AutoresetEnv, EnvError, Step, VectorEnv, make_with};

use crate::env::{options_of, pixels_of};
use crate::env_error;
use crate::space::Layout;

/// The rewards of a step, which episodes terminated, which were truncated, and whether any ended.
type Results<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<bool>>, Bound<'py, PyArray1<bool>>, bool);

/// Environments of one kind, stepped together.
#[pyclass(name = "VectorEnv", module = "requel._requel")]
pub struct PyVectorEnv {
    /// Never locked, see [`crate::env::PyEnv`].
    env: Mutex<AutoresetEnv>,
    layout: Layout,
    /// Slots × observation length, after the last call.
    observations: Vec<f32>,
    steps: Vec<Step>,
    actions: Vec<usize>,
}

impl PyVectorEnv {
    fn env(&mut self) -> &mut AutoresetEnv {
        self.env.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&mut self, py: Python<'_>, actions: &PyReadonlyArray1<'_, i64>) -> PyResult<()> {
        // A negative action is outside every space too.
        self.actions.clear();
        self.actions.extend(actions.as_array().iter().map(|action| usize::try_from(*action).unwrap_or(usize::MAX)));
        let env = self.env.get_mut().unwrap_or_else(PoisonError::into_inner);
        let stepped = env.step(&self.actions, &mut self.steps, &mut self.observations);
        stepped.map_err(|error| env_error::to_python(py, &error))
    }

    fn results<'py>(&self, py: Python<'py>) -> Results<'py> {
        (
            PyArray1::from_iter(py, self.steps.iter().map(|step| step.reward)),
            PyArray1::from_iter(py, self.steps.iter().map(|step| step.terminated)),
            PyArray1::from_iter(py, self.steps.iter().map(|step| step.truncated)),
            self.steps.iter().any(Step::ended),
        )
    }

    /// Slots × actions, 1 where an action is allowed; `None` if a slot has no mask.
    fn masks<'py>(
        &mut self,
        py: Python<'py>,
        mask: impl Fn(&VectorEnv, usize) -> Option<&[bool]>,
    ) -> PyResult<Option<Bound<'py, PyArray2<i8>>>> {
        let env = self.env().env();
        let masks: Option<Vec<Vec<i8>>> = (0..env.len())
            .map(|slot| Some(mask(env, slot)?.iter().map(|allowed| i8::from(*allowed)).collect()))
            .collect();
        masks.map(|masks| Ok(PyArray2::from_vec2(py, &masks)?)).transpose()
    }
}

#[pymethods]
impl PyVectorEnv {
    #[new]
    fn new(id: &str, num_envs: usize, options: &Bound<'_, PyDict>, autoreset: &str) -> PyResult<Self> {
        let mode = match autoreset {
            "next_step" => Autoreset::NextStep,
            "same_step" => Autoreset::SameStep,
            "disabled" => Autoreset::Disabled,
            _ => {
                let text = format!("autoreset {autoreset:?}: give \"next_step\", \"same_step\" or \"disabled\"");
                return Err(PyValueError::new_err(text));
            }
        };
        let taken = options_of(options)?;
        let made = (0..num_envs).map(|_| make_with(id, &taken)).collect::<Result<_, EnvError>>();
        let env = made.and_then(VectorEnv::new).map_err(|error| env_error::to_python(options.py(), &error))?;
        let (slots, numbers) = (env.len(), env.len() * env.observation_len());
        Ok(PyVectorEnv {
            layout: Layout::of(env.observation_space()),
            observations: vec![0.0; numbers],
            steps: vec![Step::default(); slots],
            actions: Vec::with_capacity(slots),
            env: Mutex::new(AutoresetEnv::new(env, mode)),
        })
    }

    /// Starts an episode in each slot, with its seed if there is one.
    fn reset(&mut self, py: Python<'_>, seeds: Vec<Option<u64>>) -> PyResult<()> {
        let env = self.env.get_mut().unwrap_or_else(PoisonError::into_inner);
        env.reset(&seeds, &mut self.observations).map_err(|error| env_error::to_python(py, &error))
    }

    /// The same, only in the chosen slots.
    fn reset_slots(&mut self, py: Python<'_>, chosen: Vec<bool>, seeds: Vec<Option<u64>>) -> PyResult<()> {
        let env = self.env.get_mut().unwrap_or_else(PoisonError::into_inner);
        let reset = env.reset_slots(&chosen, &seeds, &mut self.observations);
        reset.map_err(|error| env_error::to_python(py, &error))
    }

    /// Takes an action in each slot: new observations, rewards, terminations, truncations, and whether any episode ended.
    #[allow(clippy::type_complexity)]
    fn step<'py>(
        &mut self,
        py: Python<'py>,
        actions: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<(
        Bound<'py, PyAny>,
        Bound<'py, PyArray1<f64>>,
        Bound<'py, PyArray1<bool>>,
        Bound<'py, PyArray1<bool>>,
        bool,
    )> {
        self.advance(py, &actions)?;
        let (rewards, terminations, truncations, any_ended) = self.results(py);
        Ok((self.observations(py)?, rewards, terminations, truncations, any_ended))
    }

    /// The same with the observations written into an existing array.
    fn step_into<'py>(
        &mut self,
        py: Python<'py>,
        actions: PyReadonlyArray1<'py, i64>,
        observations: &Bound<'py, PyAny>,
    ) -> PyResult<Results<'py>> {
        self.advance(py, &actions)?;
        self.write_observations(observations)?;
        Ok(self.results(py))
    }

    /// The observations as the last call left them, in a new array.
    fn observations<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.layout.batch(py, self.steps.len(), &self.observations)
    }

    /// The same written into an existing array.
    fn write_observations(&mut self, array: &Bound<'_, PyAny>) -> PyResult<()> {
        self.layout.write(array, &self.observations)
    }

    /// The true last observation of a slot that the last step ended, in the mode `same_step`.
    fn final_observation<'py>(&mut self, py: Python<'py>, slot: usize) -> PyResult<Bound<'py, PyAny>> {
        let env = self.env.get_mut().unwrap_or_else(PoisonError::into_inner);
        if slot >= self.steps.len() {
            return Err(PyValueError::new_err(format!("slot {slot} of {} does not exist", self.steps.len())));
        }
        self.layout.one(py, env.final_observation(slot))
    }

    /// Which actions each slot allows now: slots × actions; `None` where all are.
    fn action_masks<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<i8>>>> {
        self.masks(py, VectorEnv::action_mask)
    }

    /// The actions that each slot allowed at the observation after its last step: for a slot that ended, its true last one.
    fn final_action_masks<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<i8>>>> {
        self.masks(py, VectorEnv::next_action_mask)
    }

    /// The names of the metrics that the environments report with each step.
    fn metric_names(&mut self) -> Vec<String> {
        self.env().env().spec().metrics.iter().map(|metric| metric.name.clone()).collect()
    }

    /// What each slot reported of its last step, slots × metrics; NaN where it reported nothing.
    fn metrics<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (slots, env) = (self.steps.len(), self.env());
        let width = env.env().spec().metrics.len();
        let mut numbers = vec![f64::NAN; slots * width];
        for (slot, row) in numbers.chunks_exact_mut(width.max(1)).enumerate() {
            let reported = env.metrics(slot);
            row[..reported.len()].copy_from_slice(reported);
        }
        PyArray1::from_vec(py, numbers).reshape([slots, width])
    }

    /// The complete state, and the observations as the last call left them.
    fn save<'py>(&mut self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyArray1<f32>>)> {
        let state = self.env().save().map_err(|error| env_error::to_python(py, &error))?;
        Ok((PyBytes::new(py, &state), PyArray1::from_slice(py, &self.observations)))
    }

    /// Loads what `save` returned.
    fn restore(&mut self, py: Python<'_>, state: &[u8], observations: PyReadonlyArray1<'_, f32>) -> PyResult<()> {
        let observations = observations.as_array().to_vec();
        if observations.len() != self.observations.len() {
            return Err(PyValueError::new_err("this state has the observations of another vector"));
        }
        self.env().restore(state).map_err(|error| env_error::to_python(py, &error))?;
        self.observations = observations;
        Ok(())
    }

    /// A slot as an image in red, green and blue: height × `width` × 3 bytes.
    fn pixels<'py>(&mut self, py: Python<'py>, slot: usize, width: u32) -> PyResult<Bound<'py, PyArray3<u8>>> {
        pixels_of(py, &self.scene(slot)?, width)
    }

    /// A slot in at most this many character cells, with escape sequences for 24-bit colours.
    fn text(&mut self, slot: usize, columns: usize, rows: usize) -> PyResult<String> {
        Ok(requel_cli::draw::text(&self.scene(slot)?, (columns, rows)))
    }
}

impl PyVectorEnv {
    fn scene(&mut self, slot: usize) -> PyResult<requel_envs::Scene> {
        let nothing = || PyRuntimeError::new_err(format!("slot {slot} has nothing to draw"));
        self.env().env().scene(slot).ok_or_else(nothing)
    }
}
