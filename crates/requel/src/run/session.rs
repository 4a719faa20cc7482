//! [`Session`]: training inside a run's directory, from the beginning or from a checkpoint.

mod training;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::claim::Claim;
use super::directory::config_text;
use super::extension::{Settings, check_goes_on};
use super::lock::Lock;
use super::policy::write_best_policy;
use super::saving::{Saved, Saving};
use super::segments::{self, Segment};
use super::{Run, RunError, Summary, Timing, checksums, room};
use crate::checkpoint::{self, CheckpointError, LogEntry};
use crate::config::Config;
use crate::log::{RunLogs, check_logs};
use crate::registry::Registry;
use crate::storage::{RealStorage, Storage};
use crate::train::{Outcome, Trainer, column_names};

/// Training in a run's directory: it maintains the logs, the best policy and the checkpoints.
///
/// ```
/// use requel::config::Layers;
/// use requel::Trainer;
/// use requel::run::{Control, Ending, Session};
///
/// let dir = tempfile::tempdir()?;
/// let config = Layers::new().preset("notebook")?.set("train.episodes=3")?.resolve()?;
/// let session = Session::create(&dir.path().join("run"), Trainer::new(config)?)?;
/// let ending = session.train(&mut (), &Control::new())?;
/// assert!(matches!(ending, Ending::Finished { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    run: Run,
    trainer: Trainer,
    logs: RunLogs,
    start: (u64, u64),
    /// The last checkpoint that was read or written.
    saved: Option<Saved>,
    saving: Saving,
    /// When the last save started, and after how long the next one follows by the clock.
    saved_at: Instant,
    pause: Option<Duration>,
    /// The current segment, and those that start at later steps: a checkpoint may be older than the last change.
    segment: usize,
    later: VecDeque<Segment>,
    _lock: Lock,
}

/// How a session was resumed.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Env steps in the checkpoint; 0 if there was none and training starts from the beginning.
    pub env_steps: u64,
    /// Whether training continues with new episodes because the environments cannot save their state: the results then differ from those of
    /// a run that was never interrupted.
    pub begins_new_episodes: bool,
    /// Newer checkpoints that were damaged, and so skipped.
    pub damaged: Vec<CheckpointError>,
    /// The segment that starts there, if settings were changed.
    pub changed: Option<Segment>,
}

/// How a session ended.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made in a whole training")]
pub enum Ending {
    /// Training is over.
    Finished {
        /// The summary.
        summary: Summary,
        /// All episodes of the final evaluation.
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
    /// Starts training `trainer` in a new run in `dir`, which does not exist yet or is empty. Everything that can be refused is refused
    /// before anything is written, and a failed start leaves nothing behind.
    ///
    /// # Errors
    /// [`RunError::Occupied`] if `dir` is not empty or another process starts a run there, [`RunError::NoRoom`], or if the disk refuses.
    pub fn create(dir: &Path, trainer: Trainer) -> Result<Self, RunError> {
        Self::create_in_first_free([dir.to_path_buf()], trainer)
    }

    /// Like [`Session::create`], in the first free one of `dirs`. If several processes try the same, each gets its own.
    ///
    /// # Errors
    /// As [`Session::create`], [`RunError::Occupied`] if none of them is free.
    ///
    /// # Panics
    /// If `dirs` is empty.
    pub fn create_in_first_free(dirs: impl IntoIterator<Item = PathBuf>, trainer: Trainer) -> Result<Self, RunError> {
        let text = config_text(trainer.config())?;
        let claim = Claim::take_first(dirs, |dir| room::check(dir, &trainer))?;
        let run = Run::begin_in(claim.dir(), &text, BTreeMap::new())?;
        let logs = open_logs(&run, &trainer, &BTreeMap::new())?;
        Ok(Self::assemble(run, trainer, logs, claim.keep()))
    }

    /// Starts training in a run's directory, in an environment of [`requel_envs`].
    ///
    /// # Errors
    /// If the trainer cannot be created, the directory is in use or already has checkpoints, or the disk refuses.
    pub fn begin(run: Run) -> Result<Self, RunError> {
        let trainer = run.trainer(&Registry::built_in())?;
        Self::begin_with(run, trainer)
    }

    /// Starts training `trainer`, which may have environments of your own, in a run's directory.
    ///
    /// # Errors
    /// If the run's config names an environment other than the trainer's, the directory is in use or already has checkpoints, or the disk
    /// refuses.
    pub fn begin_with(run: Run, trainer: Trainer) -> Result<Self, RunError> {
        let lock = run.lock()?;
        // Starting again would clear the logs of a run that can be continued.
        if !checkpoint::list(&RealStorage, &run.checkpoints())?.is_empty() {
            return Err(RunError::Occupied { path: run.checkpoints() });
        }
        let (said, id) = (run.config()?.env.id, trainer.env_id());
        if said != id {
            return Err(RunError::OtherTrainer { path: run.dir().to_path_buf(), said, used: id.to_owned() });
        }
        run.check_environment(trainer.env_identity())?;
        room::check(run.dir(), &trainer)?;
        let logs = open_logs(&run, &trainer, &BTreeMap::new())?;
        Ok(Self::assemble(run, trainer, logs, lock))
    }

    /// Resumes a run in an environment of [`requel_envs`] from its newest intact checkpoint, or from the beginning if it has none.
    ///
    /// # Errors
    /// If the trainer cannot be created, the directory is in use, or the disk refuses.
    pub fn resume(run: Run) -> Result<(Self, Resumed), RunError> {
        let trainer = run.trainer(&Registry::built_in())?;
        Self::resume_with(run, trainer)
    }

    /// Like [`Session::resume`], with a fresh trainer: for a registry's environments, see [`Run::trainer`], or for your own.
    ///
    /// # Errors
    /// As [`Session::resume`].
    pub fn resume_with(run: Run, trainer: Trainer) -> Result<(Self, Resumed), RunError> {
        let lock = run.lock()?;
        Self::go_on(run, trainer, lock, Settings::Kept)
    }

    /// Like [`Session::resume`], with other settings from there on, such as a larger budget; also for a finished run. The change is
    /// recorded in the run as a [`Segment`]. Without a change it is simply resumed.
    ///
    /// # Errors
    /// As [`Session::resume`]; [`ConfigError::Fixed`](crate::config::ConfigError::Fixed) for a setting that cannot change during training,
    /// and [`RunError::StaysOver`] if training would not continue. Nothing is written then.
    pub fn extend(run: Run, config: &Config) -> Result<(Self, Resumed), RunError> {
        run.config()?.check_changes(config)?;
        let trainer = run.trainer_of(config.clone(), &Registry::built_in())?;
        Self::extend_with(run, trainer)
    }

    /// Like [`Session::extend`], with a fresh trainer for your own environments, created with the new settings.
    ///
    /// # Errors
    /// As [`Session::extend`].
    pub fn extend_with(run: Run, trainer: Trainer) -> Result<(Self, Resumed), RunError> {
        let lock = run.lock()?;
        let settings = match run.config()?.check_changes(trainer.config())?.is_empty() {
            true => Settings::Kept,
            false => Settings::Changed,
        };
        Self::go_on(run, trainer, lock, settings)
    }

    /// Like [`Session::resume`]; `None` if the run is finished, checked once no other process can work in it.
    pub(crate) fn resume_unfinished(run: Run, registry: &Registry) -> Result<Option<Self>, RunError> {
        let lock = run.lock()?;
        if run.is_finished() {
            return Ok(None);
        }
        let trainer = run.trainer(registry)?;
        Ok(Some(Self::go_on(run, trainer, lock, Settings::Kept)?.0))
    }

    fn go_on(run: Run, mut trainer: Trainer, lock: Lock, settings: Settings) -> Result<(Self, Resumed), RunError> {
        // Otherwise another environment than the run's would be trained in, without any message.
        checksums::check_config(run.dir())?;
        run.check_environment(trainer.env_identity())?;
        run.check_policy(trainer.env_identity())?;
        let root = run.checkpoints();
        let newest = checkpoint::newest_where(&RealStorage, &root, |manifest| check_logs(run.dir(), manifest))?;
        let mut logs = BTreeMap::new();
        let mut saved = None;
        let wanted = trainer.config().clone();
        let at = newest.checkpoint.as_ref().map_or((0, false), |checkpoint| {
            (checkpoint.manifest.env_steps, Trainer::state_owes_evaluation(&checkpoint.state))
        });
        let (segment, mut later) = segments::divide(run.segments()?, at.0, at.1);
        if settings == Settings::Changed
            && let Some(next) = later.front()
        {
            return Err(RunError::BeforeSegment {
                path: run.dir().to_path_buf(),
                env_steps: at.0,
                begins: next.from_env_steps,
            });
        }
        // Without a change everything is as before; with one, an evaluation that is due belongs to the previous segment.
        let several = !later.is_empty() || segment.number > 1;
        if (settings == Settings::Kept && several || settings == Settings::Changed && at.1) && segment.config != wanted
        {
            trainer.change_config(segment.config.clone())?;
        }
        match newest.checkpoint {
            Some(checkpoint) => {
                trainer.restore(&checkpoint.state)?;
                logs = checkpoint.manifest.logs;
                saved = Some(Saved { env_steps: checkpoint.manifest.env_steps, path: checkpoint.path });
            }
            // Starting from the beginning would discard what the user may still be able to repair.
            None if !newest.damaged.is_empty() => {
                return Err(RunError::NothingWhole { path: root, damaged: newest.damaged });
            }
            // Starting from the beginning would use random weights.
            None if run.origin()?.is_some() => return Err(RunError::NoBeginning { path: run.dir().to_path_buf() }),
            None => {}
        }
        let mut number = segment.number;
        let mut changed = None;
        if settings == Settings::Changed {
            trainer.go_on();
            check_goes_on(&trainer, &segment.config.changes(&wanted))?;
            room::check(run.dir(), &trainer)?;
            // With a change, the run is not finished any more.
            run.unfinish()?;
            let added = run.add_segment(at.0, &wanted)?;
            match at.1 {
                true => later.push_back(added.clone()),
                false => number = added.number,
            }
            changed = Some(added);
        }
        let begins_new_episodes = trainer.begins_new_episodes();
        let resumed = Resumed { env_steps: trainer.env_steps(), begins_new_episodes, damaged: newest.damaged, changed };
        room::check(run.dir(), &trainer)?;
        let logs = open_logs(&run, &trainer, &logs)?;
        let mut session = Self::assemble(run, trainer, logs, lock);
        session.saved = saved;
        (session.segment, session.later) = (number, later);
        // The file may be newer than the checkpoint.
        if let Some(best) = session.trainer.best() {
            write_best_policy(session.saving.storage(), &session.run, &session.trainer, &best.parameters)?;
        }
        Ok((session, resumed))
    }

    /// The same training, computed by up to `threads` threads; see [`Trainer::set_threads`].
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.trainer.set_threads(threads);
        self
    }

    fn assemble(run: Run, trainer: Trainer, logs: RunLogs, lock: Lock) -> Self {
        let start = (trainer.env_steps(), trainer.updates());
        let saving = Saving::new(Arc::new(RealStorage), run.checkpoints(), trainer.config().checkpoint.keep);
        Session {
            run,
            trainer,
            logs,
            start,
            saved: None,
            saving,
            saved_at: Instant::now(),
            pause: None,
            segment: 1,
            later: VecDeque::new(),
            _lock: lock,
        }
    }

    /// The same session, which also saves when this much time has passed since the last save. It is not part of the config, since it
    /// changes no result.
    pub fn saving_every(self, pause: Duration) -> Self {
        Session { pause: Some(pause), ..self }
    }

    /// The same session, with its checkpoints, its best policy and its results written through another storage, such as one with injected
    /// faults.
    pub fn with_storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.saving.set_storage(storage);
        self
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The trainer.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }
}

/// The logs of a new or resumed run, in a locked directory.
fn open_logs(run: &Run, trainer: &Trainer, known: &BTreeMap<String, LogEntry>) -> Result<RunLogs, RunError> {
    run.remove_staged()?;
    run.unfinish()?;
    run.note_environment(trainer.env_identity())?;
    let cannot = || RunError::io("open logs in", run.dir());
    let log = &trainer.config().log;
    let columns = column_names(trainer.env_spec()).chain(trainer.logged_columns().iter().cloned());
    let mut logs =
        RunLogs::open(run.dir(), known, trainer.env_steps(), columns).map_err(cannot())?.with_episodes(log.episodes);
    if log.monitor {
        logs = logs.with_monitor(run.dir(), known, trainer.env_id()).map_err(cannot())?;
    }
    Ok(logs)
}
