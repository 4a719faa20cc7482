//! [`Session`]: training inside a run's directory, from the beginning or from a checkpoint.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::claim::Claim;
use super::directory::config_text;
use super::extension::{Settings, check_goes_on};
use super::lock::Lock;
use super::policy::{policy_file, write_best_policy};
use super::provenance::Provenance;
use super::saving::{Saved, Saving};
use super::segments::{self, Segment};
use super::{Control, Run, RunError, Summary, Timing, checksums, room};
use crate::checkpoint::{self, CheckpointError, LogEntry};
use crate::config::Config;
use crate::log::{RunLogs, check_logs};
use crate::registry::Registry;
use crate::schedule::crossings;
use crate::storage::{RealStorage, Storage};
use crate::train::{
    BestPolicy, GiveUp, Observer, ObserverError, Outcome, Termination, TrainError, TrainEvent, Trainer,
};

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
        let root = run.checkpoints();
        let newest = checkpoint::newest_where(&RealStorage, &root, |manifest| check_logs(run.dir(), manifest))?;
        let mut logs = BTreeMap::new();
        let (mut saved, mut state) = (None, None);
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
                state = Some(checkpoint.state);
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
        if let Some(state) = state {
            session.saving.adopt(state, &session.trainer.save_large());
        }
        // The file may be of a moment that the checkpoint does not know.
        if let Some(best) = session.trainer.best() {
            write_best_policy(&session.run, &session.trainer, &best.parameters)?;
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

    /// The same session with its checkpoints written through another storage, such as one with faults put in.
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

    /// Trains until training is over or `control` asks to stop; either way the complete state is on disk then.
    ///
    /// # Errors
    /// If an environment, an observer or the disk fails, or a number is not finite. Checkpoints written before stay.
    pub fn train(mut self, observer: &mut dyn Observer, control: &Control) -> Result<Ending, RunError> {
        let started = Instant::now();
        self.run.add_provenance(Provenance::now(self.trainer.env_steps(), self.segment))?;
        self.saved_at = Instant::now();
        self.trainer.give_up_evaluations_when(patience(control));
        // A checkpoint that is due and could not be begun, and how often what is large was followed since.
        let (mut turns, mut put_off) = (0u64, None::<u32>);
        let termination = loop {
            if control.stop_requested() {
                let checkpoint = self.save_once(observer)?;
                return Ok(Ending::Interrupted { env_steps: self.trainer.env_steps(), checkpoint });
            }
            self.change_segment()?;
            let every = self.trainer.config().checkpoint.every_steps;
            let before = self.trainer.env_steps();
            let termination = match self.advance(observer) {
                // It is made when training goes on; the stop is heard at the next turn.
                Err(RunError::Train(TrainError::Interrupted)) => None,
                result => result?,
            };
            if let Some(saved) = self.saving.poll()? {
                self.tell_saved(saved, observer)?;
            }
            if let Some(termination) = termination.filter(|_| !self.is_segment_due()) {
                break termination;
            }
            turns += 1;
            if turns.is_multiple_of(FOLLOW_EVERY) && (every > 0 || self.pause.is_some()) {
                self.saving.follow(&self.trainer.save_large());
            }
            let due = every > 0 && crossings(every, before, self.trainer.env_steps()) > 0;
            // When a checkpoint is written is no part of the result, so that a clock may say it.
            let due = due || self.pause.is_some_and(|pause| self.saved_at.elapsed() >= pause);
            let mut patience = Duration::ZERO;
            if due || control.take_checkpoint_request() {
                let is_large = Saving::is_worth_following(&self.trainer.save_large());
                (put_off, patience) = (put_off.or(Some(0)), if is_large { WAIT_FOR_A_SAVE } else { Duration::MAX });
            }
            if let Some(turns) = put_off.filter(|_| self.saving.is_idle_within(patience)) {
                self.wait_for_save(observer)?;
                if turns > MOST_TURNS_PUT_OFF || self.saving.catch_up(&self.trainer.save_large()) {
                    put_off = None;
                    self.begin_save(observer)?;
                } else {
                    put_off = Some(turns + 1);
                }
            }
        };
        let checkpoint = self.save_once(observer)?;
        let outcome = match self.trainer.finish(termination, &mut (&mut self.logs, observer)) {
            Err(TrainError::Interrupted) => {
                return Ok(Ending::Interrupted { env_steps: self.trainer.env_steps(), checkpoint });
            }
            result => result?,
        };
        let best = match (self.trainer.best(), self.trainer.value_network()) {
            (Some(best), _) => policy_file(&self.trainer, &best.parameters),
            (None, Ok(present)) => policy_file(&self.trainer, present.parameters),
            (None, Err(_)) => None,
        };
        let logs = self.logs.sync().map_err(RunError::io("sync logs in", self.run.dir()))?;
        let summary = Summary::from(&outcome);
        self.run.finish(best.as_ref(), &summary, logs)?;
        let timing = self.timing(started);
        Ok(Ending::Finished { summary, outcome: Box::new(outcome), timing })
    }

    /// Whether the next segment begins before the next step.
    fn is_segment_due(&self) -> bool {
        let begins = self.later.front().is_some_and(|next| next.from_env_steps <= self.trainer.env_steps());
        begins && !self.trainer.owes_evaluation()
    }

    /// Goes on with the settings of the segments that begin at this step.
    fn change_segment(&mut self) -> Result<(), RunError> {
        while self.is_segment_due() {
            let Segment { number, config, .. } = self.later.pop_front().expect("it is due");
            self.saving.set_keep(config.checkpoint.keep);
            self.logs.set_episodes(config.log.episodes);
            let changed = match config.log.monitor {
                true => self.logs.begin_monitor(self.run.dir(), self.trainer.env_id()),
                false => self.logs.end_monitor(),
            };
            changed.map_err(RunError::io("open logs in", self.run.dir()))?;
            self.trainer.change_config(config)?;
            self.segment = number;
        }
        Ok(())
    }

    fn advance(&mut self, observer: &mut dyn Observer) -> Result<Option<Termination>, RunError> {
        let best_before = self.trainer.best().map(|best| best.env_steps);
        let termination = self.trainer.advance(&mut (&mut self.logs, observer))?;
        if let Some(best) = self.trainer.best().filter(|best| Some(best.env_steps) != best_before) {
            let BestPolicy { parameters, .. } = best;
            write_best_policy(&self.run, &self.trainer, parameters)?;
        }
        Ok(termination)
    }

    /// The checkpoint of this moment, whole on the disk; it is written if it is not there: never is a whole one put in the
    /// place of itself.
    fn save_once(&mut self, observer: &mut dyn Observer) -> Result<PathBuf, RunError> {
        self.wait_for_save(observer)?;
        let env_steps = self.trainer.env_steps();
        if self.saved.as_ref().is_none_or(|saved| saved.env_steps != env_steps) {
            self.begin_save(observer)?;
            self.wait_for_save(observer)?;
        }
        let saved = self.saved.as_ref().filter(|saved| saved.env_steps == env_steps);
        Ok(saved.expect("just written").path.clone())
    }

    /// Takes down the state of this moment; it is written while training goes on.
    fn begin_save(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        self.wait_for_save(observer)?;
        self.saved_at = Instant::now();
        let logs = self.logs.mark().map_err(RunError::io("write logs in", self.run.dir()))?;
        Ok(self.saving.begin(self.trainer.env_steps(), &self.trainer.save()?, logs)?)
    }

    fn wait_for_save(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        match self.saving.wait()? {
            Some(saved) => self.tell_saved(saved, observer),
            None => Ok(()),
        }
    }

    fn tell_saved(&mut self, saved: Saved, observer: &mut dyn Observer) -> Result<(), RunError> {
        let Saved { env_steps, path } = self.saved.insert(saved);
        let event = TrainEvent::CheckpointSaved { env_steps: *env_steps, path };
        let told: Result<(), ObserverError> = observer.on_event(&event);
        Ok(told.map_err(TrainError::Observer)?)
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

/// Every how many steps of the environments the copy for the next checkpoint is brought nearer to what is to be saved.
const FOLLOW_EVERY: u64 = 256;

/// How long training waits for a checkpoint with a large buffer that is being written when the next is due. Then that is put
/// off until the one before is whole: a slow disk makes checkpoints late, and not training slow. What is small is soon written,
/// and each checkpoint then of the step that it is due at.
const WAIT_FOR_A_SAVE: Duration = Duration::from_millis(10);

/// For so many turns at most a checkpoint is put off until its copy was followed closely: where transitions come faster than
/// they are copied it must be begun all the same.
const MOST_TURNS_PUT_OFF: u32 = 4096;

/// How long an evaluation that is going on may take once a stop was asked for. What is short is better made than made again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a stop was asked for, and that some time ago.
fn patience(control: &Control) -> GiveUp {
    let (control, heard_at) = (control.clone(), OnceLock::new());
    Arc::new(move || control.stop_requested() && heard_at.get_or_init(Instant::now).elapsed() >= PATIENCE)
}

/// The logs of a run that is trained, or trained on, in a directory that is locked.
fn open_logs(run: &Run, trainer: &Trainer, known: &BTreeMap<String, LogEntry>) -> Result<RunLogs, RunError> {
    run.remove_staged()?;
    run.unfinish()?;
    run.note_environment(trainer.env_identity())?;
    let cannot = || RunError::io("open logs in", run.dir());
    let log = &trainer.config().log;
    let mut logs = RunLogs::open(run.dir(), known, trainer.env_steps(), trainer.env_spec())
        .map_err(cannot())?
        .with_episodes(log.episodes);
    if log.monitor {
        logs = logs.with_monitor(run.dir(), known, trainer.env_id()).map_err(cannot())?;
    }
    Ok(logs)
}
