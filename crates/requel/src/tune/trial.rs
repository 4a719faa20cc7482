//! [`Trial`], settings that were tried, and the training of one of its runs up to a rung.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Rung, Settings, TuneError};
use crate::config::Config;
use crate::registry::Registry;
use crate::run::{Control, Ending, Run, RunError, Session};
use crate::stats::mean;
use crate::study::{Evaluated, PlannedRun, RunRecord, StudyError};
use crate::train::{Observer, ObserverError, TrainError, TrainEvent};

/// Settings that were tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Its number, from 0. The first has the settings that the search began from.
    pub number: usize,
    /// The values of the keys that are searched.
    pub settings: Settings,
    /// What it came to at each rung.
    pub rungs: Vec<Scored>,
    /// Why it did not go on, where its training failed.
    pub failure: Option<String>,
    /// Its whole config.
    #[serde(skip)]
    pub config: Config,
}

/// What a trial came to at a rung.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// Env steps of each of its runs.
    pub env_steps: u64,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// What each came to: its mean return over the last evaluations, a quarter of all there are and [`LATEST`] at least; of a whole
    /// training, that of its final policy over fresh episodes where this is lower.
    pub scores: Vec<f64>,
    /// The mean of them.
    pub mean_return: f64,
    /// What the trial is ranked by: the mean of `mean_return` and of the mean over the worst third of the seeds.
    pub score: f64,
}

/// The tail of a trial's score is the worst of so many parts of its seeds.
const PARTS: usize = 3;

impl Scored {
    /// What runs with these seeds came to after so many env steps each; of no seeds minus infinity.
    ///
    /// Half of the score is the mean over all seeds, half that over the worst third: the conditional value at risk, which measures how
    /// reliable an algorithm is across runs (Chan et al. 2020, "Measuring the Reliability of Reinforcement Learning Algorithms"). What
    /// fails with one seed in ten loses to what holds with all of them; and where nothing holds with all of them, the mean still
    /// tells settings apart.
    pub fn new(env_steps: u64, seeds: Vec<u64>, scores: Vec<f64>) -> Self {
        let mut worst = scores.clone();
        worst.sort_by(f64::total_cmp);
        worst.truncate(scores.len().div_ceil(PARTS));
        let of = |scores: &[f64]| mean(scores).unwrap_or(f64::NEG_INFINITY);
        let (mean_return, tail) = (of(&scores), of(&worst));
        Scored { env_steps, seeds, scores, mean_return, score: (mean_return + tail) / 2.0 }
    }
}

impl Trial {
    /// What it came to at the highest rung that it reached.
    pub fn last(&self) -> Option<&Scored> {
        self.rungs.last()
    }
}

/// So many evaluations are a score at least: a policy's score swings from one to the next.
pub const LATEST: usize = 3;
/// One of so many evaluations is part of a score: what holds at the end has held for a while.
const SHARE: usize = 4;

/// A run of a trial that is to come to a rung.
pub(super) struct TrialRun<'a> {
    /// Its directory.
    pub dir: PathBuf,
    /// Its config, with its seed.
    pub config: Config,
    /// The rung.
    pub rung: Rung,
    /// Whether that is the end of the run.
    pub is_last: bool,
    /// Has its environment.
    pub registry: &'a Registry,
}

/// How far a run came.
#[derive(Debug)]
pub(super) enum Reached {
    /// To the rung, with this score.
    Rung(f64),
    /// Its training failed on account of its settings.
    Failure(String),
    /// It was stopped on the way.
    Stopped,
}

impl TrialRun<'_> {
    /// Trains the run up to the rung, on from where it stands, and pauses it there.
    ///
    /// The run is one of its whole budget, so that one that was paused and went on is, byte for byte, one that never was. What is scored
    /// is read from its logs: it is the same however often it was killed.
    ///
    /// # Errors
    /// If the disk or the environment fails, or another run lies where this one is to be; not what comes of bad settings.
    pub fn train<'a>(
        &self,
        watched: impl FnOnce(&Session) -> Box<dyn Observer + 'a>,
        control: &Control,
    ) -> Result<Reached, TuneError> {
        let run = self.run()?;
        if let Some(score) = self.score(&run)? {
            return Ok(Reached::Rung(score));
        }
        let outer = control.clone();
        let own = Control::new().asking(move || outer.stop_requested());
        let session = match Session::resume_unfinished(run.clone(), self.registry) {
            Ok(Some(session)) => session,
            Ok(None) => return Ok(self.reached(&run)?),
            Err(error) => return failure(error),
        };
        let mut observer = watched(&session);
        let mut pausing = Pausing { observer: &mut *observer, control: own.clone(), at: self.pauses_at() };
        match session.train(&mut pausing, &own) {
            Ok(Ending::Finished { .. } | Ending::Interrupted { .. }) => Ok(self.reached(&run)?),
            Err(error) => failure(error),
        }
    }

    fn reached(&self, run: &Run) -> Result<Reached, RunError> {
        Ok(self.score(run)?.map_or(Reached::Stopped, Reached::Rung))
    }

    /// The run, made if it is not there.
    fn run(&self) -> Result<Run, TuneError> {
        let planned = PlannedRun { dir: self.dir.clone(), variant: 0, config: self.config.clone() };
        match planned.open_or_create() {
            Ok((run, _)) => Ok(run),
            Err(StudyError::OtherRun { path, differences }) => Err(TuneError::OtherRun { path, differences }),
            Err(StudyError::Run(error)) => Err(error.into()),
            Err(_) => Err(RunError::Occupied { path: self.dir.clone() }.into()),
        }
    }

    /// What it is scored by, if it has come so far.
    fn score(&self, run: &Run) -> Result<Option<f64>, RunError> {
        if self.is_last {
            let Some(summary) = run.summary()? else { return Ok(None) };
            let last = summary.final_evaluation.mean_return;
            let held = latest(&RunRecord::read(run)?.evaluations, u64::MAX);
            // What is wanted is a final policy that is good, of settings that hold what they have reached.
            return Ok(Some(held.map_or(last, |held| held.min(last))));
        }
        // One that ended early has no more to show than it has.
        let has_ended = run.is_finished();
        let evaluations = RunRecord::read(run)?.evaluations;
        let is_there = has_ended || evaluations.last().is_some_and(|last| last.env_steps >= self.rung.env_steps);
        Ok(latest(&evaluations, self.rung.env_steps).filter(|_| is_there))
    }

    fn pauses_at(&self) -> u64 {
        if self.is_last { u64::MAX } else { self.rung.env_steps }
    }
}

/// The mean of the last evaluations, up to the first at or after so many env steps.
fn latest(evaluations: &[Evaluated], env_steps: u64) -> Option<f64> {
    let end = evaluations.iter().position(|point| point.env_steps >= env_steps).map_or(evaluations.len(), |at| at + 1);
    let count = end.div_ceil(SHARE).max(LATEST);
    let returns: Vec<f64> = evaluations[end.saturating_sub(count)..end].iter().map(|point| point.mean_return).collect();
    mean(&returns)
}

/// Tells what comes of the settings from what does not: that a network has no room in the memory says something of the machine.
fn failure(error: RunError) -> Result<Reached, TuneError> {
    match error {
        RunError::Train(error @ TrainError::NotFinite { .. }) => Ok(Reached::Failure(error.to_string())),
        error => Err(error.into()),
    }
}

/// Asks for a stop at the evaluation that ends a rung.
struct Pausing<'a> {
    observer: &'a mut dyn Observer,
    control: Control,
    at: u64,
}

impl Observer for Pausing<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if let TrainEvent::Evaluated { env_steps, .. } = event
            && *env_steps >= self.at
        {
            self.control.request_stop();
        }
        self.observer.on_event(event)
    }

    fn wants_steps(&self) -> bool {
        self.observer.wants_steps()
    }
}

/// Where a trial's run lies.
pub(super) fn run_dir(search: &Path, trial: usize, seed: u64) -> PathBuf {
    search.join("trials").join(format!("{trial:04}")).join(format!("seed-{seed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_score_is_the_mean_and_half_the_worst_third() {
        let score = |scores: &[f64]| Scored::new(1, Vec::new(), scores.to_vec()).score;
        assert_eq!(score(&[7.0]), 7.0);
        assert_eq!(score(&[9.0, 3.0]), 4.5, "of 6 and 3");
        assert_eq!(score(&[6.0, 1.0, 3.0, 8.0]), 3.25, "of 4.5 and 2: one and a third are two");
        assert_eq!(score(&[]), f64::NEG_INFINITY);
        // One seed in nine that fails costs more than all of them being a little worse.
        let (fails, holds) = ([[500.0; 8].as_slice(), &[300.0]].concat(), [475.0; 9]);
        assert!(mean(&fails) > mean(&holds) && score(&fails) < score(&holds));
    }

    #[test]
    fn the_score_at_a_rung_is_that_of_the_latest_evaluations_there() {
        let point = |(env_steps, mean_return)| Evaluated { env_steps, mean_return };
        let evaluations: Vec<Evaluated> = [(10, 1.0), (20, 2.0), (30, 3.0), (40, 10.0), (50, 99.0)].map(point).into();
        assert_eq!(latest(&evaluations, 40), Some(5.0));
        // Several environments step past it at once.
        assert_eq!(latest(&evaluations, 35), Some(5.0));
        assert_eq!(latest(&evaluations[..1], 40), Some(1.0));
        assert_eq!(latest(&[], 40), None);
        // A quarter of 16 is 4.
        let many: Vec<Evaluated> = (1..=16).map(|at| point((at * 10, at as f64))).collect();
        assert_eq!(latest(&many, u64::MAX), Some(14.5));
    }
}
