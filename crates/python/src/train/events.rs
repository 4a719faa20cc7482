//! Events of training, passed to Python.

use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use requel::train::{EpisodeRecord, Evaluation, Observer, ObserverError, TrainEvent};

/// A Python function called with events: it gets the name of the event and its data. If it returns `False`, training stops.
pub struct Listener {
    listen: Py<PyAny>,
    wants_steps: bool,
    asked_to_stop: bool,
    /// Events that wait until [`Listener::tell_waiting`]; `None` if each is passed on at once.
    waiting: Option<Vec<(&'static str, Py<PyDict>)>>,
}

impl Listener {
    /// For a function; `wants_steps` says whether it is called for every step.
    pub fn new(listen: Py<PyAny>, wants_steps: bool) -> Self {
        Listener { listen, wants_steps, asked_to_stop: false, waiting: None }
    }

    /// The same, but events wait until [`Listener::tell_waiting`].
    pub fn patient(listen: Py<PyAny>, wants_steps: bool) -> Self {
        Listener { waiting: Some(Vec::new()), ..Self::new(listen, wants_steps) }
    }

    /// Whether events wait.
    pub fn has_waiting(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| !waiting.is_empty())
    }

    /// Passes on the waiting events, in order.
    ///
    /// # Errors
    /// What the function raised; later events are not passed on.
    pub fn tell_waiting(&mut self) -> PyResult<()> {
        let waiting = self.waiting.as_mut().map(std::mem::take).unwrap_or_default();
        Python::attach(|py| {
            waiting.into_iter().try_for_each(|(name, fields)| self.call(py, name, fields.into_bound(py)))
        })
    }

    fn call(&mut self, py: Python<'_>, name: &str, fields: Bound<'_, PyDict>) -> PyResult<()> {
        let answer = self.listen.bind(py).call((intern!(py, "event"), name, fields), None)?;
        if answer.is_instance_of::<pyo3::types::PyBool>() && !answer.is_truthy()? {
            self.asked_to_stop = true;
        }
        Ok(())
    }

    fn tell(&mut self, py: Python<'_>, event: &TrainEvent<'_>) -> PyResult<()> {
        let fields = PyDict::new(py);
        let name = match *event {
            TrainEvent::Stepped { env_steps, actions, steps, .. } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("actions", actions.to_vec())?;
                fields.set_item("rewards", steps.iter().map(|step| step.reward).collect::<Vec<_>>())?;
                fields.set_item("terminated", steps.iter().map(|step| step.terminated).collect::<Vec<_>>())?;
                fields.set_item("truncated", steps.iter().map(|step| step.truncated).collect::<Vec<_>>())?;
                "Stepped"
            }
            TrainEvent::EpisodeEnded { env_steps, episode } => {
                let EpisodeRecord { index, return_, length, terminated, truncated } = episode;
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("index", index)?;
                fields.set_item("return_", return_)?;
                fields.set_item("length", length)?;
                fields.set_item("terminated", terminated)?;
                fields.set_item("truncated", truncated)?;
                "EpisodeEnded"
            }
            TrainEvent::EnvReported { env_steps, episode, metrics } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("episode", episode)?;
                fields.set_item("metrics", by_name(py, metrics)?)?;
                "EnvReported"
            }
            TrainEvent::Progress(aggregates) => {
                let text = serde_json::to_string(&aggregates).unwrap_or_default();
                fields.set_item("numbers", text)?;
                fields.set_item("evaluation_return", aggregates.evaluation_return)?;
                "Progress"
            }
            TrainEvent::AgentReported { env_steps, statistics } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("statistics", by_name(py, statistics)?)?;
                "AgentReported"
            }
            TrainEvent::Evaluated { env_steps, updates, evaluation, best } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("updates", updates)?;
                fields.set_item("score", score(py, evaluation)?)?;
                fields.set_item("is_best", best.is_some())?;
                "Evaluated"
            }
            TrainEvent::FinalEpisode { env_steps, played, episodes } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("played", played)?;
                fields.set_item("episodes", episodes)?;
                "FinalEpisode"
            }
            TrainEvent::FinalEvaluated { env_steps, updates, best, last } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("updates", updates)?;
                fields.set_item("best", score(py, best)?)?;
                fields.set_item("final", score(py, last)?)?;
                "FinalEvaluated"
            }
            TrainEvent::Skipped { env_steps, site, value, env, action, skipped } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("site", site)?;
                fields.set_item("value", value)?;
                fields.set_item("env", env)?;
                fields.set_item("action", action)?;
                fields.set_item("skipped", skipped)?;
                "Skipped"
            }
            TrainEvent::Diagnosed { env_steps, finding } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("finding", serde_json::to_string(finding).unwrap_or_default())?;
                "Diagnosed"
            }
            TrainEvent::CheckpointSaved { env_steps, path } => {
                fields.set_item("env_steps", env_steps)?;
                fields.set_item("path", path)?;
                "CheckpointSaved"
            }
            _ => return Ok(()),
        };
        match &mut self.waiting {
            Some(waiting) => {
                waiting.push((name, fields.unbind()));
                Ok(())
            }
            None => self.call(py, name, fields),
        }
    }
}

impl Observer for Listener {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        Python::attach(|py| self.tell(py, event)).map_err(|error| Box::new(error) as ObserverError)
    }

    fn wants_steps(&self) -> bool {
        self.wants_steps
    }

    fn asks_to_stop(&self) -> bool {
        self.asked_to_stop
    }
}

/// Returns and lengths of an evaluation.
fn score<'py>(py: Python<'py>, evaluation: &Evaluation) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("returns", evaluation.returns.clone())?;
    fields.set_item("lengths", evaluation.lengths.clone())?;
    fields.set_item("cut_off", evaluation.cut_off)?;
    fields.set_item("mean_return", evaluation.mean_return())?;
    fields.set_item("std_return", evaluation.std_return())?;
    Ok(fields)
}

fn by_name<'py>(py: Python<'py>, numbers: &[(String, f64)]) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    numbers.iter().try_for_each(|(name, number)| fields.set_item(name, number))?;
    Ok(fields)
}

/// Checks from time to time for a signal: Python handles signals only while Python code runs.
pub struct Signals {
    looked: std::sync::Mutex<Instant>,
    raised: std::sync::Mutex<Option<PyErr>>,
}

impl Signals {
    /// How long a signal may have to wait.
    const PAUSE: Duration = Duration::from_millis(30);

    /// No signal so far.
    pub fn new() -> Self {
        Signals { looked: std::sync::Mutex::new(Instant::now()), raised: std::sync::Mutex::new(None) }
    }

    /// Whether a signal handler has raised something. Handlers run only in Python's main thread.
    pub fn have_raised(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if looked.elapsed() < Self::PAUSE {
            return false;
        }
        *looked = Instant::now();
        drop(looked);
        let raised = Python::attach(|py| py.check_signals()).err();
        let is_raised = raised.is_some();
        if is_raised {
            *self.raised.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = raised;
        }
        is_raised
    }

    /// What was raised, once.
    pub fn take(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}
