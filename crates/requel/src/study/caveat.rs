//! [`Caveat`], what a reader of a comparison must know.

use std::fmt::{self, Display};

use serde::Serialize;

use super::{Group, GroupResult, RunRecord};
use crate::stats::{LEAST_RUNS, coverage};
use crate::train::Budget;

/// What a reader of a comparison must know before believing it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Caveat {
    /// The runs are in several environments.
    Environments {
        /// Their ids.
        ids: Vec<String>,
    },
    /// The groups had unequal budgets.
    UnequalBudgets {
        /// The budget of each group, in their order.
        budgets: Vec<Budget>,
    },
    /// Groups have too few runs for an interval and a probability of improvement.
    FewRuns {
        /// The names of these groups.
        groups: Vec<String>,
        /// The minimum number of runs.
        least_runs: usize,
    },
    /// Runs were resumed with new episodes because their environment cannot save its state: their config alone does not reproduce them.
    InexactResumes {
        /// How many runs.
        runs: usize,
        /// The number of all runs.
        of: usize,
    },
    /// Intervals contain the true value less often than they claim.
    ShortCoverage {
        /// The number of runs in the smallest group that has an interval.
        runs: usize,
        /// How often its interval contains the true value, by simulation.
        coverage: f64,
        /// How often it should.
        confidence: f64,
    },
}

/// Intervals whose coverage falls short of 95 % by at most this much are considered accurate.
const NEAR_ENOUGH: f64 = 0.015;

/// The caveats for these groups, whose intervals have this confidence.
pub(super) fn caveats(
    records: &[Group],
    groups: &[GroupResult],
    environments: &[String],
    confidence: f64,
) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if environments.len() > 1 {
        caveats.push(Caveat::Environments { ids: environments.to_vec() });
    }
    if groups.windows(2).any(|pair| pair[0].budget != pair[1].budget) {
        caveats.push(Caveat::UnequalBudgets { budgets: groups.iter().map(|group| group.budget).collect() });
    }
    let few = |group: &&GroupResult| group.runs.len() < LEAST_RUNS;
    if groups.iter().any(|group| few(&group)) {
        let names = groups.iter().filter(few).map(|group| group.name.clone()).collect();
        caveats.push(Caveat::FewRuns { groups: names, least_runs: LEAST_RUNS });
    }
    let runs = || records.iter().flat_map(|group| &group.runs);
    let is_inexact = |run: &&RunRecord| run.summary.as_ref().is_some_and(|summary| summary.inexact_resumes > 0);
    if let inexact @ 1.. = runs().filter(is_inexact).count() {
        caveats.push(Caveat::InexactResumes { runs: inexact, of: runs().count() });
    }
    let least = groups.iter().map(|group| group.runs.len()).filter(|runs| *runs >= LEAST_RUNS).min();
    if let Some((runs, coverage)) = least.and_then(|runs| Some((runs, coverage(runs)?)))
        && confidence == 0.95
        && coverage < confidence - NEAR_ENOUGH
    {
        caveats.push(Caveat::ShortCoverage { runs, coverage, confidence });
    }
    caveats
}

impl Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caveat::Environments { ids } => {
                let ids = ids.join(", ");
                write!(f, "the runs are in different environments, whose returns cannot be compared: {ids}")
            }
            Caveat::UnequalBudgets { budgets } => {
                let mut shown: Vec<String> = Vec::new();
                for budget in budgets {
                    let budget = format!("{} {}", budget.total(), budget.unit());
                    if !shown.contains(&budget) {
                        shown.push(budget);
                    }
                }
                if shown.len() > 4 {
                    shown.truncate(3);
                    shown.push("others".into());
                }
                let (last, first) = shown.split_last().expect("there are at least two budgets");
                let first = first.join(", ");
                write!(f, "unequal budgets: {first} and {last}; longer training alone may give a higher score")
            }
            Caveat::FewRuns { groups, least_runs } => {
                let whose = match groups.len() {
                    1 => "one group has".to_owned(),
                    count => format!("{count} groups have"),
                };
                write!(
                    f,
                    "{whose} fewer than {least_runs} runs, so there is no interval and no P>: more seeds are needed to \
                     tell a score from luck"
                )
            }
            Caveat::InexactResumes { runs, of } => write!(
                f,
                "{runs} of {of} runs were interrupted and resumed with new episodes, because the environment cannot \
                 save its state: training them again without interruption gives other numbers"
            ),
            Caveat::ShortCoverage { runs, coverage, confidence } => {
                let percent = |share: f64| (100.0 * share).round();
                write!(
                    f,
                    "over {runs} runs, a {} % interval contains the true value in about {} % of cases (simulated): it \
                     should be wider",
                    percent(*confidence),
                    percent(*coverage)
                )
            }
        }
    }
}
