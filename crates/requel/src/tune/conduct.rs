//! [`Search::conduct`], a search from its beginning, or from wherever it was interrupted, to its end.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use rayon::ScopeFifo;
use requel_envs::EnvSpec;

use super::halving::{Halving, Step};
use super::journal::{self, Ended as Decided, Finding, Journal};
use super::trial::{Reached, TrialRun, run_dir};
use super::{Rung, Scored, Search, SearchBudget, Settings, Trial, TuneError, Tuned};
use crate::config::Config;
use crate::run::{Control, Lock, RunError, Session};
use crate::study::Crew;
use crate::train::Observer;

/// Who watches a search. Called from the threads that train; it can change no result.
pub trait TuneAudience: Sync {
    /// A run of a trial begins, or goes on from where it was paused.
    fn begins(&self, trial: usize, session: &Session) -> Box<dyn Observer + '_>;

    /// A trial came to its next rung, or failed on the way; said in the order in which the search takes note of it.
    fn reached(&self, trial: &Trial, news: News);
}

/// When something was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// By another process, before.
    Known,
    /// Now.
    New,
}

/// Nobody watches.
impl TuneAudience for () {
    fn begins(&self, _: usize, _: &Session) -> Box<dyn Observer + '_> {
        Box::new(())
    }

    fn reached(&self, _: &Trial, _: News) {}
}

impl Search {
    /// Searches, in a directory that is new, empty, or holds what there is of this search. `None`: it was asked to stop, and goes on from
    /// there when it is called again.
    ///
    /// The order in which the search takes note of what its trials come to is not that in which they happen to end, but that in which
    /// they would if every env step took as long: what it decides is a function of itself alone. Killed at any moment and conducted
    /// again it ends with the same trials, and trains nothing twice that was on the disk.
    ///
    /// # Errors
    /// If the search is of no use, the directory holds something else, no trial comes to the end, or the disk fails.
    pub fn conduct(&self, dir: &Path, crew: Crew<'_>, audience: &dyn TuneAudience) -> Result<Option<Tuned>, TuneError> {
        self.check()?;
        let env = crew.registry.env_factory(&self.space.start().env)()?;
        self.space.config(&Settings::new(), env.spec())?;
        let trainer = crew.registry.trainer(self.space.start().clone()).map_err(RunError::from)?;
        let environment = trainer.env_identity().clone();
        drop(trainer);
        // Drawn as the second trial will be: if nothing can be trained, nothing is written.
        self.sampler.draw(&self.space, (self.seed, 1), &[], env.spec())?;
        std::fs::create_dir_all(dir).map_err(RunError::io("create", dir))?;
        let (_lock, journal) = match Lock::try_take(dir) {
            // What is over can be looked at where nothing can be written.
            Err(error) if is_refused(&error) && self.is_kept(dir, &environment)? => {
                (None, Journal::read(journal::path(dir), &self.fingerprint())?)
            }
            Err(error) => return Err(RunError::io("lock", dir)(error).into()),
            Ok(None) => return Err(TuneError::InUse { path: dir.to_path_buf() }),
            Ok(lock) => {
                self.keep(dir, &environment)?;
                (lock, Journal::open(journal::path(dir), &self.fingerprint())?)
            }
        };
        let levels = self.rungs.levels();
        let halving = Halving::new(&levels, self.rungs.reduction as usize);
        let mut course = Course {
            search: self,
            dir,
            env: env.spec(),
            levels,
            halving,
            journal,
            trials: Vec::new(),
            given_out: 0,
            done: 0,
            steps_of_race: 0,
            race_began: None,
        };
        let most = self.jobs.saturating_mul(self.rungs.seeds as usize);
        let pool = crew.start_threads(most, dir)?;
        // Whatever ends the search early ends its runs.
        let outer = crew.control.clone();
        let control = Control::new().asking(move || outer.stop_requested());
        let crew = Crew { control: &control, ..crew };
        let ended = pool.in_place_scope_fifo(|scope| {
            let (sender, receiver) = channel();
            let ended = course.go(&Workers { scope, sender, crew, audience }, &receiver);
            if ended.is_err() {
                control.request_stop();
            }
            ended
        })?;
        match ended {
            Ended::Stopped => Ok(None),
            Ended::Whole => {
                if !course.journal.is_read_only() {
                    self.write(dir, &environment)?;
                }
                Tuned::of(course.trials, course.given_out).map(Some)
            }
        }
    }
}

/// Whether nothing can be written, by the rights of whoever asks or by the file system.
fn is_refused(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// A search on its way.
struct Course<'a> {
    search: &'a Search,
    dir: &'a Path,
    env: &'a EnvSpec,
    levels: Vec<Rung>,
    halving: Halving,
    journal: Journal,
    trials: Vec<Trial>,
    /// Env steps of training of all that has begun.
    given_out: u64,
    /// Those of what has been taken note of.
    done: u64,
    /// How often a trial that was whole was given more seeds.
    steps_of_race: usize,
    /// Minutes that had gone, and env steps that were done, when this process first gave one more seeds.
    race_began: Option<(f64, u64)>,
}

/// Those who train.
struct Workers<'scope, 'a> {
    scope: &'a ScopeFifo<'scope>,
    sender: Sender<(Step, usize, Result<Reached, TuneError>)>,
    crew: Crew<'scope>,
    audience: &'scope dyn TuneAudience,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    Stopped,
}

/// A trial on its way to a rung.
struct Job {
    step: Step,
    /// When it would end if every env step took as long.
    ends_at: u64,
    news: News,
    /// What each of its runs came to.
    reached: Vec<Option<Reached>>,
}

impl Course<'_> {
    fn go<'scope>(
        &mut self,
        workers: &Workers<'scope, '_>,
        results: &Receiver<(Step, usize, Result<Reached, TuneError>)>,
    ) -> Result<Ended, TuneError>
    where
        Self: 'scope,
    {
        let mut now = 0;
        let mut jobs: Vec<Job> = Vec::new();
        loop {
            while jobs.len() < self.search.jobs
                && let Some(step) = self.next()?
            {
                jobs.push(self.begin(step, now, workers)?);
            }
            let first = (0..jobs.len()).min_by_key(|at| (jobs[*at].ends_at, jobs[*at].step.trial));
            let Some(first) = first else { return Ok(Ended::Whole) };
            while jobs[first].reached.iter().any(Option::is_none) {
                // The senders outlive this loop.
                let (step, run, result) = results.recv().expect("a thread that trains has died");
                let reached = result?;
                if matches!(reached, Reached::Stopped) {
                    return Ok(Ended::Stopped);
                }
                let job = jobs.iter_mut().find(|job| job.step == step).expect("it is on its way");
                job.reached[run] = Some(reached);
                if job.reached.iter().all(Option::is_some) {
                    let finding = job.finding(&self.trials[step.trial].settings);
                    self.journal.write(finding)?;
                }
            }
            let job = jobs.swap_remove(first);
            now = job.ends_at;
            self.take_note(&job, workers.audience);
        }
    }

    /// What is to be done next.
    fn next(&mut self) -> Result<Option<Step>, TuneError> {
        if self.is_over()? {
            self.halving.close();
        }
        let Some(step) = self.halving.next() else { return Ok(None) };
        if self.halving.is_of_race(step) {
            if !self.has_room_for(step)? {
                self.halving.end_race();
                return Ok(None);
            }
            self.steps_of_race += 1;
        }
        Ok(Some(step))
    }

    /// Whether no more trials begin. A trial of which the journal knows has begun.
    fn is_over(&mut self) -> Result<bool, TuneError> {
        let (begun, known) = (self.halving.begun(), self.journal.trials());
        let is_over = match self.search.budget {
            SearchBudget::Trials(trials) => begun as u64 >= trials,
            // What was given out to those on their way counts in both.
            SearchBudget::EnvSteps(env_steps) => {
                self.given_out >= env_steps / 2 && self.done + self.halving.left() >= env_steps
            }
            SearchBudget::Minutes(minutes) => match self.journal.closed(minutes) {
                Some(trials) => begun >= trials,
                None if begun >= known.max(1) && self.is_time_over(minutes) => {
                    self.journal.close(Decided { after: begun, minutes })?;
                    true
                }
                None => false,
            },
        };
        let is_known = matches!(self.search.budget, SearchBudget::Trials(_) | SearchBudget::EnvSteps(_));
        match is_over && is_known && begun < known {
            true => Err(TuneError::FewerTrials { path: self.dir.to_path_buf(), there: known, asked: begun }),
            false => Ok(is_over),
        }
    }

    /// Whether the budget has room for more seeds of a trial that was trained to its end.
    fn has_room_for(&mut self, step: Step) -> Result<bool, TuneError> {
        let cost = self.cost(step.rung);
        match self.search.budget {
            SearchBudget::Trials(_) => Ok(true),
            SearchBudget::EnvSteps(env_steps) => Ok(self.given_out + cost <= env_steps),
            SearchBudget::Minutes(minutes) => match self.journal.race_ended(minutes) {
                Some(steps) => Ok(self.steps_of_race < steps),
                None if self.journal.found(step, &self.trials[step.trial].settings).is_some() => Ok(true),
                None => {
                    let has_room = self.minutes_at_its_end(cost) <= minutes;
                    if !has_room {
                        self.journal.end_race(Decided { after: self.steps_of_race, minutes })?;
                    }
                    Ok(has_room)
                }
            },
        }
    }

    /// How many minutes will have gone when what is on its way and so much more is trained: at the pace so far or, where it is slower,
    /// that of the race, whose trials may cost more than most.
    fn minutes_at_its_end(&mut self, cost: u64) -> f64 {
        let gone = self.minutes_gone();
        let (began, done) = *self.race_began.get_or_insert((gone, self.done));
        let of_all = gone / self.done.max(1) as f64;
        let of_race = (gone - began) / (self.done - done).max(1) as f64;
        let pace = if self.done > done { of_all.max(of_race) } else { of_all };
        gone + pace * (self.given_out + cost - self.done) as f64
    }

    /// Whether those that lead need the rest of the time, at the pace so far. Half of it is for trials in any case: a pace says little
    /// at the beginning, and what leads among a few is not worth the rest.
    fn is_time_over(&self, minutes: f64) -> bool {
        let gone = self.minutes_gone();
        let left = self.halving.left() as f64 / self.done.max(1) as f64;
        gone >= minutes || gone >= minutes / 2.0 && gone * (1.0 + left) >= minutes
    }

    fn minutes_gone(&self) -> f64 {
        self.journal.elapsed().as_secs_f64() / 60.0
    }

    /// What it takes to bring a trial to a rung from the one before, env steps.
    fn cost(&self, rung: usize) -> u64 {
        let whole = |rung: usize| self.levels[rung].seeds * self.levels[rung].env_steps;
        whole(rung) - rung.checked_sub(1).map_or(0, whole)
    }

    /// Begins with a step: with its settings, if it is the first of a trial, and with its runs, unless it is known what they come to.
    fn begin<'scope>(&mut self, step: Step, now: u64, workers: &Workers<'scope, '_>) -> Result<Job, TuneError> {
        if step.rung == 0 {
            let (settings, config) = self.draw(step.trial)?;
            self.trials.push(Trial { number: step.trial, settings, rungs: Vec::new(), failure: None, config });
        }
        let trial = &self.trials[step.trial];
        let rung = self.levels[step.rung];
        let cost = self.cost(step.rung);
        self.given_out += cost;
        let seeds = self.search.seeds(step.trial, rung.seeds);
        let found = self.journal.found(step, &trial.settings);
        let news = if found.is_some() { News::Known } else { News::New };
        let job = |reached| Job { step, ends_at: now + cost, news, reached };
        if let Some(finding) = found {
            let known = |at: usize| match &finding.scores {
                Some(scores) => scores.get(at).map(|score| Reached::Rung(*score)),
                None => Some(Reached::Failure(finding.failure.clone().unwrap_or_default())),
            };
            let reached: Vec<Option<Reached>> = (0..seeds.len()).map(known).collect();
            if reached.iter().all(Option::is_some) {
                return Ok(job(reached));
            }
        }
        if self.journal.is_read_only() {
            return Err(TuneError::ReadOnly { path: self.dir.to_path_buf() });
        }
        for (at, seed) in seeds.iter().enumerate() {
            let mut config = trial.config.clone();
            config.train.seed = *seed;
            let dir = run_dir(self.dir, step.trial, *seed);
            let is_last = rung.env_steps == self.search.rungs.env_steps;
            workers.train(step, at, (dir, config), (rung, is_last));
        }
        Ok(job(seeds.iter().map(|_| None).collect()))
    }

    fn draw(&self, trial: usize) -> Result<(Settings, Config), TuneError> {
        let space = &self.search.space;
        if trial == 0 {
            return Ok((space.of_start(), space.start().clone()));
        }
        let whole = self.search.rungs.env_steps;
        let score = |trial: &Trial| {
            let last = trial.last().filter(|last| last.env_steps == whole && trial.failure.is_none())?;
            Some(last.score)
        };
        let is_known = |trial: &&Trial| trial.last().is_some() || trial.failure.is_some();
        let known: Vec<(&Settings, Option<f64>)> =
            self.trials.iter().filter(is_known).map(|trial| (&trial.settings, score(trial))).collect();
        self.search.sampler.draw(space, (self.search.seed, trial), &known, self.env)
    }

    fn take_note(&mut self, job: &Job, audience: &dyn TuneAudience) {
        let Step { trial, rung } = job.step;
        self.done += self.cost(rung);
        let Finding { scores, failure, .. } = job.finding(&self.trials[trial].settings);
        let level = self.levels[rung];
        let scored = scores.map(|scores| Scored::new(level.env_steps, self.search.seeds(trial, level.seeds), scores));
        self.halving.report(job.step, scored.as_ref().map_or(f64::NEG_INFINITY, |scored| scored.score));
        let trial = &mut self.trials[trial];
        trial.rungs.extend(scored);
        trial.failure = failure;
        audience.reached(trial, job.news);
    }
}

impl<'scope> Workers<'scope, '_> {
    fn train(&self, step: Step, at: usize, (dir, config): (PathBuf, Config), (rung, is_last): (Rung, bool)) {
        let (sender, audience) = (self.sender.clone(), self.audience);
        let Crew { registry, control, .. } = self.crew;
        self.scope.spawn_fifo(move |_| {
            let result = if control.stop_requested() {
                Ok(Reached::Stopped)
            } else {
                let run = TrialRun { dir, config, rung, is_last, registry };
                run.train(|session| audience.begins(step.trial, session), control)
            };
            // Nobody listens any more where the search has ended early.
            let _ = sender.send((step, at, result));
        });
    }
}

impl Job {
    fn finding(&self, settings: &Settings) -> Finding {
        let mut scores = Vec::new();
        let mut failure = None;
        for reached in self.reached.iter().flatten() {
            match reached {
                Reached::Rung(score) => scores.push(*score),
                Reached::Failure(reason) => failure = failure.or_else(|| Some(reason.clone())),
                Reached::Stopped => {}
            }
        }
        let scores = failure.is_none().then_some(scores);
        Finding { trial: self.step.trial, rung: self.step.rung, settings: settings.clone(), scores, failure }
    }
}
