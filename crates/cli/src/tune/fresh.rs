//! [`Fresh`], the winner of a search on seeds that were not used to choose anything.

use std::path::Path;

use requel::Registry;
use requel::run::Run;
use requel::stats::Estimate;
use requel::study::{Comparison, Group, PlannedRun, RunRecord, Scoring, fingerprint};
use requel::tune::{Search, Tuned};
use serde::Serialize;

use crate::args::Reporting;
use crate::exit::{Exit, Failure};
use crate::seeds::{Reports, Together};

/// Runs of the winner of a search, and of the settings the search began from, on seeds that were not used to choose anything: the best of
/// many is lucky, and its score on its own seeds is too high.
pub struct Fresh {
    names: Vec<String>,
    runs: Vec<PlannedRun>,
    headline: String,
}

/// The settings the search began from, and the best that it found.
const NAMES: [&str; 2] = ["start", "best"];

impl Fresh {
    /// The runs with the seeds from 0 to before `seeds`.
    ///
    /// # Errors
    /// If a run with another config already has the place of one.
    pub fn of(search: &Search, tuned: &Tuned, seeds: u64, dir: &Path) -> Result<Self, Failure> {
        let (start, best) = (search.space.start(), &tuned.winner().config);
        let count = if tuned.best == 0 { 1 } else { 2 };
        let configs = [start, best];
        let mut runs = Vec::new();
        for seed in 0..seeds {
            for (variant, config) in configs.iter().take(count).enumerate() {
                let parent = dir.join("fresh").join(format!("{}-{}", NAMES[variant], &fingerprint(config)[..8]));
                runs.push(PlannedRun::new(&parent, variant, config, seed)?);
            }
        }
        let what = if count == 1 {
            "the settings the search began from, which are the best"
        } else {
            "the best, and the settings the search began from"
        };
        let headline = format!("{what}, on {seeds} fresh seeds");
        Ok(Fresh { names: NAMES.iter().take(count).map(ToString::to_string).collect(), runs, headline })
    }

    /// Trains the unfinished runs. Returns `Some` with the exit if a signal came.
    ///
    /// # Errors
    /// If a run fails.
    pub fn train(&self, registry: &Registry, reporting: Reporting) -> Result<Option<Exit>, Failure> {
        if self.runs.is_empty() {
            return Ok(None);
        }
        let together = Together {
            runs: &self.runs,
            variants: Some(&self.names),
            registry,
            headline: self.headline.clone(),
            jobs: 0,
            reporting,
            reports: Reports::Left,
        };
        together.train()
    }

    /// The results of the runs; `None` if there are none.
    ///
    /// # Errors
    /// If a run cannot be read.
    pub fn comparison(&self) -> Result<Option<Comparison>, Failure> {
        if self.runs.is_empty() {
            return Ok(None);
        }
        let mut groups: Vec<Group> =
            self.names.iter().map(|name| Group { name: name.clone(), runs: Vec::new() }).collect();
        for planned in &self.runs {
            groups[planned.variant].runs.push(RunRecord::read(&Run::open(&planned.dir)?)?);
        }
        Ok(Some(Comparison::new(&groups, &Scoring::default())))
    }
}

/// The comparison in short.
#[derive(Serialize)]
pub struct FreshScores<'a> {
    seeds: Vec<u64>,
    start: &'a Estimate,
    best: &'a Estimate,
    improvement: Option<&'a Estimate>,
}

impl<'a> FreshScores<'a> {
    /// For a comparison of one or two groups.
    pub fn of(comparison: &'a Comparison) -> Self {
        let (start, best) = (&comparison.groups[0], &comparison.groups[comparison.groups.len() - 1]);
        FreshScores {
            seeds: start.runs.iter().map(|run| run.seed).collect(),
            start: &start.score,
            best: &best.score,
            improvement: best.improvement_over_first.as_ref(),
        }
    }
}
