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

/// A training that goes on in a run's directory: it keeps the logs, the best policy and the checkpoints.
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
    /// The checkpoint that was read or written last.
    saved: Option<Saved>,
    saving: Saving,
    /// When the last save began, and how long after it comes the next one by the clock.
    saved_at: Instant,
    pause: Option<Duration>,
    /// The segment that is trained in, and those that begin at later steps: a checkpoint may be older than the last change.
    segment: usize,
    later: VecDeque<Segment>,
    _lock: Lock,
}

/// How a session came to its beginning.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Env steps that the checkpoint holds; 0 where there was none and training begins anew.
    pub env_steps: u64,
    /// Whether new episodes begin in the place of those that went on, because the environments cannot save their state: what comes
    /// of it is then not what a run that was never interrupted comes to.
    pub begins_new_episodes: bool,
    /// Newer checkpoints that were damaged, and so stepped over.
    pub damaged: Vec<CheckpointError>,
    /// The segment that begins there, where settings were changed.
    pub changed: Option<Segment>,
}

/// How a session ended.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made in a whole training")]
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
    /// A new training of `trainer` in a new run in `dir`, which is not there yet or empty. All that can be refused is refused
    /// before anything is written, and a start that fails leaves nothing.
    ///
    /// # Errors
    /// [`RunError::Occupied`] if something is in `dir` or another process begins a run there, [`RunError::NoRoom`], or if the
    /// disk refuses.
    pub fn create(dir: &Path, trainer: Trainer) -> Result<Self, RunError> {
        Self::create_in_first_free([dir.to_path_buf()], trainer)
    }

    /// As [`Session::create`], in the first of `dirs` that is free. Where several processes ask for the same, each gets one of
    /// its own.
    ///
    /// # Errors
    /// As [`Session::create`], [`RunError::Occupied`] if none of them is free.
    ///
    /// # Panics
    /// If `dirs` names none.
    pub fn create_in_first_free(dirs: impl IntoIterator<Item = PathBuf>, trainer: Trainer) -> Result<Self, RunError> {
        let text = config_text(trainer.config())?;
        let claim = Claim::take_first(dirs, |dir| room::check(dir, &trainer))?;
        let run = Run::begin_in(claim.dir(), &text, BTreeMap::new())?;
        let logs = open_logs(&run, &trainer, &BTreeMap::new())?;
        Ok(Self::assemble(run, trainer, logs, claim.keep()))
    }

    /// A new training in a run's directory, in an environment of [`requel_envs`].
    ///
    /// # Errors
    /// If the trainer cannot be made, the directory is in use or has checkpoints already, or the disk refuses.
    pub fn begin(run: Run) -> Result<Self, RunError> {
        let trainer = run.trainer(&Registry::built_in())?;
        Self::begin_with(run, trainer)
    }

    /// A new training of `trainer`, which may have environments of your own, in a run's directory.
    ///
    /// # Errors
    /// If the run's config names another environment than the trainer's, the directory is in use or has checkpoints already, or the disk refuses.
    pub fn begin_with(run: Run, trainer: Trainer) -> Result<Self, RunError> {
        let lock = run.lock()?;
        // Beginning anew would empty the logs of a training that can go on.
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

    /// The training of a run in an environment of [`requel_envs`] from its newest whole checkpoint, or anew where it has none.
    ///
    /// # Errors
    /// If the trainer cannot be made, the directory is in use, or the disk refuses.
    pub fn resume(run: Run) -> Result<(Self, Resumed), RunError> {
        let trainer = run.trainer(&Registry::built_in())?;
        Self::resume_with(run, trainer)
    }

    /// As [`Session::resume`], with a fresh trainer: of a registry's environments, see [`Run::trainer`], or of those of your own.
    ///
    /// # Errors
    /// As [`Session::resume`].
    pub fn resume_with(run: Run, trainer: Trainer) -> Result<(Self, Resumed), RunError> {
        let lock = run.lock()?;
        Self::go_on(run, trainer, lock, Settings::Kept)
    }

    /// As [`Session::resume`], with other settings from there on, such as a larger budget, also of a run that is finished. The
    /// change is recorded in the run as a [`Segment`]. With no change it is resumed as it is.
    ///
    /// # Errors
    /// As [`Session::resume`]; [`ConfigError::Fixed`](crate::config::ConfigError::Fixed) names a setting that cannot change on
    /// the way, and [`RunError::StaysOver`] says that training would not go on. Nothing is written then.
    pub fn extend(run: Run, config: &Config) -> Result<(Self, Resumed), RunError> {
        run.config()?.check_changes(config)?;
        let trainer = run.trainer_of(config.clone(), &Registry::built_in())?;
        Self::extend_with(run, trainer)
    }

    /// As [`Session::extend`], with a fresh trainer of your own environments that was made with the new settings.
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

    /// As [`Session::resume`]; `None` where the run is finished, looked at once nobody else can work in it.
    pub(crate) fn resume_unfinished(run: Run, registry: &Registry) -> Result<Option<Self>, RunError> {
        let lock = run.lock()?;
        if run.is_finished() {
            return Ok(None);
        }
        let trainer = run.trainer(registry)?;
        Ok(Some(Self::go_on(run, trainer, lock, Settings::Kept)?.0))
    }

    fn go_on(run: Run, mut trainer: Trainer, lock: Lock, settings: Settings) -> Result<(Self, Resumed), RunError> {
        // Not what the directory began as would be trained on, and nothing else would say so.
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
        // Of one config nothing can be other than it was; with a change, what is owed is owed to the segment before it.
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
            // To begin anew would throw away what a person may still be able to mend.
            None if !newest.damaged.is_empty() => {
                return Err(RunError::NothingWhole { path: root, damaged: newest.damaged });
            }
            // Anew would be from drawn weights.
            None if run.origin()?.is_some() => return Err(RunError::NoBeginning { path: run.dir().to_path_buf() }),
            None => {}
        }
        let mut number = segment.number;
        let mut changed = None;
        if settings == Settings::Changed {
            trainer.go_on();
            check_goes_on(&trainer, &segment.config.changes(&wanted))?;
            room::check(run.dir(), &trainer)?;
            // With a change it is no longer what it was finished as.
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
        // The file may be of a moment that the checkpoint does not know.
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

    /// The same session, which saves also when so much time has passed since the last save. It is no part of the config,
    /// since it changes no result.
    pub fn saving_every(self, pause: Duration) -> Self {
        Session { pause: Some(pause), ..self }
    }

    /// The same session with its checkpoints, its best policy and its end written through another storage, such as one with faults
    /// put in.
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

/// The logs of a run that is trained, or trained on, in a directory that is locked.
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
