//! [`Session`]: training inside a run's directory, from the beginning or from a checkpoint.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Instant;

use super::{Control, Run, RunError, Summary, Timing};
use crate::agent::PolicyFile;
use crate::checkpoint::{self, CheckpointError, Destination};
use crate::log::RunLogs;
use crate::schedule::crossings;
use crate::train::{BestPolicy, Observer, ObserverError, Outcome, TrainError, TrainEvent, Trainer};

/// A training that goes on in a run's directory: it keeps the logs, the best policy and the checkpoints.
///
/// ```
/// use requel::config::Layers;
/// use requel::run::{Control, Ending, Run, Session};
///
/// let dir = tempfile::tempdir()?;
/// let config = Layers::new().preset("notebook")?.set("train.episodes=3")?.resolve()?;
/// let run = Run::create(dir.path(), &config)?;
/// let ending = Session::begin(run)?.train(&mut (), &Control::new())?;
/// assert!(matches!(ending, Ending::Finished { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    run: Run,
    trainer: Trainer,
    logs: RunLogs,
    start: (u64, u64),
    /// The checkpoint that was read or written last, and its env steps.
    saved: Option<(u64, PathBuf)>,
    _lock: File,
}

/// How a session came to its beginning.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Env steps that the checkpoint holds; 0 where there was none and training begins anew.
    pub env_steps: u64,
    /// Newer checkpoints that were damaged, and so stepped over.
    pub damaged: Vec<CheckpointError>,
}

/// How a session ended.
#[derive(Debug)]
pub enum Ending {
    /// Training is over.
    Finished {
        /// What it came to.
        summary: Summary,
        /// The same with every episode.
        outcome: Box<Outcome>,
        /// How long it took.
        timing: Timing,
    },
    /// It was asked to stop, and can be resumed.
    Interrupted {
        /// Env steps so far.
        env_steps: u64,
        /// The checkpoint.
        checkpoint: PathBuf,
    },
}

impl Session {
    /// A new training in a run's directory.
    ///
    /// # Errors
    /// If the trainer cannot be made, the directory is in use or has checkpoints already, or the disk refuses.
    pub fn begin(run: Run) -> Result<Self, RunError> {
        let trainer = Trainer::new(run.config()?)?;
        Self::begin_with(run, trainer)
    }

    /// A new training of `trainer`, which may have worlds of your own, in a run's directory.
    ///
    /// # Errors
    /// If the directory is in use or has checkpoints already, or the disk refuses.
    pub fn begin_with(run: Run, trainer: Trainer) -> Result<Self, RunError> {
        let lock = run.lock()?;
        // Beginning anew would empty the logs of a training that can go on.
        if !checkpoint::list(&run.checkpoints())?.is_empty() {
            return Err(RunError::Occupied { path: run.checkpoints() });
        }
        Self::open(run, trainer, &BTreeMap::new(), lock)
    }

    /// The training of a run from its newest whole checkpoint, or anew where it has none.
    ///
    /// # Errors
    /// If the trainer cannot be made, the directory is in use, or the disk refuses.
    pub fn resume(run: Run) -> Result<(Self, Resumed), RunError> {
        let trainer = Trainer::new(run.config()?)?;
        Self::resume_with(run, trainer)
    }

    /// As [`Session::resume`], with a fresh trainer of your own worlds.
    ///
    /// # Errors
    /// As [`Session::resume`].
    pub fn resume_with(run: Run, mut trainer: Trainer) -> Result<(Self, Resumed), RunError> {
        let lock = run.lock()?;
        let newest = checkpoint::newest(&run.checkpoints())?;
        let mut lengths = BTreeMap::new();
        let mut saved = None;
        if let Some(checkpoint) = newest.checkpoint {
            trainer.restore(&checkpoint.state)?;
            lengths = checkpoint.manifest.logs;
            saved = Some((checkpoint.manifest.env_steps, checkpoint.path));
        }
        let resumed = Resumed { env_steps: trainer.env_steps(), damaged: newest.damaged };
        let mut session = Self::open(run, trainer, &lengths, lock)?;
        session.saved = saved;
        // The file may be of a moment that the checkpoint does not know.
        if let Some(best) = session.trainer.best() {
            session.run.write_best_policy(&policy_file(&session.trainer, &best.parameters))?;
        }
        Ok((session, resumed))
    }

    fn open(run: Run, trainer: Trainer, lengths: &BTreeMap<String, u64>, lock: File) -> Result<Self, RunError> {
        let logs =
            RunLogs::open(run.dir(), lengths, trainer.env_steps()).map_err(RunError::io("open logs in", run.dir()))?;
        let start = (trainer.env_steps(), trainer.updates());
        Ok(Session { run, trainer, logs, start, saved: None, _lock: lock })
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The trainer.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Trains until training is over or `control` asks to stop; either way the complete state is on disk then.
    ///
    /// # Errors
    /// If a world, an observer or the disk fails, or a number is not finite. Checkpoints written before stay.
    pub fn train(mut self, observer: &mut dyn Observer, control: &Control) -> Result<Ending, RunError> {
        let started = Instant::now();
        let every = self.trainer.config().checkpoint.every_steps;
        let termination = loop {
            if control.stop_requested() {
                let checkpoint = self.save_once(observer)?;
                return Ok(Ending::Interrupted { env_steps: self.trainer.env_steps(), checkpoint });
            }
            let before = self.trainer.env_steps();
            let termination = self.advance(observer)?;
            if let Some(termination) = termination {
                break termination;
            }
            let due = every > 0 && crossings(every, before, self.trainer.env_steps()) > 0;
            if due || control.take_checkpoint_request() {
                self.save(observer)?;
            }
        };
        self.save_once(observer)?;
        let outcome = self.trainer.finish(termination, &mut (&mut self.logs, observer))?;
        if self.trainer.best().is_none() {
            self.run.write_best_policy(&policy_file(&self.trainer, self.trainer.agent().parameters()))?;
        }
        self.logs.sync().map_err(RunError::io("sync logs in", self.run.dir()))?;
        let summary = Summary::from(&outcome);
        self.run.write_summary(&summary)?;
        let timing = self.timing(started);
        Ok(Ending::Finished { summary, outcome: Box::new(outcome), timing })
    }

    fn advance(&mut self, observer: &mut dyn Observer) -> Result<Option<crate::train::Termination>, RunError> {
        let best_before = self.trainer.best().map(|best| best.env_steps);
        let termination = self.trainer.advance(&mut (&mut self.logs, observer))?;
        if let Some(best) = self.trainer.best().filter(|best| Some(best.env_steps) != best_before) {
            let BestPolicy { parameters, .. } = best;
            self.run.write_best_policy(&policy_file(&self.trainer, parameters))?;
        }
        Ok(termination)
    }

    /// The checkpoint of this moment, written if it is not there: never is a whole one put in the place of itself.
    fn save_once(&mut self, observer: &mut dyn Observer) -> Result<PathBuf, RunError> {
        match &self.saved {
            Some((env_steps, path)) if *env_steps == self.trainer.env_steps() => Ok(path.clone()),
            _ => self.save(observer),
        }
    }

    fn save(&mut self, observer: &mut dyn Observer) -> Result<PathBuf, RunError> {
        let lengths = self.logs.sync().map_err(RunError::io("sync logs in", self.run.dir()))?;
        let root = self.run.checkpoints();
        let keep = self.trainer.config().checkpoint.keep;
        let env_steps = self.trainer.env_steps();
        let path = checkpoint::write(Destination { root: &root, keep }, env_steps, &self.trainer.save(), lengths)?;
        self.saved = Some((env_steps, path.clone()));
        let told: Result<(), ObserverError> =
            observer.on_event(&TrainEvent::CheckpointSaved { env_steps, path: &path });
        told.map_err(TrainError::Observer)?;
        Ok(path)
    }

    fn timing(&self, started: Instant) -> Timing {
        let wall_seconds = started.elapsed().as_secs_f64();
        let per_second = |count: u64| count as f64 / wall_seconds.max(1e-9);
        Timing {
            wall_seconds,
            env_steps_per_second: per_second(self.trainer.env_steps() - self.start.0),
            updates_per_second: per_second(self.trainer.updates() - self.start.1),
        }
    }
}

fn policy_file(trainer: &Trainer, parameters: &[f32]) -> PolicyFile {
    PolicyFile {
        env_id: trainer.env_id().to_owned(),
        network: trainer.agent().network().spec().clone(),
        parameters: parameters.to_vec(),
    }
}
