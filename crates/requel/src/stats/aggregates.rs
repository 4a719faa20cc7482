//! [`Aggregate`], one number for many runs on several tasks.

use super::estimate::{Estimate, LEAST_RUNS};
use super::{Bootstrap, interquartile_mean, mean, median, optimality_gap};

/// One number for all runs on all tasks (Agarwal et al. 2021; rliable's `aggregate_iqm`, `aggregate_median`, `aggregate_mean` and
/// `aggregate_optimality_gap`).
///
/// Scores of several tasks can only be combined if they have the same scale: apply [`normalized`] first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregate {
    /// The interquartile mean of all runs of all tasks.
    InterquartileMean,
    /// The median over tasks of each task's mean.
    Median,
    /// The mean over tasks of each task's mean.
    Mean,
    /// How much runs fall short of a target on average; scores above it count as the target.
    OptimalityGap {
        /// The target, in the unit of the scores.
        target: f64,
    },
}

impl Aggregate {
    /// Its value; `tasks[t]` are the scores of all runs on task `t`, and the numbers of runs may differ.
    ///
    /// `None` if there is no task, a task has no run, or a score or the target is NaN.
    ///
    /// ```
    /// use requel::stats::Aggregate;
    ///
    /// let tasks: [&[f64]; 3] = [&[0.0, 2.0], &[5.0, 7.0], &[100.0, 102.0]];
    /// assert_eq!(Aggregate::Median.of(&tasks), Some(6.0));
    /// assert_eq!(Aggregate::Mean.of(&tasks), Some(36.0));
    /// ```
    pub fn of(&self, tasks: &[&[f64]]) -> Option<f64> {
        if tasks.iter().any(|task| task.is_empty()) {
            return None;
        }
        match self {
            Aggregate::InterquartileMean => interquartile_mean(&tasks.concat()),
            Aggregate::Median => median(&means(tasks)?),
            Aggregate::Mean => mean(&means(tasks)?),
            Aggregate::OptimalityGap { target } => optimality_gap(&tasks.concat(), *target),
        }
    }

    /// Its value with a bootstrap interval from resampling the runs within each task.
    ///
    /// The interval is `None` if it would be meaningless: with fewer than [`LEAST_RUNS`] runs in all, or if a task has only one run. The
    /// result as a whole is `None` as for [`Aggregate::of`].
    pub fn estimate(&self, tasks: &[&[f64]], bootstrap: &Bootstrap) -> Option<Estimate> {
        let value = self.of(tasks)?;
        let statistic = |tasks: &[&[f64]]| self.of(tasks).unwrap_or(f64::NAN);
        let interval = can_vary(tasks).then(|| bootstrap.interval_of_tasks(tasks, statistic)).flatten();
        Some(Estimate { value, interval })
    }
}

impl Estimate {
    /// The probability that a run of `x` scores higher than one of `y` on the same task, over several tasks; see
    /// [`probability_of_improvement`](super::probability_of_improvement). The interval is `None` in the same cases as for
    /// [`Aggregate::estimate`].
    pub fn improvement_on_tasks(x: &[&[f64]], y: &[&[f64]], bootstrap: &Bootstrap) -> Option<Self> {
        let value = super::probability_of_improvement(x, y)?;
        let interval = (can_vary(x) && can_vary(y)).then(|| bootstrap.improvement(x, y)).flatten();
        Some(Estimate { value, interval })
    }
}

/// Scores on a scale where `zero` is 0 and `one` is 1: min–max normalisation by the lowest and the highest possible score, or human
/// normalisation by the score of random actions and that of a human (Mnih et al. 2015). `None` unless both ends are finite and different.
///
/// ```
/// assert_eq!(requel::stats::normalized(&[110.0, 60.0], 10.0, 110.0), Some(vec![1.0, 0.5]));
/// ```
pub fn normalized(scores: &[f64], zero: f64, one: f64) -> Option<Vec<f64>> {
    let apart = zero != one && zero.is_finite() && one.is_finite();
    apart.then(|| scores.iter().map(|score| (score - zero) / (one - zero)).collect())
}

/// The mean of each task.
fn means(tasks: &[&[f64]]) -> Option<Vec<f64>> {
    tasks.iter().map(|task| mean(task)).collect()
}

/// Whether resampling these runs can give a meaningful interval.
pub(super) fn can_vary(tasks: &[&[f64]]) -> bool {
    tasks.iter().map(|task| task.len()).sum::<usize>() >= LEAST_RUNS && tasks.iter().all(|task| task.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Bootstrap = Bootstrap { resamples: 400, confidence: 0.95, seed: 0 };
    const ALL: [Aggregate; 4] =
        [Aggregate::InterquartileMean, Aggregate::Median, Aggregate::Mean, Aggregate::OptimalityGap { target: 1.0 }];

    #[test]
    fn a_table_by_hand() {
        // The means are 0.5, 1 and 4.
        let tasks: [&[f64]; 3] = [&[0.0, 0.5, 0.5, 1.0], &[0.0, 1.0, 1.0, 2.0], &[1.0, 3.0, 4.0, 8.0]];
        let of = |aggregate: Aggregate| aggregate.of(&tasks).unwrap();
        // Of the twelve in order, three are cut off at each end: 0.5, 1, 1, 1, 1, 2 are left.
        assert_eq!(of(Aggregate::InterquartileMean), 6.5 / 6.0);
        assert_eq!(of(Aggregate::Median), 1.0);
        assert_eq!(of(Aggregate::Mean), 5.5 / 3.0);
        // Capped at 1: 2, 3 and 4 of 12.
        assert_eq!(of(Aggregate::OptimalityGap { target: 1.0 }), 1.0 - 9.0 / 12.0);
    }

    #[test]
    fn a_task_of_many_runs_weighs_no_more_in_means() {
        let tasks: [&[f64]; 2] = [&[0.0], &[1.0; 9]];
        assert_eq!((Aggregate::Mean.of(&tasks), Aggregate::Median.of(&tasks)), (Some(0.5), Some(0.5)));
        assert_eq!(Aggregate::InterquartileMean.of(&tasks), Some(1.0));
    }

    #[test]
    fn an_interval_holds_the_value_and_is_there_where_it_says_something() {
        let rows: Vec<Vec<f64>> =
            (0..4).map(|t| (0..3).map(|r| f64::from((t * 7 + r * 5) % 11) / 10.0).collect()).collect();
        let tasks: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        for aggregate in ALL {
            let Estimate { value, interval } = aggregate.estimate(&tasks, &QUICK).unwrap();
            let interval = interval.unwrap();
            assert!(interval.low < value && value < interval.high, "{aggregate:?}: {value} in {interval:?}");
            for few in [&tasks[..1], &[&[1.0, 2.0, 3.0, 4.0, 5.0][..], &[1.0]]] {
                assert_eq!(aggregate.estimate(few, &QUICK).unwrap().interval, None);
            }
        }
        let improvement = Estimate::improvement_on_tasks(&tasks, &tasks, &QUICK).unwrap();
        assert_eq!(improvement.value, 0.5);
        assert!(improvement.interval.unwrap().low < 0.5 && improvement.interval.unwrap().high > 0.5);
        assert_eq!(Estimate::improvement_on_tasks(&tasks[..1], &tasks[..1], &QUICK).unwrap().interval, None);
    }

    #[test]
    fn of_one_task_the_interval_is_that_of_the_sample() {
        let sample = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0];
        let estimate = Aggregate::InterquartileMean.estimate(&[&sample], &QUICK);
        assert_eq!(estimate, Estimate::interquartile_mean(&sample, &QUICK));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        for aggregate in ALL {
            for tasks in [&[][..], &[&[][..]], &[&[1.0][..], &[]], &[&[1.0, f64::NAN][..]]] {
                assert_eq!(aggregate.of(tasks), None, "{aggregate:?} of {tasks:?}");
                assert_eq!(aggregate.estimate(tasks, &QUICK), None);
            }
        }
        assert_eq!(Aggregate::OptimalityGap { target: f64::NAN }.of(&[&[1.0]]), None);
        for (zero, one) in [(1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert_eq!(normalized(&[1.0], zero, one), None);
        }
        assert_eq!(normalized(&[-1.0, 0.5], 0.0, -2.0), Some(vec![0.5, -0.25]));
    }
}
