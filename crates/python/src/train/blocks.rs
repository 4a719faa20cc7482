//! [`Collector`] and [`Learner`]: training in several processes; the caller transports the blocks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use requel::checkpoint::{self, Contents, Destination, Segmenting};
use requel::state::State;
use requel::storage::RealStorage;
use requel::train::blocks::{Acting, Admission, Block, BlockId, Collector as Stepping};
use requel::train::{AgentEnv, AgentLoop, EnvFactory, Evaluator, TrainError, for_network};
use requel::{Registry, agent::Actions};
use requel_envs::EnvError;

use super::config::Config;
use super::errors::of_training;
use super::run::registry_of;
use super::source::Source;
use crate::env_error::to_python;

/// Steps environments away from the learner.
#[pyclass(frozen, module = "requel._requel")]
pub struct Collector(Mutex<Stepping>);

#[pymethods]
impl Collector {
    /// The slots from `slots[0]` to before `slots[1]` of the environments of a config; `id` is the number of the collector and how often it
    /// was started before; `in_step`: it acts like the single agent of all environments.
    #[new]
    #[pyo3(signature = (config, source, slots, id, in_step))]
    fn new(
        py: Python<'_>,
        config: &Config,
        source: Option<Bound<'_, PyAny>>,
        slots: (usize, usize),
        id: (u32, u32),
        in_step: bool,
    ) -> PyResult<Self> {
        let envs = factory_of(py, config, source)?;
        let acting = if in_step { Acting::AsOne } else { Acting::Alone };
        let id = BlockId { worker: id.0, incarnation: id.1, sequence: 0 };
        let factories = (envs, &Registry::built_in().agent_factory());
        let made = Stepping::new(&config.0, factories, (slots.0..slots.1, acting), id);
        Ok(Collector(Mutex::new(made.map_err(|error| of_training(py, error))?)))
    }

    /// Acts with these weights from now on.
    fn set_weights(&self, py: Python<'_>, version: u64, weights: &[u8]) -> PyResult<()> {
        let words = weights.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let parameters: Vec<f32> = words.collect();
        self.lock()?.set_weights(version, &parameters).map_err(|error| of_training(py, error))
    }

    /// The block with this many steps in each slot, after all `envs` environments together have made `env_steps`.
    fn collect<'py>(
        &self,
        py: Python<'py>,
        steps: usize,
        env_steps: u64,
        envs: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let block = py.detach(|| Ok::<_, PyErr>(self.lock()?.collect(steps, env_steps, envs)))?;
        Ok(PyBytes::new(py, block.map_err(|error| of_training(py, error))?.bytes()))
    }

    /// The complete state; `None` if the environments cannot save theirs.
    fn save<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let inner = self.lock()?;
        match inner.save() {
            Err(TrainError::Env(EnvError::CannotSave { .. })) => Ok(None),
            Err(error) => Err(of_training(py, error)),
            Ok(state) => Ok(Some(PyBytes::new(py, &state.to_bytes().map_err(refused)?))),
        }
    }

    /// Loads a state.
    fn restore(&self, py: Python<'_>, state: &[u8]) -> PyResult<()> {
        let state = State::from_bytes(state).map_err(refused)?;
        self.lock()?.restore(&state).map_err(|error| of_training(py, error))
    }
}

impl Collector {
    fn lock(&self) -> PyResult<MutexGuard<'_, Stepping>> {
        self.0.try_lock().map_err(|_| PyRuntimeError::new_err("another thread is using this collector"))
    }
}

/// Learns from blocks.
#[pyclass(frozen, module = "requel._requel")]
pub struct Learner {
    inner: Mutex<AgentLoop>,
    envs: Mutex<EnvFactory>,
    config: requel::Config,
}

#[pymethods]
impl Learner {
    /// The agent of a config. Blocks collected with weights that are more than `most_behind` updates old are dropped.
    #[new]
    #[pyo3(signature = (config, source=None, most_behind=None))]
    fn new(
        py: Python<'_>,
        config: &Config,
        source: Option<Bound<'_, PyAny>>,
        most_behind: Option<u64>,
    ) -> PyResult<Self> {
        let envs = factory_of(py, config, source)?;
        let env = envs().and_then(for_network).map_err(|error| to_python(py, &error))?;
        let count = env.action_space().discrete_n().ok_or_else(|| PyValueError::new_err("actions are continuous"))?;
        let actions = Actions { count, masked: env.action_mask().is_some() };
        let description = AgentEnv { spec: env.spec(), observations: env.observation_space(), actions };
        let agent = Registry::built_in().agent(&config.0, &description);
        let made = agent.and_then(|agent| AgentLoop::new(agent, &description, config.0.clone()));
        let mut inner = made.map_err(|error| of_training(py, error))?;
        inner.set_most_behind(most_behind);
        Ok(Learner { inner: Mutex::new(inner), envs: Mutex::new(envs), config: config.0.clone() })
    }

    /// The version of the weights, and the weights as little-endian `f32`.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<(u64, Bound<'py, PyBytes>)> {
        let inner = self.lock()?;
        let policy = inner.policy(1).map_err(|error| of_training(py, error))?;
        let bytes: Vec<u8> = policy.parameters().iter().flat_map(|number| number.to_le_bytes()).collect();
        Ok((inner.weights_version(), PyBytes::new(py, &bytes)))
    }

    /// Shows the agent a block, and makes the updates that are due. Returns what happened to the block: `taken`, `duplicate`, `late` or
    /// `stale`.
    fn ingest(&self, py: Python<'_>, block: &[u8]) -> PyResult<&'static str> {
        let block = block_of(block)?;
        let admission = py.detach(|| {
            let mut inner = self.lock()?;
            Ok::<_, PyErr>(inner.ingest(&block, &mut ()).and_then(|admission| {
                inner.learn(&mut ())?;
                Ok(admission)
            }))
        })?;
        Ok(match admission.map_err(|error| of_training(py, error))? {
            Admission::Follows | Admission::Begins => "taken",
            Admission::Duplicate => "duplicate",
            Admission::Late => "late",
            Admission::Stale => "stale",
        })
    }

    /// Shows it lock-step blocks of all environments, and makes the updates that are due after each step. Returns how many were made.
    fn ingest_in_step(&self, py: Python<'_>, blocks: Vec<Vec<u8>>) -> PyResult<u64> {
        let mut blocks = blocks.iter().map(|block| block_of(block)).collect::<PyResult<Vec<_>>>()?;
        let updates = py.detach(|| Ok::<_, PyErr>(self.lock()?.ingest_in_step(&mut blocks, &mut ())))?;
        updates.map_err(|error| of_training(py, error))
    }

    /// The number of steps in each environment until learning is next due, up to the given maximum.
    fn steps_to_update(&self, most: usize) -> PyResult<usize> {
        Ok(self.lock()?.steps_to_update(most))
    }

    /// The incarnation with which a collector starts.
    fn next_incarnation(&self, worker: u32) -> PyResult<u32> {
        Ok(self.lock()?.intake().next_incarnation(worker))
    }

    /// Counts of blocks by what happened to them.
    fn counts(&self) -> PyResult<BTreeMap<&'static str, u64>> {
        let inner = self.lock()?;
        let intake = inner.intake();
        let named = [
            ("taken", intake.taken),
            ("duplicate", intake.duplicates),
            ("late", intake.late),
            ("missing", intake.missing),
            ("stale", intake.stale),
        ];
        Ok(named.into())
    }

    /// Env steps and updates so far.
    fn progress(&self) -> PyResult<(u64, u64)> {
        let inner = self.lock()?;
        Ok((inner.env_steps(), inner.weights_version()))
    }

    /// Statistics of learning since the last call, as JSON.
    fn numbers(&self, py: Python<'_>) -> PyResult<String> {
        let mut inner = self.lock()?;
        let numbers = serde_json::to_string(&inner.aggregates()).unwrap_or_default();
        inner.tell_progress(&mut ()).map_err(|error| of_training(py, error))?;
        Ok(numbers)
    }

    /// Returns of the current policy over `evaluation.episodes` episodes, the `i`-th from seed `seed + i`.
    fn evaluate(&self, py: Python<'_>, seed: u64) -> PyResult<Vec<f64>> {
        let (episodes, most) = (self.config.evaluation.episodes, self.config.evaluation.max_episode_steps);
        let scored = py.detach(|| {
            let envs = self.envs.lock().map_err(|_| PyRuntimeError::new_err("an earlier evaluation failed"))?;
            let mut inner = self.lock()?;
            let scored = Evaluator::new(&envs, episodes, most).map_err(TrainError::from);
            Ok::<_, PyErr>(scored.and_then(|mut evaluator| inner.evaluate(&mut evaluator, seed, &mut ())))
        })?;
        Ok(scored.map_err(|error| of_training(py, error))?.returns)
    }

    /// BLAKE3 of the current weights.
    fn weights_blake3(&self, py: Python<'_>) -> PyResult<String> {
        self.lock()?.weights_blake3().map_err(|error| of_training(py, error))
    }

    /// Writes the complete state below a directory, with the states of the collectors.
    fn save(&self, py: Python<'_>, root: PathBuf, collectors: Vec<Option<Vec<u8>>>) -> PyResult<PathBuf> {
        py.detach(|| {
            let inner = self.lock()?;
            let mut state = inner.save().map_err(|error| Python::attach(|py| of_training(py, error)))?;
            for (worker, bytes) in collectors.into_iter().enumerate() {
                bytes.into_iter().for_each(|bytes| state.put_bytes(format!("collectors/{worker}"), bytes));
            }
            let destination =
                Destination { storage: &RealStorage, root: &root, keep: 2, segmenting: Segmenting::default() };
            let contents = Contents { env_steps: inner.env_steps(), state: &state, logs: BTreeMap::new() };
            checkpoint::write(destination, &contents).map_err(|error| PyRuntimeError::new_err(error.to_string()))
        })
    }

    /// Loads the newest intact state below a directory; returns the states of this many collectors, and `None` if there is no checkpoint.
    fn restore<'py>(
        &self,
        py: Python<'py>,
        root: PathBuf,
        collectors: usize,
    ) -> PyResult<Option<Vec<Option<Bound<'py, PyBytes>>>>> {
        let newest =
            checkpoint::newest(&RealStorage, &root).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let Some(found) = newest.checkpoint else {
            return match newest.damaged.first() {
                Some(error) => Err(PyRuntimeError::new_err(error.to_string())),
                None => Ok(None),
            };
        };
        self.lock()?.restore(&found.state).map_err(|error| of_training(py, error))?;
        let saved =
            |worker| found.state.read_bytes(&format!("collectors/{worker}")).ok().map(|bytes| PyBytes::new(py, bytes));
        Ok(Some((0..collectors).map(saved).collect()))
    }
}

impl Learner {
    fn lock(&self) -> PyResult<MutexGuard<'_, AgentLoop>> {
        self.inner.try_lock().map_err(|_| PyRuntimeError::new_err("another thread is using this learner"))
    }
}

/// Where the environments of a config come from: requel itself, or a Python source.
fn factory_of(py: Python<'_>, config: &Config, source: Option<Bound<'_, PyAny>>) -> PyResult<EnvFactory> {
    let registry = match source {
        Some(source) => registry_of(&Source::of(source)?).map_err(|error| to_python(py, &error))?,
        None => Registry::built_in(),
    };
    Ok(registry.env_factory(&config.0.env))
}

fn block_of(bytes: &[u8]) -> PyResult<Block> {
    Block::from_bytes(bytes.to_vec()).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn refused(error: requel::state::StateError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
