//! [`Comparison`], the results of groups of runs.

use serde::{Deserialize, Serialize};

use super::caveat::{Caveat, caveats};
use super::curve::{Curve, mean_over};
use super::{Group, RunRecord};
use crate::stats::{Bootstrap, Estimate, median};
use crate::train::Budget;

/// What counts as a run's score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The final policy, greedy, on fresh episodes.
    #[default]
    Final,
    /// The best policy by the evaluations of training, greedy, on the same fresh episodes.
    Best,
    /// The mean of the last 100 training episodes, exploration included. The score of a single policy varies from update to update; this
    /// averages over all policies of the last part of training. Only for runs of equal length.
    Training,
}

/// How runs are scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scoring {
    /// What counts as a run's score.
    pub metric: Metric,
    /// The evaluation return whose first reaching is timed; `None`: the environment's reward threshold, if all runs have the same
    /// environment.
    pub threshold: Option<f64>,
    /// How intervals are computed; those of curves use a tenth of the resamples at each point.
    pub bootstrap: Bootstrap,
}

impl Default for Scoring {
    /// The final policy, and 20 000 resamples.
    fn default() -> Self {
        let bootstrap = Bootstrap { resamples: 20_000, ..Bootstrap::default() };
        Scoring { metric: Metric::Final, threshold: None, bootstrap }
    }
}

/// The results of groups of runs, side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The environments of the runs.
    pub envs: Vec<String>,
    /// What counts as a run's score.
    pub metric: Metric,
    /// The evaluation return whose first reaching is timed.
    pub threshold: Option<f64>,
    /// The fraction of resamples inside the intervals.
    pub confidence: f64,
    /// What to know before believing the figures.
    pub caveats: Vec<Caveat>,
    /// The groups, in the order they were given.
    pub groups: Vec<GroupResult>,
}

/// The results of a group of runs. The statistic is the interquartile mean unless stated otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupResult {
    /// Its name.
    pub name: String,
    /// The score, according to [`Comparison::metric`].
    pub score: Estimate,
    /// Mean return of the last 100 training episodes, exploration included; `None` if a run has none.
    pub train_return_last_100: Option<Estimate>,
    /// The probability that a run of this group scores higher than one of the first group; `None` for the first, and if either group has
    /// too few runs.
    pub improvement_over_first: Option<Estimate>,
    /// The same compared with the previous group.
    pub improvement_over_previous: Option<Estimate>,
    /// How soon the threshold was reached; `None` if there is none.
    pub reached: Option<Reached>,
    /// Area under the learning curve over its width: the mean evaluation return during training, from the point where every group has been
    /// evaluated to the end of the longest run. `None` if there are not two evaluations.
    pub mean_over_training: Option<Estimate>,
    /// The budget of each run, which it used unless it stopped early.
    pub budget: Budget,
    /// Median of the env steps of a run.
    pub env_steps: f64,
    /// Median of the seconds of a run, as far as its logs know, including effects of other load.
    pub wall_seconds: Option<f64>,
    /// The learning curve.
    pub curve: Curve,
    /// Each run.
    pub runs: Vec<RunResult>,
}

/// How soon runs reached a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// How many of the runs did.
    pub runs: usize,
    /// Median over all runs of the env steps before the first evaluation that reached it, with runs that never did counting as later than
    /// all; `None` if they are half of the runs or more.
    pub median_env_steps: Option<f64>,
}

/// The results of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunResult {
    /// Its seed.
    pub seed: u64,
    /// Its score.
    pub score: f64,
    /// Mean return of its last 100 training episodes.
    pub train_return_last_100: Option<f64>,
    /// Env steps before the first evaluation that reached the threshold.
    pub reached_at: Option<u64>,
    /// Env steps of its training.
    pub env_steps: u64,
    /// Seconds of its training.
    pub wall_seconds: Option<f64>,
    /// BLAKE3 of its final weights, hexadecimal.
    pub weights_blake3: String,
}

impl Comparison {
    /// Compares groups. Runs that are not finished are ignored, as are groups without a finished run.
    pub fn new(groups: &[Group], scoring: &Scoring) -> Self {
        let finished = |group: &Group| {
            let runs = group.runs.iter().filter(|run| run.summary.is_some()).cloned().collect();
            Group { name: group.name.clone(), runs }
        };
        let groups: Vec<Group> = groups.iter().map(finished).filter(|group| !group.runs.is_empty()).collect();
        let mut envs: Vec<String> =
            groups.iter().flat_map(|group| &group.runs).map(|run| run.config.env.id.clone()).collect();
        envs.sort_unstable();
        envs.dedup();
        let threshold = scoring.threshold.or_else(|| match &envs[..] {
            [_] => goal(&groups.first()?.runs[0]),
            _ => None,
        });
        let scoring = Scoring { threshold, ..*scoring };
        let span = span(&groups);
        let mut results: Vec<GroupResult> = groups.iter().map(|group| result(group, &scoring, span)).collect();
        for i in 1..results.len() {
            let over = |other: usize| improvement(&results[i].runs, &results[other].runs, &scoring.bootstrap);
            let (first, previous) = (over(0), over(i - 1));
            (results[i].improvement_over_first, results[i].improvement_over_previous) = (first, previous);
        }
        let confidence = scoring.bootstrap.confidence;
        let caveats = caveats(&groups, &results, &envs, confidence);
        Comparison { envs, metric: scoring.metric, threshold, confidence, caveats, groups: results }
    }
}

/// The mean return at which a run's environment counts as solved. Runs that did not record it used an environment of [`requel_envs`].
fn goal(run: &RunRecord) -> Option<f64> {
    match &run.environment {
        Some(env) => env.goal,
        None => requel_envs::make(&run.config.env.id).ok()?.spec().reward_threshold,
    }
}

/// From the point where every group has been evaluated to the last evaluation of all.
fn span(groups: &[Group]) -> (f64, f64) {
    let courses = || groups.iter().flat_map(|group| &group.runs).map(|run| &run.evaluations);
    let first = courses().filter_map(|course| course.first()).map(|point| point.env_steps).max().unwrap_or(0);
    let last = courses().filter_map(|course| course.last()).map(|point| point.env_steps).max().unwrap_or(0);
    (first as f64, last as f64)
}

fn result(group: &Group, scoring: &Scoring, (start, end): (f64, f64)) -> GroupResult {
    let runs: Vec<RunResult> = group.runs.iter().filter_map(|run| run_result(run, scoring)).collect();
    let of = |value: &dyn Fn(&RunResult) -> Option<f64>| {
        let values = runs.iter().map(value).collect::<Option<Vec<f64>>>()?;
        Estimate::interquartile_mean(&values, &scoring.bootstrap)
    };
    let means: Option<Vec<f64>> = group.runs.iter().map(|run| mean_over(&run.evaluations, start, end)).collect();
    let reached = scoring.threshold.map(|_| {
        let steps: Vec<f64> = runs.iter().map(|run| run.reached_at.map_or(f64::INFINITY, |s| s as f64)).collect();
        Reached {
            runs: steps.iter().filter(|steps| steps.is_finite()).count(),
            median_env_steps: median(&steps).filter(|steps| steps.is_finite()),
        }
    });
    let seconds: Option<Vec<f64>> = runs.iter().map(|run| run.wall_seconds).collect();
    let curve_bootstrap = Bootstrap { resamples: scoring.bootstrap.resamples / 10, ..scoring.bootstrap };
    let none = Estimate { value: f64::NAN, interval: None };
    GroupResult {
        name: group.name.clone(),
        score: of(&|run| Some(run.score)).unwrap_or(none),
        train_return_last_100: of(&|run| run.train_return_last_100),
        improvement_over_first: None,
        improvement_over_previous: None,
        reached,
        mean_over_training: means.and_then(|means| Estimate::interquartile_mean(&means, &scoring.bootstrap)),
        budget: Budget::of(&group.runs[0].config),
        env_steps: median(&runs.iter().map(|run| run.env_steps as f64).collect::<Vec<_>>()).unwrap_or(0.0),
        wall_seconds: seconds.and_then(|seconds| median(&seconds)),
        curve: Curve::of(&group.runs, &curve_bootstrap),
        runs,
    }
}

fn run_result(run: &RunRecord, scoring: &Scoring) -> Option<RunResult> {
    let summary = run.summary.as_ref()?;
    let reached = |threshold| run.evaluations.iter().find(|point| point.mean_return >= threshold);
    Some(RunResult {
        seed: run.config.train.seed,
        score: match scoring.metric {
            Metric::Final => summary.final_evaluation.mean_return,
            Metric::Best => summary.best_evaluation.mean_return,
            Metric::Training => summary.train_return_last_100?,
        },
        train_return_last_100: summary.train_return_last_100,
        reached_at: scoring.threshold.and_then(reached).map(|point| point.env_steps),
        env_steps: summary.env_steps,
        wall_seconds: run.wall_seconds,
        weights_blake3: summary.weights_blake3.clone(),
    })
}

fn improvement(ours: &[RunResult], theirs: &[RunResult], bootstrap: &Bootstrap) -> Option<Estimate> {
    let scores = |runs: &[RunResult]| runs.iter().map(|run| run.score).collect::<Vec<f64>>();
    Estimate::improvement(&scores(ours), &scores(theirs), bootstrap)
}
