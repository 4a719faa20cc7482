//! [`Together`], runs that train side by side with a display.

use requel::Registry;
use requel::run::{Control, Ending, Run, RunError};
use requel::study::{Audience, Crew, PlannedRun, Standing, StudyError, train_all};

use super::board::Board;
use crate::args::Reporting;
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::signals::Signals;
use crate::{commands, report, style};

/// Runs to train side by side.
pub struct Together<'a> {
    /// The runs, in the order they start.
    pub runs: &'a [PlannedRun],
    /// The variant that each belongs to, if there are variants.
    pub variants: Option<&'a [String]>,
    /// The registry with their environments.
    pub registry: &'a Registry,
    /// The first message.
    pub headline: String,
    /// Maximum number of runs at a time; 0: the number of cores.
    pub jobs: usize,
    /// How much is printed, and in which format.
    pub reporting: Reporting,
    /// Whether each run gets its report.
    pub reports: Reports,
}

/// Whether each run gets its `report.html`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// Like a single run.
    Written,
    /// `requel report` can write it later.
    Left,
}

/// How a run ended; `None` if it was finished before or elsewhere, or did not start.
type RunEnding = Option<Result<Ending, RunError>>;

impl Together<'_> {
    /// Trains the unfinished runs. Returns `Some` with the exit if a signal came.
    ///
    /// # Errors
    /// If a run fails; by then the others have ended, and their results are on disk.
    pub fn train(&self) -> Result<Option<Exit>, Failure> {
        self.train_by(train_all)
    }

    /// Like [`Together::train`], with another function that trains many runs.
    ///
    /// # Errors
    /// As there.
    pub fn train_by(
        &self,
        train: impl FnOnce(&[PlannedRun], Crew<'_>, &dyn Audience) -> Result<Vec<RunEnding>, StudyError>,
    ) -> Result<Option<Exit>, Failure> {
        let control = Control::new();
        let signals = Signals::listen_and_stop(control.stop_flag())?;
        let finished = self.runs.iter().filter(|run| run.standing() == Standing::Finished).count();
        let begun = self.runs.iter().filter(|run| run.standing() == Standing::Begun).count();
        let board = Board::new(self, signals.clone());
        if !self.reporting.quiet {
            if finished > 0 {
                style::say(format_args!("{} of {} runs are finished already", finished, self.runs.len()));
            }
            if begun > 0 {
                style::say(format_args!("{begun} have started and will continue"));
            }
        }
        let crew = Crew { registry: self.registry, threads: self.jobs, control: &control };
        let endings = train(self.runs, crew, &board)?;
        board.close();

        let failures: Vec<String> = endings
            .iter()
            .enumerate()
            .filter_map(|(index, ending)| Some((index, ending.as_ref()?.as_ref().err()?)))
            .map(|(index, error)| format!("{}: {error}", self.name(index)))
            .collect();
        if control.stop_requested() {
            let saved =
                endings.iter().flatten().filter(|ending| matches!(ending, Ok(Ending::Interrupted { .. }))).count();
            if !self.reporting.quiet {
                let left = self.runs.iter().filter(|run| run.standing() != Standing::Finished).count();
                style::say(format_args!(
                    "stopped: {} saved unfinished, {} of {} runs left to finish",
                    grouped(saved as u64),
                    left,
                    self.runs.len()
                ));
            }
            return Ok(Some(signals.received().unwrap_or(Exit::Interrupted)));
        }
        self.write_missing_reports(&signals);
        match failures.split_first() {
            None => Ok(signals.received()),
            Some((first, others)) => {
                others.iter().for_each(style::warn);
                let others = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
                Err(Failure::failed(format_args!("{first}{others}"))
                    .hint("the other runs are intact; the same command tries the failed ones again"))
            }
        }
    }

    /// Writes missing reports of finished runs: the process that finished them was killed first, or somebody removed the report. A report
    /// is optional: a run is complete without it.
    fn write_missing_reports(&self, signals: &Signals) {
        if self.reports == Reports::Left {
            return;
        }
        for (index, planned) in self.runs.iter().enumerate() {
            let Ok(run) = Run::open(&planned.dir) else { continue };
            if signals.received().is_some() || !run.is_finished() || report::is_current(&run) {
                continue;
            }
            if let Err(failure) = commands::report::write(&run, self.registry, signals) {
                style::warn(format_args!("no report of {}: {}", self.name(index), failure.what));
            }
        }
    }

    /// The name of the run at `index`.
    pub fn name(&self, index: usize) -> String {
        let run = &self.runs[index];
        let seed = format!("seed {}", run.config.train.seed);
        let env = &run.config.env.id;
        let is_of_several = self.runs.iter().any(|other| other.config.env.id != *env);
        match self.variant(index) {
            Some(variant) if is_of_several => format!("{variant} on {env}, {seed}"),
            Some(variant) => format!("{variant}, {seed}"),
            None => seed,
        }
    }

    /// The variant of the run at `index`.
    pub fn variant(&self, index: usize) -> Option<&str> {
        self.variants.map(|names| names[self.runs[index].variant].as_str())
    }
}
