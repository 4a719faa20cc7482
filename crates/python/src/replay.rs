//! Replay buffers, for `requel.ReplayBuffer`.

use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use requel::memory::Memory;
use requel::replay::{
    FrameLayout, FrameStore, NStepAccumulator, PrioritizedReplay, PrioritySpec, RecordLayout, RecordStore,
    ReplayBuffer, ReplayError, ReplayStore, Sampling, UniformReplay, check_memory,
};
use requel::{Batch, Experience, Transition, mask_words, td};
use requel_envs::{Space, Step};

use crate::space::{self, Layout};

/// The parameters of a buffer; `requel.ReplayBuffer` passes a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Settings<'py> {
    capacity: usize,
    observation_space: Bound<'py, PyAny>,
    actions: usize,
    action_masks: bool,
    num_envs: usize,
    n_step: usize,
    gamma: f64,
    frame_stack: Option<usize>,
    /// α, ε and the cap of priorities.
    priorities: Option<(f64, f64, f64)>,
    replacement: bool,
    seed: u64,
}

/// A step of each environment; attributes of a Python object.
#[derive(FromPyObject)]
pub struct Steps<'py> {
    observations: PyReadonlyArray2<'py, f32>,
    actions: PyReadonlyArray1<'py, i64>,
    rewards: PyReadonlyArray1<'py, f64>,
    next_observations: PyReadonlyArray2<'py, f32>,
    terminations: PyReadonlyArray1<'py, bool>,
    truncations: PyReadonlyArray1<'py, bool>,
    action_masks: Option<PyReadonlyArray2<'py, bool>>,
    next_action_masks: Option<PyReadonlyArray2<'py, bool>>,
}

/// The arrays that a batch is written to; attributes of a Python object.
#[derive(FromPyObject)]
pub struct Columns<'py> {
    observations: Bound<'py, PyAny>,
    next_observations: Bound<'py, PyAny>,
    actions: Bound<'py, PyArray1<i64>>,
    rewards: Bound<'py, PyArray1<f32>>,
    discounts: Bound<'py, PyArray1<f32>>,
    indices: Bound<'py, PyArray1<i64>>,
    probabilities: Bound<'py, PyArray1<f64>>,
    action_masks: Option<Bound<'py, PyArray2<bool>>>,
    next_action_masks: Option<Bound<'py, PyArray2<bool>>>,
}

/// A replay buffer, with the steps waiting for n-step returns.
#[pyclass(name = "ReplayBuffer", module = "requel._requel")]
pub struct PyReplayBuffer {
    /// Never locked, see [`crate::env::PyEnv`].
    replay: Mutex<Box<dyn ReplayBuffer>>,
    steps: Vec<NStepAccumulator>,
    layout: Layout,
    holds_bytes: bool,
    width: usize,
    actions: usize,
    has_masks: bool,
    /// Whether drawing without replacement needs as many transitions as rows.
    needs_rows: bool,
    /// Where a batch is drawn before it is passed to Python, observations after next observations.
    batch: Batch,
    numbers: Vec<f32>,
}

impl PyReplayBuffer {
    fn replay(&mut self) -> &mut dyn ReplayBuffer {
        &mut **self.replay.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills `columns` with `draw`, which receives a batch with the same number of rows.
    fn fill(
        &mut self,
        columns: &Columns<'_>,
        draw: impl FnOnce(&mut dyn ReplayBuffer, &mut requel::BatchMut<'_>) -> PyResult<()>,
    ) -> PyResult<()> {
        let rows = columns.actions.len();
        if self.batch.actions.len() != rows {
            let batch = Batch::new(rows);
            self.batch = if self.has_masks { batch.with_masks(self.actions) } else { batch };
            self.numbers.resize(2 * rows * self.width, 0.0);
        }
        let indices = columns.indices.try_readonly().map_err(refused)?;
        if indices.len() != rows {
            return Err(PyValueError::new_err(format!("{} indices for {rows} rows", indices.len())));
        }
        for (slot, index) in self.batch.indices.iter_mut().zip(indices.as_array()) {
            *slot = u32::try_from(*index).unwrap_or(u32::MAX);
        }
        drop(indices);
        let replay = self.replay.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (first, second) = self.numbers.split_at_mut(rows * self.width);
        draw(&mut **replay, &mut self.batch.with_observations(first, second))?;
        self.layout.write(&columns.observations, first)?;
        self.layout.write(&columns.next_observations, second)?;
        write(&columns.actions, self.batch.actions.iter().map(|action| i64::from(*action)))?;
        write(&columns.rewards, self.batch.rewards.iter().copied())?;
        write(&columns.discounts, self.batch.discounts.iter().copied())?;
        write(&columns.indices, self.batch.indices.iter().map(|index| i64::from(*index)))?;
        write(&columns.probabilities, self.batch.probabilities.iter().copied())?;
        let words = mask_words(self.actions).max(1);
        for (array, masks) in
            [(&columns.action_masks, &self.batch.masks), (&columns.next_action_masks, &self.batch.next_masks)]
        {
            if let Some(array) = array.as_ref().filter(|_| self.has_masks) {
                let bits = masks
                    .chunks_exact(words)
                    .flat_map(|words| (0..self.actions).map(|action| words[action / 32] >> (action % 32) & 1 == 1));
                write(array, bits)?;
            }
        }
        Ok(())
    }

    /// Indices of existing transitions, in the buffer's form.
    fn indices(&mut self, indices: &PyReadonlyArray1<'_, i64>) -> PyResult<Vec<u32>> {
        let len = self.replay().len();
        let known = |index: &i64| u32::try_from(*index).ok().filter(|index| (*index as usize) < len);
        let missing = |index: &i64| PyIndexError::new_err(format!("transition {index} of {len} does not exist"));
        indices.as_array().iter().map(|index| known(index).ok_or_else(|| missing(index))).collect()
    }
}

#[pymethods]
impl PyReplayBuffer {
    #[new]
    fn new(settings: Settings<'_>) -> PyResult<Self> {
        let space = space::from_python(&settings.observation_space)?;
        space.check().map_err(|reason| PyValueError::new_err(format!("the observation space {reason}")))?;
        let (actions, width) = (settings.actions, space.len());
        let masked = if settings.action_masks { actions } else { 0 };
        let steps = |_| {
            let steps = NStepAccumulator::new(settings.n_step, settings.gamma, width)?;
            Ok(if masked > 0 { steps.with_masks(masked) } else { steps })
        };
        let waiting = NStepAccumulator::bytes_needed(settings.n_step, width).saturating_mul(settings.num_envs as u64);
        let priorities =
            settings.priorities.map_or(0, |_| PrioritizedReplay::<RecordStore>::bytes_needed(settings.capacity));
        let check = |store: u64| {
            let needed = store.saturating_add(waiting).saturating_add(priorities);
            check_memory(settings.capacity, needed, Memory::Available).map_err(not_made)
        };
        let replay = match settings.frame_stack {
            None => {
                let layout = RecordLayout::for_space(&space).with_mask(masked);
                check(RecordStore::bytes_needed(settings.capacity, &layout))?;
                RecordStore::new(settings.capacity, layout).map_err(not_made).and_then(|store| drawn(store, &settings))
            }
            Some(stack) => {
                let layout = FrameLayout::for_space(&space, stack).ok_or_else(|| {
                    let text = "frame_stack: the observation space must be of bytes, with that many frames along its \
                                first or last axis";
                    PyValueError::new_err(text)
                })?;
                let layout = layout.with_mask(masked);
                check(FrameStore::bytes_needed(settings.capacity, &layout))?;
                let store = FrameStore::new(settings.capacity, layout);
                store.map_err(not_made).and_then(|store| drawn(store, &settings))
            }
        };
        let steps = (0..settings.num_envs).map(steps).collect::<Result<_, ReplayError>>().map_err(not_made)?;
        Ok(PyReplayBuffer {
            replay: Mutex::new(replay?),
            steps,
            layout: Layout::of(&space),
            holds_bytes: matches!(space, Space::Box { dtype, .. } if dtype != requel_envs::DType::F32),
            width,
            actions,
            has_masks: masked > 0,
            needs_rows: settings.priorities.is_none() && !settings.replacement,
            batch: Batch::default(),
            numbers: Vec::new(),
        })
    }

    /// Stores a step of each environment.
    fn add(&mut self, steps: Steps<'_>) -> PyResult<()> {
        let (rows, width) = (self.steps.len(), self.width);
        let observations = steps.observations.as_slice().map_err(refused)?;
        let next_observations = steps.next_observations.as_slice().map_err(refused)?;
        let masks = [&steps.action_masks, &steps.next_action_masks].map(Option::as_ref);
        let lengths = [
            ("observations", observations.len(), rows * width),
            ("next_observations", next_observations.len(), rows * width),
            ("actions", steps.actions.len(), rows),
            ("rewards", steps.rewards.len(), rows),
            ("terminations", steps.terminations.len(), rows),
            ("truncations", steps.truncations.len(), rows),
            ("action_masks", masks[0].map_or(rows * self.actions, |mask| mask.len()), rows * self.actions),
            ("next_action_masks", masks[1].map_or(rows * self.actions, |mask| mask.len()), rows * self.actions),
        ];
        if let Some((name, found, expected)) = lengths.into_iter().find(|(_, found, expected)| found != expected) {
            return Err(PyValueError::new_err(format!("{name}: {found} numbers, expected {expected}")));
        }
        let actions = steps.actions.as_array();
        if let Some(action) = actions.iter().find(|action| !(0..self.actions as i64).contains(action)) {
            return Err(PyValueError::new_err(format!(
                "action {action}, expected 0 to {}",
                self.actions.saturating_sub(1)
            )));
        }
        let is_byte = |number: &f32| (0.0..=255.0).contains(number) && number.fract() == 0.0;
        if self.holds_bytes && !observations.iter().chain(next_observations).all(is_byte) {
            return Err(PyValueError::new_err("observations in a space of bytes must be whole numbers from 0 to 255"));
        }
        let [masks, next_masks] = masks.map(|mask| mask.map(PyReadonlyArray2::as_slice).transpose());
        let (masks, next_masks) = (masks.map_err(refused)?, next_masks.map_err(refused)?);
        let count = self.actions;
        let replay = self.replay.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (slot, accumulator) in self.steps.iter_mut().enumerate() {
            let experience = Experience {
                slot,
                observation: &observations[slot * width..][..width],
                mask: row_of(masks, slot, count),
                action: actions[slot] as usize,
                step: Step {
                    reward: steps.rewards.as_array()[slot],
                    terminated: steps.terminations.as_array()[slot],
                    truncated: steps.truncations.as_array()[slot],
                },
                next_observation: &next_observations[slot * width..][..width],
                next_mask: row_of(next_masks, slot, count),
            };
            accumulator.push(&experience, &mut |transition: &Transition<'_>| replay.push(transition));
        }
        Ok(())
    }

    /// Drops the waiting steps: the next step does not follow them.
    fn interrupt(&mut self) {
        self.steps.iter_mut().for_each(NStepAccumulator::clear);
    }

    /// How many transitions are stored.
    fn __len__(&mut self) -> usize {
        self.replay().len()
    }

    /// The capacity.
    #[getter]
    fn capacity(&mut self) -> usize {
        self.replay().capacity()
    }

    /// Draws as many transitions as the columns have rows.
    fn sample_into(&mut self, columns: Columns<'_>) -> PyResult<()> {
        let (rows, len, needs_rows) = (columns.actions.len(), self.replay().len(), self.needs_rows);
        if len == 0 || needs_rows && len < rows {
            return Err(PyValueError::new_err(format!("{rows} transitions requested, but only {len} are stored")));
        }
        self.fill(&columns, |replay, batch| {
            batch.probabilities.fill(1.0 / len as f64);
            replay.sample(batch);
            Ok(())
        })
    }

    /// Reads the transitions at the indices of the columns.
    fn read_into(&mut self, columns: Columns<'_>) -> PyResult<()> {
        self.indices(&columns.indices.try_readonly().map_err(refused)?)?;
        self.fill(&columns, |replay, batch| {
            batch.probabilities.fill(f64::NAN);
            let text = "this kind of buffer cannot be inspected";
            replay.read(batch).then_some(()).ok_or_else(|| PyValueError::new_err(text))
        })
    }

    /// Updates the TD errors of drawn transitions.
    fn update_priorities(
        &mut self,
        indices: PyReadonlyArray1<'_, i64>,
        td_errors: PyReadonlyArray1<'_, f32>,
    ) -> PyResult<()> {
        let indices = self.indices(&indices)?;
        let td_errors = td_errors.as_array().to_vec();
        if indices.len() != td_errors.len() {
            let text = format!("{} indices and {} TD errors", indices.len(), td_errors.len());
            return Err(PyValueError::new_err(text));
        }
        self.replay().update_priorities(&indices, &td_errors);
        Ok(())
    }
}

/// The importance weights of transitions drawn with these probabilities.
#[pyfunction]
pub fn importance_weights<'py>(
    py: Python<'py>,
    probabilities: PyReadonlyArray1<'py, f64>,
    beta: f64,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let probabilities = probabilities.as_array().to_vec();
    let is_sound = probabilities.iter().all(|p| *p > 0.0 && p.is_finite()) && beta >= 0.0 && beta.is_finite();
    if !is_sound {
        return Err(PyValueError::new_err("importance weights need probabilities above 0 and beta of at least 0"));
    }
    let mut weights = vec![0.0; probabilities.len()];
    td::importance_weights(&probabilities, beta, &mut weights);
    Ok(PyArray1::from_vec(py, weights))
}

/// The sampler over `store`.
fn drawn(store: impl ReplayStore + 'static, settings: &Settings<'_>) -> PyResult<Box<dyn ReplayBuffer>> {
    let sampling = if settings.replacement { Sampling::WithReplacement } else { Sampling::WithoutReplacement };
    match settings.priorities {
        None => Ok(Box::new(UniformReplay::with_store(store, sampling, settings.seed))),
        Some((alpha, epsilon, cap)) => {
            let spec = PrioritySpec { alpha, epsilon, cap };
            Ok(Box::new(PrioritizedReplay::with_store(store, spec, settings.seed).map_err(not_made)?))
        }
    }
}

/// The part of the masks that belongs to a slot.
fn row_of(masks: Option<&[bool]>, slot: usize, actions: usize) -> Option<&[bool]> {
    masks.map(|masks| &masks[slot * actions..][..actions])
}

/// Writes a column.
fn write<T: numpy::Element + Copy, D: numpy::ndarray::Dimension>(
    array: &Bound<'_, numpy::PyArray<T, D>>,
    mut values: impl Iterator<Item = T>,
) -> PyResult<()> {
    let mut array = array.try_readwrite().map_err(refused)?;
    let slots = array.as_slice_mut().map_err(refused)?;
    let found = slots.len();
    let written = slots.iter_mut().zip(&mut values).map(|(slot, value)| *slot = value).count();
    let fits = written == found && values.next().is_none();
    fits.then_some(())
        .ok_or_else(|| PyValueError::new_err(format!("an array of {found} elements does not fit the batch")))
}

fn not_made(error: ReplayError) -> PyErr {
    match error {
        ReplayError::OutOfMemory { .. } | ReplayError::TooLarge { .. } => {
            pyo3::exceptions::PyMemoryError::new_err(error.to_string())
        }
        _ => PyValueError::new_err(error.to_string()),
    }
}

fn refused(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}
