//! [`Training`], a trainer in memory or in the directory of a run.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use requel::diagnose::{Evidence, Watch};
use requel::policy_file::PolicyFile;
use requel::run::{Control, Ending, Run, RunError, Session, Summary, timestamp};
use requel::state::{State as Saved, StateError};
use requel::storage::{self, RealStorage};
use requel::train::{Observer, Termination, TrainError};
use requel::{Registry, Trainer};
use requel_cli::with_devices;

use super::choice::chosen;
use super::config::Config;
use super::errors::{of_run, of_training};
use super::events::{Listener, Signals};
use super::in_memory::{InMemory, WhileLent};
use super::run::registry_of;
use super::source::Source;
use super::vector::PyVector;

/// A training run. While one thread runs it, requests from others are refused: nothing waits while holding the GIL.
#[pyclass(frozen, module = "requel._requel")]
pub struct Training {
    state: Mutex<State>,
    control: Mutex<Control>,
    /// The process that created it: a forked copy has none of its threads.
    process: u32,
}

/// The stage of training.
enum State {
    /// Without a directory.
    InMemory(Box<Trainer>),
    /// The same between two steps, while callbacks are called: it can be inspected and saved, but not changed.
    Lent(Box<Trainer>),
    /// In the directory of a run.
    InRun(Box<Session>),
    /// In use by another call.
    Running,
    /// Its run is complete, or has failed.
    Over,
}

/// The result of training.
pub(super) enum Ended {
    Finished(Box<Summary>),
    /// It stopped without being scored.
    Stopped(Option<Termination>),
    Interrupted,
}

#[pymethods]
impl Training {
    /// A trainer of a config: in requel's own environment with its id, in those of `source`, or in `vector`, whose slots are like those of
    /// `source`. Policies are scored in the environments of `evaluation`, or else in more of `source`.
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
            (None, _) => with_devices(Registry::built_in()).trainer(config),
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
                registry_of(source).map_err(TrainError::Env).and_then(|registry| with_devices(registry).trainer(config))
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

    /// Starts a run in a new directory: the one given, or one below `runs/`.
    #[pyo3(signature = (run_dir=None))]
    fn begin_run(&self, py: Python<'_>, run_dir: Option<PathBuf>) -> PyResult<PathBuf> {
        let begin = |trainer: Trainer| match &run_dir {
            Some(dir) => Session::create(dir, trainer),
            None => Session::create_in_first_free(new_directories(&trainer), trainer),
        };
        self.enter(py, begin)
    }

    /// Continues a run from its newest checkpoint, with the settings of this training if `change` is true. Returns whether new episodes
    /// start, and the env steps made.
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

    /// Trains until training is over, it is asked to stop, or something fails. Without a directory, the policy is scored at the end only if
    /// `score` is true.
    ///
    /// Returns `finished`, `stopped` or `interrupted`, and the summary as JSON if there is one.
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
        let plain = lock(&self.control).clone();
        let control = plain.asking(move || heard.have_raised());
        let state = self.take()?;
        let (state, ended) = py.detach(|| {
            let mut no_one = ();
            match state {
                State::InRun(session) => {
                    let mut listener = listener.map(|listen| Listener::new(listen, wants_steps));
                    let observer: &mut dyn Observer = match &mut listener {
                        Some(listener) => listener,
                        None => &mut no_one,
                    };
                    (State::Over, in_run(*session, observer, &control))
                }
                State::InMemory(trainer) => {
                    let listener = listener.map(|listen| Listener::patient(listen, wants_steps));
                    let lend = |trainer, while_lent: WhileLent<'_>| self.lend(trainer, while_lent);
                    let (trainer, ended) = InMemory { trainer, listener, control: &control, lend: &lend }.run(score);
                    (State::InMemory(trainer), ended.map_err(RunError::Train))
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

    /// Forgets earlier requests to stop. Requests from here on count, even before [`Training::run`].
    fn arm(&self) {
        *lock(&self.control) = Control::new();
    }

    /// Asks training that is running, or about to, to stop after a whole step, from any thread.
    fn stop(&self) {
        lock(&self.control).request_stop();
    }

    /// Asks training that is running to save its state now.
    fn save_now(&self) {
        lock(&self.control).request_checkpoint();
    }

    /// Continues with other settings from here on (those that can change during training), even if training was asked to stop.
    fn change(&self, py: Python<'_>, config: &Config) -> PyResult<()> {
        self.with(|trainer| {
            trainer.go_on();
            trainer.change_config(config.0.clone()).map_err(|error| of_training(py, error))
        })
    }

    /// The same, but env steps are counted from 0 again: schedules and episodes start again, and the agent keeps what it has.
    fn begin_anew(&self, py: Python<'_>, config: &Config) -> PyResult<()> {
        self.with(|trainer| trainer.begin_anew(config.0.clone()).map_err(|error| of_training(py, error)))
    }

    /// Continues from the state of another training run, in the environments of this one, with everything it has learned and stored. The
    /// other one can no longer be used.
    fn go_on_from(&self, py: Python<'_>, other: &Training) -> PyResult<()> {
        if std::ptr::eq(self, other) {
            return Err(PyValueError::new_err("a training run continues from another one"));
        }
        self.with(|trainer| other.with(|other| trainer.go_on_from(other).map_err(|error| of_training(py, error))))
    }

    /// Counts env steps from this number on.
    fn count_from(&self, env_steps: u64) -> PyResult<()> {
        self.with(|trainer| {
            trainer.count_from(env_steps);
            Ok(())
        })
    }

    /// How many transitions are stored; `None` if there is no replay buffer.
    fn stored(&self) -> PyResult<Option<usize>> {
        self.look(|trainer| Ok(trainer.agent().stored()))
    }

    /// The device on which networks are computed, such as `cpu` or `cuda:0 (NVIDIA H100)`.
    fn device(&self) -> PyResult<String> {
        self.look(|trainer| Ok(trainer.agent().device().map_or_else(|| "cpu".into(), |in_use| in_use.device)))
    }

    /// Writes the replay buffer to a file, replacing an existing one.
    fn save_replay(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.look(|trainer| {
            let state = trainer.save_replay().map_err(|error| of_training(py, error))?;
            let bytes = state.to_sealed_bytes().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
            Ok(storage::replace(&RealStorage, &path, &bytes)?)
        })
    }

    /// Starts with the replay buffer in a file. Only before the first step.
    fn load_replay(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let refused = |error: StateError| PyValueError::new_err(format!("{}: {error}", path.display()));
        let state = Saved::from_sealed_bytes(&std::fs::read(&path)?).map_err(refused)?;
        self.with(|trainer| match trainer.begin_with_replay(&state) {
            Err(TrainError::State(error)) => Err(refused(error)),
            other => other.map_err(|error| of_training(py, error)),
        })
    }

    /// What the agent has learned, including its optimiser's averages, as bytes.
    fn save_learned<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.look(|trainer| {
            let state = trainer.save_learned().map_err(|error| of_training(py, error))?;
            let bytes = state.to_sealed_bytes().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
            Ok(PyBytes::new(py, &bytes))
        })
    }

    /// Starts with what [`Training::save_learned`] returned. Only before the first step; if it does not fit, this training can no longer be
    /// used.
    fn begin_with_learned(&self, py: Python<'_>, learned: &[u8]) -> PyResult<()> {
        let refused = |error: StateError| PyValueError::new_err(error.to_string());
        let state = Saved::from_sealed_bytes(learned).map_err(refused)?;
        self.with(|trainer| match trainer.begin_with_learned(&state) {
            Err(TrainError::State(error)) => Err(refused(error)),
            other => other.map_err(|error| of_training(py, error)),
        })
    }

    /// The current observations, environments × numbers.
    fn observations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.look(|trainer| {
            let (rows, flat) = (trainer.config().train.num_envs, trainer.observations());
            PyArray1::from_slice(py, flat).reshape([rows, flat.len() / rows.max(1)])
        })
    }

    /// Env steps and updates so far, finished episodes, and the mean return of the last 100.
    fn progress(&self) -> PyResult<(u64, u64, u64, Option<f64>)> {
        self.look(|trainer| {
            let made = trainer.aggregates();
            Ok((made.env_steps, made.updates, made.episodes, made.return_mean))
        })
    }

    /// BLAKE3 of the current policy's weights.
    fn weights_blake3(&self, py: Python<'_>) -> PyResult<String> {
        self.look(|trainer| trainer.weights_blake3().map_err(|error| of_training(py, error)))
    }

    /// The current policy's actions for some observations, rows × numbers, and the values by which it chose, row by row; among the actions
    /// that `masks` allows.
    #[pyo3(signature = (observations, masks=None))]
    fn act(
        &self,
        py: Python<'_>,
        observations: PyReadonlyArray2<'_, f32>,
        masks: Option<PyReadonlyArray2<'_, bool>>,
    ) -> PyResult<(Vec<usize>, Option<Vec<f32>>)> {
        self.look(|trainer| {
            let policy = trainer.agent().policy(observations.shape()[0]).map_err(TrainError::from);
            chosen(py, policy, &observations, masks.as_ref())
        })
    }

    /// The current policy as the bytes of a policy file.
    fn policy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.look(|trainer| {
            let network = trainer.value_network().map_err(|error| of_training(py, error))?;
            let policy = trainer.policy_file(network.parameters).expect("it has a network of values");
            let bytes = policy.to_bytes().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
            Ok(PyBytes::new(py, &bytes))
        })
    }

    /// Starts from the weights of a policy file. Only before the first step.
    fn begin_from(&self, py: Python<'_>, policy: &[u8]) -> PyResult<()> {
        let policy = PolicyFile::from_bytes(policy).map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.with(|trainer| trainer.begin_from(&policy).map_err(|error| of_training(py, error)))
    }
}

impl Training {
    /// Moves the trainer into a run.
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
                Err(PyRuntimeError::new_err("this training already has a run"))
            }
        }
    }

    /// Takes the state out, so that no lock is held during training.
    fn take(&self) -> PyResult<State> {
        self.check_process()?;
        let mut state = lock(&self.state);
        match &*state {
            State::Running | State::Lent(_) => Err(is_running()),
            State::Over => Err(PyRuntimeError::new_err("this training is over")),
            _ => Ok(std::mem::replace(&mut *state, State::Running)),
        }
    }

    /// Changes the trainer while it is at rest.
    fn with<T>(&self, change: impl FnOnce(&mut Trainer) -> PyResult<T>) -> PyResult<T> {
        self.check_process()?;
        match &mut *self.state.try_lock().map_err(|_| is_running())? {
            State::InMemory(trainer) => change(trainer),
            state => Err(is_away(state)),
        }
    }

    /// Reads the trainer, at rest or between two steps.
    fn look<T>(&self, look: impl FnOnce(&Trainer) -> PyResult<T>) -> PyResult<T> {
        self.check_process()?;
        match &*self.state.try_lock().map_err(|_| is_running())? {
            State::InMemory(trainer) | State::Lent(trainer) => look(trainer),
            state => Err(is_away(state)),
        }
    }

    /// Puts the trainer back temporarily. The GIL is not held here, so that a thread holding the lock can finish.
    fn lend(&self, trainer: Box<Trainer>, while_lent: WhileLent<'_>) -> (Box<Trainer>, PyResult<()>) {
        *lock(&self.state) = State::Lent(trainer);
        let done = while_lent();
        match std::mem::replace(&mut *lock(&self.state), State::Running) {
            State::Lent(trainer) => (trainer, done),
            _ => unreachable!("this trainer is in use by its training: it can only be read"),
        }
    }

    fn check_process(&self) -> PyResult<()> {
        match std::process::id() == self.process {
            true => Ok(()),
            false => Err(PyRuntimeError::new_err(
                "this training was created in another process: create it after the \
                                                  fork",
            )),
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

/// The directory of a new run if none is given.
fn new_directories(trainer: &Trainer) -> impl Iterator<Item = PathBuf> + use<> {
    let name = Run::name(trainer.config(), &timestamp());
    (1..).map(move |n: u64| Path::new("runs").join(if n == 1 { name.clone() } else { format!("{name}-{n}") }))
}

/// Why the trainer is not available.
fn is_away(state: &State) -> PyErr {
    match state {
        State::InRun(_) => PyRuntimeError::new_err("this training belongs to a run"),
        State::Over => PyRuntimeError::new_err("this training is over"),
        _ => is_running(),
    }
}

fn is_running() -> PyErr {
    PyRuntimeError::new_err("training is running")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // After a panic the state is the previous one: it is only ever replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
