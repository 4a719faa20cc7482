//! [`TableSpec`], what a table of a study has.

use serde::Deserialize;

use crate::study::RunRow;

/// A table of a study's page.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TableSpec {
    /// What a page asks for it by.
    pub name: String,
    /// What has a row.
    #[serde(default)]
    pub rows: Rows,
    /// The variants that are in it; empty: all.
    #[serde(default)]
    pub variants: Vec<String>,
    /// Its columns behind the one that says what a row is.
    pub columns: Vec<Column>,
}

/// What has a row of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// A variant in an environment.
    #[default]
    Variants,
    /// The same, in a table for each environment under a heading.
    PerEnv,
    /// A run.
    Runs,
    /// A seed: a column of the table has one for each variant and environment.
    Seeds,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Column {
    /// What stands above it.
    pub head: String,
    /// What it shows of the runs.
    #[serde(default)]
    pub show: Statistic,
    /// Of which of their figures.
    #[serde(default)]
    pub of: Figure,
    /// The least that counts in a share; `None`: what is aimed at.
    pub at_least: Option<f64>,
    /// Its decimals.
    pub decimals: Option<usize>,
    /// The figures from elsewhere that it shows, or holds ours against, by name.
    #[serde(default)]
    pub published: Vec<String>,
}

/// What a column shows of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The mean over runs with its 95 % interval.
    #[default]
    Mean,
    /// The mean over runs.
    PlainMean,
    /// The median over runs.
    Median,
    /// The lowest.
    Lowest,
    /// The highest.
    Highest,
    /// Lower and upper quartile.
    Quartiles,
    /// Lowest and highest.
    Range,
    /// How many runs reach what a share asks for, with the 95 % interval of the share.
    Share,
    /// How many runs there are.
    Runs,
    /// What is aimed at.
    Aim,
    /// Figures from elsewhere.
    Published,
    /// Whether the mean's interval is above or below the best of the figures from elsewhere.
    BesidePublished,
    /// Whether the mean's interval is above that of random play, and at the goal.
    Learns,
    /// Of one run: its value; of scores, with the standard deviation over episodes.
    Value,
    /// Of one run: the hash of its weights.
    Weights,
}

/// A figure of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// The mean return of the final policy over fresh episodes.
    #[default]
    Final,
    /// The same of the best policy by the evaluations of training.
    Best,
    /// The mean return of the last 100 training episodes.
    Training,
    /// Env steps of training.
    EnvSteps,
    /// Updates.
    Updates,
    /// Seconds of training.
    TrainSeconds,
    /// Seconds of the whole process.
    ProcessSeconds,
    /// How many episodes of the confirmation fell short of the goal.
    ConfirmationFailed,
    /// The share of the evaluations in the last half of training that reached the goal.
    LateShare,
    /// The largest mean value of an action.
    LargestMeanQ,
}

impl Figure {
    /// Of a run, if it has such a figure.
    pub fn of(self, run: &RunRow) -> Option<f64> {
        match self {
            Figure::Final => run.last.map(|score| score.mean),
            Figure::Best => run.best.map(|score| score.mean),
            Figure::Training => run.train_return_last_100,
            Figure::EnvSteps => Some(run.env_steps as f64),
            Figure::Updates => Some(run.updates as f64),
            Figure::TrainSeconds => run.train_seconds,
            Figure::ProcessSeconds => run.process_seconds,
            Figure::ConfirmationFailed => run.more?.confirmation.map(|(failed, _)| failed as f64),
            Figure::LateShare => run.more?.late_share,
            Figure::LargestMeanQ => run.more?.largest_mean_q,
        }
    }

    /// Whether it is a return, in the unit of the environment's rewards.
    pub fn is_return(self) -> bool {
        matches!(self, Figure::Final | Figure::Best | Figure::Training)
    }

    /// The decimals that it is shown with where nobody says.
    pub(super) fn decimals(self) -> usize {
        match self {
            Figure::EnvSteps | Figure::Updates | Figure::ConfirmationFailed => 0,
            Figure::LateShare => 3,
            _ => 1,
        }
    }
}
