//! The training loop of a [`Session`]: steps, saves and changes of settings until it ends or is interrupted.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::{Ending, Session};
use crate::run::policy::write_best_policy;
use crate::run::provenance::{MachineRecord, Provenance};
use crate::run::saving::Saved;
use crate::run::segments::Segment;
use crate::run::{Control, RunError, Summary, Timing};
use crate::schedule::crossings;
use crate::train::{BestPolicy, GiveUp, Observer, ObserverError, Termination, TrainError, TrainEvent};

impl Session {
    /// Trains until training is over or `control` asks to stop; in both cases the complete state is then on disk.
    ///
    /// # Errors
    /// If an environment, an observer or the disk fails, or a number is not finite. Earlier checkpoints stay.
    pub fn train(mut self, observer: &mut dyn Observer, control: &Control) -> Result<Ending, RunError> {
        let started = Instant::now();
        let kernel = self.trainer.value_network().ok().map(|value| value.network.kernel());
        let machine = MachineRecord { device: self.device(), ..MachineRecord::here(kernel) };
        self.run.add_provenance(Provenance::now(self.trainer.env_steps(), self.segment, machine))?;
        self.saved_at = Instant::now();
        self.trainer.give_up_evaluations_when(patience(control));
        // Whether a checkpoint is due that could not be started yet.
        let mut is_due = false;
        let mut last_step = Instant::now();
        let termination = loop {
            self.wait_for_turn(last_step, observer, control)?;
            last_step = Instant::now();
            if control.stop_requested() {
                let checkpoint = self.save_once(observer)?;
                return Ok(Ending::Interrupted { env_steps: self.trainer.env_steps(), checkpoint });
            }
            self.change_segment()?;
            let every = self.trainer.config().checkpoint.every_steps;
            let before = self.trainer.env_steps();
            let termination = match self.advance(observer) {
                // It is written when training continues; the request to stop is handled in the next iteration.
                Err(RunError::Train(TrainError::Interrupted)) => None,
                result => result?,
            };
            if let Some(saved) = self.saving.poll()? {
                self.tell_saved(saved, observer)?;
            }
            if let Some(termination) = termination.filter(|_| !self.is_segment_due()) {
                break termination;
            }
            let becomes_due = self.becomes_due(every, before) || control.take_checkpoint_request();
            let patience = if becomes_due && !is_due { self.saving.patience() } else { Duration::ZERO };
            is_due |= becomes_due;
            if is_due && self.saving.is_idle_within(patience) {
                self.begin_save(observer)?;
                is_due = false;
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
            (Some(best), _) => self.trainer.policy_file(&best.parameters),
            (None, Ok(present)) => self.trainer.policy_file(present.parameters),
            (None, Err(_)) => None,
        };
        let logs = self.logs.sync().map_err(RunError::io("sync logs in", self.run.dir()))?;
        let summary = Summary { device: self.device(), ..Summary::from(&outcome) };
        self.run.finish(self.saving.storage(), best.as_ref(), &summary, logs)?;
        let timing = self.timing(started);
        Ok(Ending::Finished { summary, outcome: Box::new(outcome), timing })
    }

    /// The device that networks are computed on, unless that is the CPU.
    fn device(&self) -> Option<String> {
        self.trainer.agent().device().map(|used| used.device).filter(|device| device != "cpu")
    }

    /// Waits while training is held back, and saves meanwhile if requested.
    fn wait_for_turn(
        &mut self,
        last_step: Instant,
        observer: &mut dyn Observer,
        control: &Control,
    ) -> Result<(), RunError> {
        while !control.stop_requested() && !control.may_step(last_step) {
            if let Some(saved) = self.saving.poll()? {
                self.tell_saved(saved, observer)?;
            }
            if control.take_checkpoint_request() {
                self.save_while_held_back(observer)?;
            }
        }
        Ok(())
    }

    fn save_while_held_back(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        self.wait_for_save(observer)?;
        match self.saved.clone().filter(|saved| saved.env_steps == self.trainer.env_steps()) {
            // It already exists, and the caller is told so.
            Some(saved) => self.tell_saved(saved, observer),
            None => self.save_once(observer).map(drop),
        }
    }

    /// Whether a checkpoint is due after a step that started at `before` env steps, if one is due every `every` env steps.
    fn becomes_due(&self, every: u64, before: u64) -> bool {
        let by_steps = every > 0 && crossings(every, before, self.trainer.env_steps()) > 0;
        // When a checkpoint is written does not affect the result, so a clock may decide it.
        by_steps || self.pause.is_some_and(|pause| self.saved_at.elapsed() >= pause)
    }

    /// Whether the next segment starts before the next step.
    fn is_segment_due(&self) -> bool {
        let begins = self.later.front().is_some_and(|next| next.from_env_steps <= self.trainer.env_steps());
        begins && !self.trainer.owes_evaluation()
    }

    /// Applies the settings of the segments that start at this step.
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
            write_best_policy(self.saving.storage(), &self.run, &self.trainer, parameters)?;
        }
        Ok(termination)
    }

    /// The checkpoint of this moment, complete on disk; it is written if it does not exist: an intact checkpoint is never replaced by
    /// itself.
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

    /// Takes a snapshot of the current state; it is written while training continues.
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

/// How long a running evaluation may take after a request to stop. Finishing a short one is better than repeating it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a stop was requested, some time ago.
fn patience(control: &Control) -> GiveUp {
    let (control, heard_at) = (control.clone(), OnceLock::new());
    Arc::new(move || control.stop_requested() && heard_at.get_or_init(Instant::now).elapsed() >= PATIENCE)
}
