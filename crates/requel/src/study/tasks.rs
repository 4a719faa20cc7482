//! [`Aggregates`](TaskAggregates): the results of variants over several environments.

use serde::Serialize;

use super::curve::at;
use super::{Group, Metric, RunRecord};
use crate::stats::{Aggregate, Bootstrap, Estimate, Interval, normalized, performance_profile};

/// One environment of a study that has several, and the scale of its scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// Its id.
    pub env: String,
    /// The return that counts as 0: usually that of random actions.
    pub zero: f64,
    /// The return that counts as 1: that of a human, or the best known.
    pub one: f64,
}

/// The results of variants over several environments, with the measures of Agarwal et al. 2021 (rliable), on normalised scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskAggregates {
    /// The environments.
    pub tasks: Vec<Task>,
    /// The fraction of resamples inside the intervals, from a bootstrap stratified over environments.
    pub confidence: f64,
    /// The scores at which performance profiles are computed.
    pub thresholds: Vec<f64>,
    /// The fractions of the budget at which sample efficiency is computed.
    pub shares: Vec<f64>,
    /// The variants, in their order.
    pub variants: Vec<VariantAggregates>,
}

/// The results of a variant over several environments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantAggregates {
    /// Its name.
    pub name: String,
    /// Interquartile mean of all runs of all environments.
    pub interquartile_mean: Estimate,
    /// Median over environments of their means.
    pub median: Estimate,
    /// Mean over environments of their means.
    pub mean: Estimate,
    /// How much runs fall short of 1 on average.
    pub optimality_gap: Estimate,
    /// The probability that a run scores higher than one of the first variant in the same environment; `None` for the first.
    pub improvement_over_first: Option<Estimate>,
    /// The fraction of runs above each threshold.
    pub profile: Vec<f64>,
    /// The interval of each.
    pub profile_intervals: Option<Vec<Interval>>,
    /// Interquartile mean of the normalised evaluation return at each fraction of the budget; `None` before every run was evaluated.
    pub sample_efficiency: Vec<Option<Estimate>>,
    /// The normalised score of each run of each environment.
    pub scores: Vec<Vec<f64>>,
}

/// The number of parts of profiles and curves.
const PARTS: usize = 20;

impl TaskAggregates {
    /// From the runs of each variant in each environment: `groups[t][v]`. `None` if a variant has no finished run in one of them, or a task
    /// has no scale.
    pub fn new(tasks: &[Task], groups: &[Vec<Group>], metric: Metric, bootstrap: &Bootstrap) -> Option<Self> {
        let part = |i: usize| i as f64 / PARTS as f64;
        let thresholds: Vec<f64> = (0..=PARTS + PARTS / 2).map(part).collect();
        let shares: Vec<f64> = (1..=PARTS).map(part).collect();
        let count = groups.first()?.len();
        let all: Option<Vec<Vec<Vec<f64>>>> = (0..count)
            .map(|variant| {
                let in_task = |(task, groups): (&Task, &Vec<Group>)| scores(task, &groups[variant].runs, metric);
                tasks.iter().zip(groups).map(in_task).collect()
            })
            .collect();
        let all = all?;
        let first: Vec<&[f64]> = all.first()?.iter().map(Vec::as_slice).collect();
        let quick = Bootstrap { resamples: bootstrap.resamples / 10, ..*bootstrap };
        let variant = |(at, scores): (usize, &Vec<Vec<f64>>)| {
            let tasks_of: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
            let of = |aggregate: Aggregate| aggregate.estimate(&tasks_of, bootstrap);
            let efficiency = |share: &f64| {
                let normal = |(task, groups): (&Task, &Vec<Group>)| returns_at(task, &groups[at].runs, *share);
                let returns: Vec<Vec<f64>> = tasks.iter().zip(groups).map(normal).collect::<Option<_>>()?;
                let returns: Vec<&[f64]> = returns.iter().map(Vec::as_slice).collect();
                Aggregate::InterquartileMean.estimate(&returns, &quick)
            };
            Some(VariantAggregates {
                name: groups[0][at].name.clone(),
                interquartile_mean: of(Aggregate::InterquartileMean)?,
                median: of(Aggregate::Median)?,
                mean: of(Aggregate::Mean)?,
                optimality_gap: of(Aggregate::OptimalityGap { target: 1.0 })?,
                improvement_over_first: match at {
                    0 => None,
                    _ => Estimate::improvement_on_tasks(&tasks_of, &first, bootstrap),
                },
                profile: performance_profile(&tasks_of, &thresholds)?,
                profile_intervals: quick.profile(&tasks_of, &thresholds),
                sample_efficiency: shares.iter().map(efficiency).collect(),
                scores: scores.clone(),
            })
        };
        let variants = all.iter().enumerate().map(variant).collect::<Option<_>>()?;
        Some(TaskAggregates { tasks: tasks.to_vec(), confidence: bootstrap.confidence, thresholds, shares, variants })
    }
}

/// The normalised scores of finished runs.
fn scores(task: &Task, runs: &[RunRecord], metric: Metric) -> Option<Vec<f64>> {
    let score = |run: &RunRecord| {
        let summary = run.summary.as_ref()?;
        match metric {
            Metric::Final => Some(summary.final_evaluation.mean_return),
            Metric::Best => Some(summary.best_evaluation.mean_return),
            Metric::Training => summary.train_return_last_100,
        }
    };
    let scores: Vec<f64> = runs.iter().filter_map(score).collect();
    normalized(&scores, task.zero, task.one).filter(|scores| !scores.is_empty())
}

/// The normalised evaluation returns of finished runs at a fraction of their longest budget; `None` if one was not evaluated by then.
fn returns_at(task: &Task, runs: &[RunRecord], share: f64) -> Option<Vec<f64>> {
    let finished = || runs.iter().filter(|run| run.summary.is_some());
    let last = finished().filter_map(|run| run.evaluations.last()).map(|point| point.env_steps).max()?;
    let returns: Option<Vec<f64>> = finished().map(|run| at(&run.evaluations, share * last as f64)).collect();
    normalized(&returns?, task.zero, task.one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::run::{Score, Summary};
    use crate::study::Evaluated;

    fn run(score: f64) -> RunRecord {
        let scored = Score { mean_return: score, std_return: 0.0, episodes: 1, cut_off: 0 };
        let summary = Summary {
            termination: crate::train::Termination::BudgetUsed,
            env_steps: 100,
            updates: 1,
            episodes: 1,
            skipped: 0,
            inexact_resumes: 0,
            train_return_last_100: None,
            best_evaluation: scored,
            best_env_steps: 1,
            final_evaluation: scored,
            goal: None,
            confirmation: None,
            weights_blake3: String::new(),
            device: None,
        };
        let point = |(env_steps, mean_return)| Evaluated { env_steps, mean_return };
        RunRecord {
            dir: "x".into(),
            config: Config::default(),
            environment: None,
            course: Vec::new(),
            summary: Some(summary),
            evaluations: vec![point((50, 0.0)), point((100, score))],
            wall_seconds: None,
        }
    }

    fn group(name: &str, scores: &[f64]) -> Group {
        Group { name: name.into(), runs: scores.iter().map(|score| run(*score)).collect() }
    }

    #[test]
    fn two_variants_in_two_environments_by_hand() {
        let task = |env: &str, one: f64| Task { env: env.into(), zero: 0.0, one };
        let tasks = [task("A-v0", 10.0), task("B-v0", 100.0)];
        // Normalised: a has 0, 0.5, 1 and 0.5, 0.5, 0.5; b has 1, 1, 1 and 1, 1, 2.
        let groups = [
            vec![group("a", &[0.0, 5.0, 10.0]), group("b", &[10.0; 3])],
            vec![group("a", &[50.0; 3]), group("b", &[100.0, 100.0, 200.0])],
        ];
        let bootstrap = Bootstrap { resamples: 400, ..Bootstrap::default() };
        let found = TaskAggregates::new(&tasks, &groups, Metric::Final, &bootstrap).unwrap();
        let (a, b) = (&found.variants[0], &found.variants[1]);
        assert_eq!(
            (a.interquartile_mean.value, a.median.value, a.mean.value, a.optimality_gap.value),
            (0.5, 0.5, 0.5, 0.5)
        );
        assert_eq!((b.interquartile_mean.value, b.optimality_gap.value), (1.0, 0.0));
        assert!((b.mean.value - 7.0 / 6.0).abs() < 1e-12);
        // Of nine pairs in A-v0 the best of a ties three times; in B-v0 b wins all.
        assert!((b.improvement_over_first.unwrap().value - (7.5 / 9.0 + 1.0) / 2.0).abs() < 1e-12);
        assert_eq!(a.improvement_over_first, None);
        // Above 0: two of three, and all.
        assert!((a.profile[0] - 5.0 / 6.0).abs() < 1e-12 && (b.profile[20] - 1.0 / 6.0).abs() < 1e-12);
        assert_eq!(a.sample_efficiency[8], None, "nothing is evaluated before half of the budget");
        // Half way from 0 to the last evaluation.
        assert_eq!(b.sample_efficiency[14].unwrap().value, 0.5);
        assert_eq!(b.sample_efficiency[19].unwrap().value, 1.0);
    }

    #[test]
    fn a_variant_without_a_run_in_one_of_them_has_no_aggregate() {
        let task = Task { env: "A-v0".into(), zero: 0.0, one: 1.0 };
        let bootstrap = Bootstrap { resamples: 10, ..Bootstrap::default() };
        let of = |task: &Task, runs: &[f64]| {
            TaskAggregates::new(std::slice::from_ref(task), &[vec![group("a", runs)]], Metric::Final, &bootstrap)
        };
        assert!(of(&task, &[1.0]).is_some());
        assert_eq!(of(&task, &[]), None);
        assert_eq!(of(&Task { one: 0.0, ..task }, &[1.0]), None, "a scale without length");
    }
}
