//! [`AgentLoop`], an agent with a training loop in Python.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use numpy::{Element, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use requel::agent::Actions;
use requel::checkpoint::{self, CheckpointError, Contents, Destination, Segmenting};
use requel::storage::RealStorage;
use requel::train::{AgentEnv, AgentLoop as Inner, TrainError};
use requel::{Experience, Registry};
use requel_envs::Step;

use super::choice::{chosen, masks_of};
use super::config::Config;
use super::errors::of_training;
use super::source::Description;

/// An agent that is asked for actions and shown their results.
#[pyclass(frozen, module = "requel._requel")]
pub struct AgentLoop(Mutex<Inner>);

/// Which actions are allowed, rows × actions.
type Flags<'py> = Option<PyReadonlyArray2<'py, bool>>;
/// Reward, terminated and truncated of each environment.
type Columns<'py> = (PyReadonlyArray1<'py, f64>, PyReadonlyArray1<'py, bool>, PyReadonlyArray1<'py, bool>);

#[pymethods]
impl AgentLoop {
    /// The agent of a config for environments with this description; discrete observations are one-hot.
    #[new]
    fn new(py: Python<'_>, config: &Config, description: Bound<'_, PyAny>) -> PyResult<Self> {
        let description = Description::of(&description)?;
        let actions = Actions { count: description.action_count, masked: description.masked };
        let env = AgentEnv { spec: &description.spec, observations: &description.observations, actions };
        let agent = Registry::built_in().agent(&config.0, &env);
        let made = agent.and_then(|agent| Inner::new(agent, &env, config.0.clone()));
        Ok(AgentLoop(Mutex::new(made.map_err(|error| of_training(py, error))?)))
    }

    /// An exploring action for each environment.
    #[pyo3(signature = (observations, masks=None))]
    fn act(&self, py: Python<'_>, observations: PyReadonlyArray2<'_, f32>, masks: Flags<'_>) -> PyResult<Vec<usize>> {
        let mut actions = vec![0; observations.shape()[0]];
        let acted = self.lock()?.act(
            observations.as_slice()?,
            masks_of(observations.shape()[0], masks.as_ref())?,
            &mut actions,
        );
        acted.map_err(|error| of_training(py, error))?;
        Ok(actions)
    }

    /// Shows the results of actions, one row per environment, and makes the updates that are due, or none if the transitions are only
    /// `stored`. Returns how many updates were made.
    #[pyo3(signature = (observations, actions, columns, next_observations, masks=None, next_masks=None, stored=false))]
    #[expect(clippy::too_many_arguments, reason = "what is seen before and after a step")]
    fn observe(
        &self,
        py: Python<'_>,
        observations: PyReadonlyArray2<'_, f32>,
        actions: Vec<usize>,
        columns: Columns<'_>,
        next_observations: PyReadonlyArray2<'_, f32>,
        masks: Flags<'_>,
        next_masks: Flags<'_>,
        stored: bool,
    ) -> PyResult<u64> {
        let (rewards, terminated, truncated) = (columns.0.as_slice()?, columns.1.as_slice()?, columns.2.as_slice()?);
        if terminated.len() != rewards.len() || truncated.len() != rewards.len() {
            return Err(PyValueError::new_err(
                "rewards, terminated and truncated must have the same number of entries",
            ));
        }
        let rows = Rows {
            observations: table_of(&observations)?,
            next_observations: table_of(&next_observations)?,
            masks: flags_of(masks.as_ref())?,
            next_masks: flags_of(next_masks.as_ref())?,
        };
        if actions.len() != rewards.len() || rows.observations.0.len() < actions.len() * rows.observations.1 {
            return Err(PyValueError::new_err("there must be as many observations and actions as rewards"));
        }
        let experiences: Vec<Experience<'_>> = (actions.iter().enumerate())
            .map(|(slot, action)| Experience {
                slot,
                observation: rows.observations.row(slot),
                mask: rows.masks.map(|masks| masks.row(slot)),
                action: *action,
                step: Step { reward: rewards[slot], terminated: terminated[slot], truncated: truncated[slot] },
                next_observation: rows.next_observations.row(slot),
                next_mask: rows.next_masks.map(|masks| masks.row(slot)),
            })
            .collect();
        self.learn(py, |inner| {
            experiences.iter().try_for_each(|experience| inner.observe(experience, &mut ()))?;
            if stored {
                inner.skip_learning();
                return Ok(0);
            }
            inner.learn(&mut ())
        })
    }

    /// Records that the next step of an environment does not follow the previous one.
    fn interrupt(&self, slot: usize) -> PyResult<()> {
        self.lock()?.interrupt(slot);
        Ok(())
    }

    /// Updates as if learning had been due this many times. Returns how many updates were made.
    fn update(&self, py: Python<'_>, times: u64) -> PyResult<u64> {
        self.learn(py, |inner| {
            let before = inner.weights_version();
            inner.update(times)?;
            Ok(inner.weights_version() - before)
        })
    }

    /// The current policy's actions for some observations, and the values by which it chose, row by row.
    #[pyo3(signature = (observations, masks=None))]
    fn predict(
        &self,
        py: Python<'_>,
        observations: PyReadonlyArray2<'_, f32>,
        masks: Flags<'_>,
    ) -> PyResult<(Vec<usize>, Option<Vec<f32>>)> {
        chosen(py, self.lock()?.policy(observations.shape()[0]), &observations, masks.as_ref())
    }

    /// Statistics of learning since the last call, as JSON.
    fn numbers(&self, py: Python<'_>) -> PyResult<String> {
        let mut inner = self.lock()?;
        let numbers = serde_json::to_string(&inner.aggregates()).unwrap_or_default();
        inner.tell_progress(&mut ()).map_err(|error| of_training(py, error))?;
        Ok(numbers)
    }

    /// Env steps and updates so far.
    fn progress(&self) -> PyResult<(u64, u64)> {
        let inner = self.lock()?;
        Ok((inner.env_steps(), inner.weights_version()))
    }

    /// BLAKE3 of the current weights.
    fn weights_blake3(&self, py: Python<'_>) -> PyResult<String> {
        self.lock()?.weights_blake3().map_err(|error| of_training(py, error))
    }

    /// Writes the complete state below a directory, where the two newest are kept. Returns its path.
    fn save(&self, py: Python<'_>, root: PathBuf) -> PyResult<PathBuf> {
        py.detach(|| {
            let inner = self.lock()?;
            let destination =
                Destination { storage: &RealStorage, root: &root, keep: 2, segmenting: Segmenting::default() };
            let state = inner.save().map_err(|error| Python::attach(|py| of_training(py, error)))?;
            let contents = Contents { env_steps: inner.env_steps(), state: &state, logs: BTreeMap::new() };
            checkpoint::write(destination, &contents).map_err(|error| of_checkpoint(&error))
        })
    }

    /// Loads the newest intact state below a directory.
    fn restore(&self, py: Python<'_>, root: PathBuf) -> PyResult<()> {
        let newest = checkpoint::newest(&RealStorage, &root).map_err(|error| of_checkpoint(&error))?;
        let Some(found) = newest.checkpoint else {
            let reason = newest.damaged.first().map_or("there is none".into(), ToString::to_string);
            return Err(PyValueError::new_err(format!("no whole checkpoint in {}: {reason}", root.display())));
        };
        self.lock()?.restore(&found.state).map_err(|error| of_training(py, error))
    }
}

impl AgentLoop {
    /// Nobody waits: only one thread may use an agent at a time.
    fn lock(&self) -> PyResult<MutexGuard<'_, Inner>> {
        self.0.try_lock().map_err(|_| PyRuntimeError::new_err("another thread is using this agent"))
    }

    fn learn(&self, py: Python<'_>, learn: impl FnOnce(&mut Inner) -> Result<u64, TrainError> + Send) -> PyResult<u64> {
        let learned = py.detach(|| Ok::<_, PyErr>(learn(&mut *self.lock()?)))?;
        learned.map_err(|error| of_training(py, error))
    }
}

/// The results of a step, one row per environment.
struct Rows<'a> {
    observations: Table<'a, f32>,
    next_observations: Table<'a, f32>,
    masks: Option<Table<'a, bool>>,
    next_masks: Option<Table<'a, bool>>,
}

/// Numbers or flags, and how many there are per row.
#[derive(Clone, Copy)]
struct Table<'a, T>(&'a [T], usize);

impl<'a, T> Table<'a, T> {
    /// A row; empty if there are not that many.
    fn row(self, slot: usize) -> &'a [T] {
        self.0.get(slot * self.1..(slot + 1) * self.1).unwrap_or_default()
    }
}

fn table_of<'a, T: Element>(rows: &'a PyReadonlyArray2<'_, T>) -> PyResult<Table<'a, T>> {
    Ok(Table(rows.as_slice()?, rows.shape()[1]))
}

fn flags_of<'a>(flags: Option<&'a PyReadonlyArray2<'_, bool>>) -> PyResult<Option<Table<'a, bool>>> {
    flags.map(table_of).transpose()
}

fn of_checkpoint(error: &CheckpointError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
