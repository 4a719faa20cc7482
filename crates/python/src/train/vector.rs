//! [`PyVector`], a Gymnasium vector environment as a batch of environments that are stepped at once.

use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use requel_envs::{BatchEnv, EnvError, Scene, Step};

use super::errors::foreign;
use super::source::Description;

/// A `requel._vector.Vector`, which unifies Gymnasium's three ways of starting a new episode: slots that ended return their true last
/// observation, and are then reset.
pub struct PyVector {
    vector: Py<PyAny>,
    id: String,
    slots: usize,
    /// Numbers of one slot's observation.
    width: usize,
    actions: usize,
    /// Slots × actions; empty if all are always allowed.
    masks: Vec<bool>,
    /// Slots × metrics.
    metrics: Vec<f64>,
    began: Vec<bool>,
    resets_in_next_step: bool,
}

impl PyVector {
    /// Wraps a Python vector whose slots have this description.
    ///
    /// # Errors
    /// If it lacks something.
    pub fn new(vector: Bound<'_, PyAny>, description: &Description) -> PyResult<Self> {
        let slots = vector.getattr("num_envs")?.extract()?;
        let actions = description.action_count;
        Ok(PyVector {
            id: description.spec.id.clone(),
            slots,
            width: description.reader.len,
            actions,
            masks: vec![true; if description.masked { slots * actions } else { 0 }],
            metrics: vec![f64::NAN; slots * description.spec.metrics.len()],
            began: vec![false; slots],
            resets_in_next_step: vector.getattr("resets_in_next_step")?.extract()?,
            vector: vector.unbind(),
        })
    }

    fn try_reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> PyResult<()> {
        Python::attach(|py| {
            let row = self.vector.bind(py).call_method1(intern!(py, "reset_slot"), (slot, seed))?;
            let row: PyReadonlyArray1<'_, f32> = row.extract()?;
            let row = row.as_slice()?;
            if row.len() != observation.len() {
                return Err(PyValueError::new_err(format!(
                    "an observation has {} numbers, not {}",
                    row.len(),
                    self.width
                )));
            }
            observation.copy_from_slice(row);
            self.read_masks(py)
        })
    }

    fn try_step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> PyResult<()> {
        Python::attach(|py| {
            let actions = PyArray1::from_iter(py, actions.iter().map(|action| *action as i64));
            let result = self.vector.bind(py).call_method1(intern!(py, "step"), (actions,))?;
            type Result<'py> = (
                PyReadonlyArray2<'py, f32>,
                PyReadonlyArray1<'py, f64>,
                PyReadonlyArray1<'py, bool>,
                PyReadonlyArray1<'py, bool>,
                PyReadonlyArray1<'py, bool>,
            );
            let (rows, rewards, terminated, truncated, began): Result<'_> = result.extract()?;
            let rows = rows.as_slice()?;
            let columns = (rewards.as_slice()?, terminated.as_slice()?, truncated.as_slice()?, began.as_slice()?);
            let lengths = [columns.0.len(), columns.1.len(), columns.2.len(), columns.3.len()];
            if rows.len() != observations.len() || lengths != [self.slots; 4] {
                return Err(PyValueError::new_err(format!(
                    "a step returned {lengths:?} numbers for {} \
                                                          slots",
                    self.slots
                )));
            }
            observations.copy_from_slice(rows);
            for (slot, step) in steps.iter_mut().enumerate() {
                *step = Step { reward: columns.0[slot], terminated: columns.1[slot], truncated: columns.2[slot] };
            }
            self.began.copy_from_slice(columns.3);
            self.read_masks(py)?;
            self.read_metrics(py)
        })
    }

    fn read_masks(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.masks.is_empty() {
            return Ok(());
        }
        let masks: PyReadonlyArray2<'_, bool> = self.vector.bind(py).getattr(intern!(py, "masks"))?.extract()?;
        let masks = masks.as_slice()?;
        if masks.len() != self.masks.len() {
            return Err(PyValueError::new_err(format!("{} flags for {} actions", masks.len(), self.masks.len())));
        }
        self.masks.copy_from_slice(masks);
        Ok(())
    }

    fn read_metrics(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.metrics.is_empty() {
            return Ok(());
        }
        let metrics: PyReadonlyArray2<'_, f64> = self.vector.bind(py).getattr(intern!(py, "metrics"))?.extract()?;
        self.metrics.copy_from_slice(metrics.as_slice()?);
        Ok(())
    }

    fn try_save(&self) -> PyResult<Option<Vec<u8>>> {
        Python::attach(|py| {
            let state = self.vector.bind(py).call_method0(intern!(py, "save"))?;
            if state.is_none() {
                return Ok(None);
            }
            let mut bytes: Vec<u8> = self.masks.iter().map(|flag| u8::from(*flag)).collect();
            bytes.extend(state.cast::<PyBytes>()?.as_bytes());
            Ok(Some(bytes))
        })
    }
}

impl BatchEnv for PyVector {
    fn slots(&self) -> usize {
        self.slots
    }

    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.try_reset(slot, seed, observation).map_err(foreign)
    }

    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        self.try_step(actions, steps, observations).map_err(foreign)
    }

    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        (!self.masks.is_empty()).then(|| &self.masks[slot * self.actions..][..self.actions])
    }

    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        let count = numbers.len();
        numbers.copy_from_slice(&self.metrics[slot * count..][..count]);
    }

    fn began(&self, slot: usize) -> bool {
        self.began[slot]
    }

    fn resets_in_next_step(&self) -> bool {
        self.resets_in_next_step
    }

    fn scene(&self, _: usize) -> Option<Scene> {
        None
    }

    /// Everything is in the first slot's.
    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        if slot > 0 {
            return Ok(Vec::new());
        }
        self.try_save().map_err(foreign)?.ok_or_else(|| EnvError::CannotSave { id: self.id.clone() })
    }

    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        if slot > 0 {
            return Ok(());
        }
        let invalid = |reason: String| EnvError::InvalidState { id: self.id.clone(), reason };
        if state.len() < self.masks.len() {
            return Err(invalid(format!("it has {} bytes", state.len())));
        }
        let (flags, pickled) = state.split_at(self.masks.len());
        let restored = Python::attach(|py| {
            self.vector.bind(py).call_method1(intern!(py, "restore"), (PyBytes::new(py, pickled),)).map(drop)
        });
        restored.map_err(|error| invalid(error.to_string()))?;
        self.masks.iter_mut().zip(flags).for_each(|(to, from)| *to = *from != 0);
        Ok(())
    }
}
