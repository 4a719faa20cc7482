//! [`Training`], a trainer in memory or in the directory of a run.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use requel::diagnose::{Evidence, Watch};
use requel::policy_file::PolicyFile;
use requel::run::{Control, Ending, Run, RunError, Session, Summary, timestamp};
use requel::train::{Observer, Termination, TrainError};
use requel::{Registry, Trainer};

use super::choice::chosen;
use super::config::Config;
use super::errors::{of_run, of_training};
use super::events::{Listener, Signals};
use super::run::registry_of;
use super::source::Source;
use super::vector::PyVector;

/// A training. While it goes on in one thread, whatever another asks of it is refused: nothing waits with the GIL held.
#[pyclass(frozen, module = "requel._requel")]
pub struct Training {
    state: Mutex<State>,
    control: Mutex<Control>,
    /// The process that it was made in: none of its threads are in a copy of that.
    process: u32,
}

/// How far a training is.
enum State {
    /// Without a directory.
    InMemory(Box<Trainer>),
    /// In the directory of a run.
    InRun(Box<Session>),
    /// Another call has it.
    Running,
    /// Its run is complete, or has failed.
    Over,
}

/// What became of a training.
enum Ended {
    Finished(Box<Summary>),
    /// It stopped without being scored.
    Stopped(Option<Termination>),
    Interrupted,
}

#[pymethods]
impl Training {
    /// A trainer of a config: in requel's own environment of its id, in those of `source`, or in `vector`, whose slots are like
    /// those of `source`. Policies are scored in the environments of `evaluation`, or else in more of `source`.
    ///
    /// `stacked` says that the environments stack frames themselves, as many as the config says.
    #[new]
    #[pyo3(signature = (config, source=None, vector=None, evaluation=None, stacked=false, threads=1))]
    fn new(
        py: Python<'_>,
        config: &Config,
        source: Option<Bound<'_, PyAny>>,
        vector: Option<Bound<'_, PyAny>>,
        evaluation: Option<Bound<'_, PyAny>>,
        stacked: bool,
        threads: usize,
    ) -> PyResult<Self> {
        let config = config.0.clone();
        let source = source.map(Source::of).transpose()?;
        let refused = |error| of_training(py, error);
        let made = match (&source, vector) {
            (None, _) => Registry::built_in().trainer(config),
            (Some(source), Some(vector)) => {
                let batch = Box::new(PyVector::new(vector, source.description())?);
                let source = source.clone();
                Trainer::with_batch(config, batch, Box::new(move || source.make()))
            }
            (Some(source), None) if stacked => {
                let source = source.clone();
                Trainer::with_envs(config, Box::new(move || source.make()))
            }
            (Some(source), None) => {
                registry_of(source).map_err(TrainError::Env).and_then(|registry| registry.trainer(config))
            }
        };
        let mut trainer = made.map_err(refused)?;
        if source.is_some() {
            trainer.evaluate_side_by_side(1);
        }
        if let Some(evaluation) = evaluation.map(Source::of).transpose()? {
            trainer.evaluate_in(Box::new(move || evaluation.make())).map_err(refused)?;
            trainer.evaluate_side_by_side(1);
        }
        trainer.set_threads(threads);
        Ok(Training {
            state: Mutex::new(State::InMemory(Box::new(trainer))),
            control: Mutex::new(Control::new()),
            process: std::process::id(),
        })
    }

    /// Begins a run in a new directory: the one named, or one below `runs/`.
    #[pyo3(signature = (run_dir=None))]
    fn begin_run(&self, py: Python<'_>, run_dir: Option<PathBuf>) -> PyResult<PathBuf> {
        let begin = |trainer: Trainer| match &run_dir {
            Some(dir) => Session::create(dir, trainer),
            None => Session::create_in_first_free(new_directories(&trainer), trainer),
        };
        self.enter(py, begin)
    }

    /// Goes on with a run from its newest checkpoint, with the settings of this training where `change` says so. Returns whether
    /// new episodes begin, and the env steps made.
    fn resume_run(&self, py: Python<'_>, run_dir: PathBuf, change: bool) -> PyResult<(bool, u64)> {
        let mut resumed = (false, 0);
        self.enter(py, |trainer| {
            let run = Run::open(&run_dir)?;
            let (session, how) = match change {
                true => Session::extend_with(run, trainer)?,
                false => Session::resume_with(run, trainer)?,
            };
            resumed = (how.begins_new_episodes, how.env_steps);
            Ok(session)
        })?;
        Ok(resumed)
    }

    /// Trains until training is over, it is asked to stop, or something fails. Without a directory the policy is scored at the
    /// end only where `score` says so.
    ///
    /// Returns `finished`, `stopped` or `interrupted`, and the summary as JSON where there is one.
    #[pyo3(signature = (listener=None, wants_steps=false, score=true))]
    fn run(
        &self,
        py: Python<'_>,
        listener: Option<Py<PyAny>>,
        wants_steps: bool,
        score: bool,
    ) -> PyResult<(&'static str, Option<String>)> {
        let signals = std::sync::Arc::new(Signals::new());
        let heard = std::sync::Arc::clone(&signals);
        let plain = Control::new();
        *lock(&self.control) = plain.clone();
        let control = plain.asking(move || heard.have_raised());
        let state = self.take()?;
        let (state, ended) = py.detach(|| {
            let mut no_one = ();
            let mut listener = listener.map(|listen| Listener::new(listen, wants_steps));
            let observer: &mut dyn Observer = match &mut listener {
                Some(listener) => listener,
                None => &mut no_one,
            };
            match state {
                State::InRun(session) => (State::Over, in_run(*session, observer, &control)),
                State::InMemory(mut trainer) => {
                    let ended = in_memory(&mut trainer, observer, &control, score).map_err(RunError::Train);
                    (State::InMemory(trainer), ended)
                }
                state => (state, Ok(Ended::Stopped(None))),
            }
        });
        *lock(&self.state) = state;
        if let Some(raised) = signals.take() {
            return Err(raised);
        }
        Ok(match ended.map_err(|error| of_run(py, error))? {
            Ended::Finished(summary) => ("finished", serde_json::to_string(&*summary).ok()),
            Ended::Stopped(Some(Termination::Asked)) => ("asked", None),
            Ended::Stopped(_) => ("stopped", None),
            Ended::Interrupted => ("interrupted", None),
        })
    }

    /// Asks a training that goes on to stop at a whole step, from any thread.
    fn stop(&self) {
        lock(&self.control).request_stop();
    }

    /// Asks a training that goes on in a run to save its state now.
    fn save_now(&self) {
        lock(&self.control).request_checkpoint();
    }

    /// Goes on with other settings from here on, those that can change on the way, also where training was asked to stop.
    fn change(&self, py: Python<'_>, config: &Config) -> PyResult<()> {
        self.with(|trainer| {
            trainer.go_on();
            trainer.change_config(config.0.clone()).map_err(|error| of_training(py, error))
        })
    }

    /// Env steps and updates so far, finished episodes, and the mean return of the last 100.
    fn progress(&self) -> PyResult<(u64, u64, u64, Option<f64>)> {
        self.with(|trainer| {
            let made = trainer.aggregates();
            Ok((made.env_steps, made.updates, made.episodes, made.return_mean))
        })
    }

    /// BLAKE3 of the present policy's weights.
    fn weights_blake3(&self, py: Python<'_>) -> PyResult<String> {
        self.with(|trainer| trainer.weights_blake3().map_err(|error| of_training(py, error)))
    }

    /// The present policy's actions for some observations, rows × numbers, and the values by which it chose, row by row; among
    /// the actions that `masks` allows.
    #[pyo3(signature = (observations, masks=None))]
    fn act(
        &self,
        py: Python<'_>,
        observations: PyReadonlyArray2<'_, f32>,
        masks: Option<PyReadonlyArray2<'_, bool>>,
    ) -> PyResult<(Vec<usize>, Option<Vec<f32>>)> {
        self.with(|trainer| {
            let policy = trainer.agent().policy(observations.shape()[0]).map_err(TrainError::from);
            chosen(py, policy, &observations, masks.as_ref())
        })
    }

    /// The present policy as the bytes of a policy file.
    fn policy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.with(|trainer| {
            let network = trainer.value_network().map_err(|error| of_training(py, error))?;
            let policy = trainer.policy_file(network.parameters).expect("it has a network of values");
            let bytes = policy.to_bytes().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
            Ok(PyBytes::new(py, &bytes))
        })
    }

    /// Begins from the weights of a policy file. Before the first step.
    fn begin_from(&self, py: Python<'_>, policy: &[u8]) -> PyResult<()> {
        let policy = PolicyFile::from_bytes(policy).map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.with(|trainer| trainer.begin_from(&policy).map_err(|error| of_training(py, error)))
    }
}

impl Training {
    /// Takes the trainer into a run.
    fn enter(&self, py: Python<'_>, enter: impl FnOnce(Trainer) -> Result<Session, RunError>) -> PyResult<PathBuf> {
        match self.take()? {
            State::InMemory(trainer) => {
                let entered = enter(*trainer);
                let session =
                    entered.inspect_err(|_| *lock(&self.state) = State::Over).map_err(|error| of_run(py, error))?;
                let dir = session.run().dir().to_path_buf();
                *lock(&self.state) = State::InRun(Box::new(session));
                Ok(dir)
            }
            state => {
                *lock(&self.state) = state;
                Err(PyRuntimeError::new_err("this training has a run already"))
            }
        }
    }

    /// Takes the state out, so that no lock is held while training goes on.
    fn take(&self) -> PyResult<State> {
        self.check_process()?;
        let mut state = lock(&self.state);
        match &*state {
            State::Running => Err(is_running()),
            State::Over => Err(PyRuntimeError::new_err("this training is over")),
            _ => Ok(std::mem::replace(&mut *state, State::Running)),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Trainer) -> PyResult<T>) -> PyResult<T> {
        self.check_process()?;
        let mut state = self.state.try_lock().map_err(|_| is_running())?;
        match &mut *state {
            State::InMemory(trainer) => look(trainer),
            State::InRun(_) => Err(PyRuntimeError::new_err("this training belongs to a run")),
            State::Running => Err(is_running()),
            State::Over => Err(PyRuntimeError::new_err("this training is over")),
        }
    }

    fn check_process(&self) -> PyResult<()> {
        match std::process::id() == self.process {
            true => Ok(()),
            false => Err(PyRuntimeError::new_err("this training was made in another process: make it after the fork")),
        }
    }
}

fn in_run(session: Session, observer: &mut dyn Observer, control: &Control) -> Result<Ended, RunError> {
    let evidence = Evidence::of_trainer(session.trainer());
    Ok(match session.train(&mut Watch::new(evidence, observer), control)? {
        Ending::Finished { summary, .. } => Ended::Finished(Box::new(summary)),
        Ending::Interrupted { .. } => Ended::Interrupted,
    })
}

fn in_memory(
    trainer: &mut Trainer,
    observer: &mut dyn Observer,
    control: &Control,
    score: bool,
) -> Result<Ended, TrainError> {
    let asked = control.clone();
    trainer.give_up_evaluations_when(std::sync::Arc::new(move || asked.stop_requested()));
    let termination = loop {
        if control.stop_requested() {
            return Ok(Ended::Interrupted);
        }
        match trainer.advance(observer) {
            Err(TrainError::Interrupted) => {}
            advanced => {
                if let Some(termination) = advanced? {
                    break termination;
                }
            }
        }
    };
    if !score {
        return Ok(Ended::Stopped(Some(termination)));
    }
    match trainer.finish(termination, observer) {
        Err(TrainError::Interrupted) => Ok(Ended::Interrupted),
        outcome => Ok(Ended::Finished(Box::new(Summary::from(&outcome?)))),
    }
}

/// Where a new run goes that has no directory of its own.
fn new_directories(trainer: &Trainer) -> impl Iterator<Item = PathBuf> + use<> {
    let name = Run::name(trainer.config(), &timestamp());
    (1..).map(move |n: u64| Path::new("runs").join(if n == 1 { name.clone() } else { format!("{name}-{n}") }))
}

fn is_running() -> PyErr {
    PyRuntimeError::new_err("training is running")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left is what it was before: a state is only put in whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
