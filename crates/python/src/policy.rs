//! A policy: loading, acting, and conversion to other formats, for `requel.Policy`.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use requel::agent::LoadError;
use requel::export::{self, PolicyParts};
use requel::policy_file::{PolicyFile, PolicyFileError};
use requel::run::{Run, RunError};
use requel::train::for_network;
use requel::{GreedyPolicy, Registry};
use requel_envs::{DType, Env, Space, make_with};
use requel_nn::pytorch;

/// Maximum number of observations at once; more are processed in parts of this size, which changes no bit of the results.
const ROWS: usize = 256;

/// A policy.
#[pyclass(name = "Policy", module = "requel._requel")]
pub struct PyPolicy {
    file: PolicyFile,
    /// Never locked, see [`crate::env::PyEnv`].
    policy: Mutex<GreedyPolicy>,
}

impl PyPolicy {
    fn of(file: PolicyFile) -> PyResult<Self> {
        let policy = file.clone().into_policy(ROWS).map_err(refused)?;
        Ok(PyPolicy { file, policy: Mutex::new(policy) })
    }

    fn policy(&mut self) -> &mut GreedyPolicy {
        self.policy.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The environment as the policy sees it, if it is one of requel's.
    fn env(&self) -> Option<Box<dyn Env>> {
        let registry = Registry::built_in();
        self.file.check_identity(&registry.env_identity(&self.file.env).ok()?).ok()?;
        let env = for_network(registry.env_factory(&self.file.env)().ok()?).ok()?;
        self.file.check_env(&*env).is_ok().then_some(env)
    }
}

#[pymethods]
impl PyPolicy {
    /// The policy in a file.
    #[staticmethod]
    fn read(path: PathBuf) -> PyResult<Self> {
        Self::of(PolicyFile::read(&path).map_err(refused)?)
    }

    /// The best policy of a run.
    #[staticmethod]
    fn of_run(path: PathBuf) -> PyResult<Self> {
        Self::of(Run::open(&path).and_then(|run| run.best_policy()).map_err(refused_run)?)
    }

    /// The policy in the bytes of a file.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Self::of(PolicyFile::from_bytes(bytes).map_err(refused)?)
    }

    /// The bytes of its file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.file.to_bytes().map_err(refused)?))
    }

    /// The environment that it was trained in.
    #[getter]
    fn env_id(&self) -> &str {
        &self.file.env_id
    }

    /// The shape of the network's input.
    #[getter]
    fn observation_shape(&self) -> Vec<usize> {
        self.file.network.input_shape.clone()
    }

    /// The number of actions.
    #[getter]
    fn actions(&mut self) -> usize {
        self.policy().actions()
    }

    /// The number of values of each discrete number in an observation, if the network reads them as one-hot vectors; else `None`.
    fn one_hot_counts(&self) -> Option<Vec<usize>> {
        self.env()?;
        let env = make_with(&self.file.env_id, &self.file.env.env_options().ok()?).ok()?;
        let counts = match env.observation_space() {
            Space::Discrete { n } => vec![*n],
            Space::MultiDiscrete { n } => n.clone(),
            Space::Box { .. } => return None,
        };
        (self.file.network.input_shape == [counts.iter().sum::<usize>()]).then_some(counts)
    }

    /// The greedy action for each row of `observations`, among those that the row of `masks` allows.
    #[pyo3(signature = (observations, masks=None))]
    fn act<'py>(
        &mut self,
        py: Python<'py>,
        observations: PyReadonlyArray2<'py, f32>,
        masks: Option<PyReadonlyArray2<'py, bool>>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let [rows, width] = [observations.shape()[0], observations.shape()[1]];
        let policy = self.policy();
        let numbers = observations.as_slice().map_err(not_contiguous)?;
        let (count, found) = (policy.actions(), masks.as_ref().map(|masks| masks.shape().to_vec()));
        if let Some(found) = found.filter(|found| *found != [rows, count]) {
            let expected = [rows, count];
            return Err(PyValueError::new_err(format!("action masks have the shape {found:?}, expected {expected:?}")));
        }
        let masks = masks.as_ref().map(PyReadonlyArray2::as_slice).transpose().map_err(not_contiguous)?;
        let mut actions = vec![0; rows];
        for (part, chunk) in actions.chunks_mut(ROWS).enumerate() {
            let (first, last) = (part * ROWS, part * ROWS + chunk.len());
            let masks = masks.map_or(&[][..], |masks| &masks[first * count..last * count]);
            let acted = policy.act_batch(&numbers[first * width..last * width], masks, chunk);
            acted.map_err(|error| PyValueError::new_err(error.to_string()))?;
        }
        Ok(PyArray1::from_iter(py, actions.into_iter().map(|action| action as i64)))
    }

    /// The value of each action for each row of `observations`: rows × actions.
    fn q_values<'py>(
        &mut self,
        py: Python<'py>,
        observations: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let [rows, width] = [observations.shape()[0], observations.shape()[1]];
        let policy = self.policy();
        let numbers = observations.as_slice().map_err(not_contiguous)?;
        let mut values = Vec::with_capacity(rows * policy.actions());
        for part in numbers.chunks((ROWS * width).max(1)) {
            values.extend_from_slice(policy.q_values(part).map_err(|error| PyValueError::new_err(error.to_string()))?);
        }
        PyArray1::from_vec(py, values).reshape([rows, policy.actions()])
    }

    /// Its parameters by PyTorch's names, each in PyTorch's layout and shape.
    fn state_dict<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (tensors, policy) = (PyDict::new(py), self.policy());
        for slice in policy.network().slices() {
            let tensor = PyArrayDyn::<f32>::zeros(py, pytorch::shape(slice), false);
            let mut theirs = tensor.readwrite();
            let theirs = theirs.as_slice_mut().map_err(not_contiguous)?;
            pytorch::export(slice, &policy.parameters()[slice.range.clone()], theirs);
            tensors.set_item(&slice.name, &tensor)?;
        }
        Ok(tensors)
    }

    /// The policy as an ONNX model.
    #[pyo3(name = "to_onnx")]
    fn onnx<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let env = self.env();
        // For an environment that is not available, only the network's own information can be given.
        let numbers = self.file.network.input_shape.iter().product();
        let observations = env.as_ref().map(|env| env.observation_space().clone()).unwrap_or(Space::Box {
            low: vec![f32::NEG_INFINITY; numbers],
            high: vec![f32::INFINITY; numbers],
            shape: self.file.network.input_shape.clone(),
            dtype: DType::F32,
        });
        let actions = Space::Discrete { n: self.policy().actions() };
        let (action_names, observation_names) = env.as_ref().map_or((&[][..], &[][..]), |env| {
            let spec = env.spec();
            (&spec.action_names[..], &spec.observation_names[..])
        });
        let policy = self.policy.get_mut().unwrap_or_else(PoisonError::into_inner);
        let parts = PolicyParts {
            env_id: &self.file.env_id,
            observations: &observations,
            actions: &actions,
            action_names,
            observation_names,
            network: policy.network(),
            parameters: policy.parameters(),
            head: &self.file.head,
            is_masked: env.as_ref().is_some_and(|env| env.action_mask().is_some()),
        };
        let bytes = export::onnx(&parts).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

/// `OSError` for a file that cannot be read, `ValueError` for one that is not a policy.
fn refused(error: PolicyFileError) -> PyErr {
    let is_unreadable = match &error {
        PolicyFileError::Load(error) => is_unreadable(error),
        PolicyFileError::File { source, .. } => {
            matches!(&**source, PolicyFileError::Load(error) if is_unreadable(error))
        }
        _ => false,
    };
    let text = error.to_string();
    if is_unreadable { PyOSError::new_err(text) } else { PyValueError::new_err(text) }
}

fn is_unreadable(error: &LoadError) -> bool {
    matches!(error, LoadError::Read { .. })
}

fn refused_run(error: RunError) -> PyErr {
    match error {
        RunError::Policy(error) => refused(error),
        error => PyRuntimeError::new_err(error.to_string()),
    }
}

fn not_contiguous(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}
