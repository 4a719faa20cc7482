//! [`TableSpec`], the declaration of a table.

use serde::Deserialize;

use crate::study::RunRow;

/// A table of a study's page.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TableSpec {
    /// Its name, by which a page refers to it.
    pub name: String,
    /// What each row is for.
    #[serde(default)]
    pub rows: Rows,
    /// The variants in it; empty: all.
    #[serde(default)]
    pub variants: Vec<String>,
    /// Its columns after the one that names the row.
    pub columns: Vec<Column>,
}

/// What each row of a table is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// A variant in an environment.
    #[default]
    Variants,
    /// The same, with a separate table under a heading for each environment.
    PerEnv,
    /// A run.
    Runs,
    /// A seed: the table has a column for each variant and environment.
    Seeds,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Column {
    /// Its heading.
    pub head: String,
    /// What it shows of the runs.
    #[serde(default)]
    pub show: Statistic,
    /// The figure that it is about.
    #[serde(default)]
    pub of: Figure,
    /// The minimum that counts in a share; `None`: the target return.
    pub at_least: Option<f64>,
    /// The number of decimals.
    pub decimals: Option<usize>,
    /// The figures from other sources that it shows, or compares ours with, by name.
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
    /// How many runs reach the minimum, with the 95 % interval of the fraction.
    Share,
    /// How many runs there are.
    Runs,
    /// The target return.
    Aim,
    /// Figures from other sources.
    Published,
    /// Whether the mean's interval is above or below the best of the figures from other sources.
    BesidePublished,
    /// Whether the mean's interval is above that of random play, and at the goal.
    Learns,
    /// For one run: its value; for scores, with the standard deviation over episodes.
    Value,
    /// For one run: the hash of its weights.
    Weights,
}

/// A figure of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// The mean return of the final policy over fresh episodes.
    #[default]
    Final,
    /// The same for the best policy by the evaluations of training.
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
    /// The fraction of the evaluations in the second half of training that reached the goal.
    LateShare,
    /// The largest mean value of an action.
    LargestMeanQ,
}

impl Figure {
    /// The figure of a run, if it has one.
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

    /// The default number of decimals.
    pub(super) fn decimals(self) -> usize {
        match self {
            Figure::EnvSteps | Figure::Updates | Figure::ConfirmationFailed => 0,
            Figure::LateShare => 3,
            _ => 1,
        }
    }
}
