//! Performance profiles.

use super::aggregates::can_vary;
use super::order::is_sample;
use super::{Bootstrap, Interval};

/// The fraction of runs that score more than each threshold, over all tasks: the performance profile of score distributions (Dolan & Moré
/// 2002; Agarwal et al. 2021; rliable's `create_performance_profile`).
///
/// Each task has the same weight, however many runs it has. `None` if there is no task, a task has no run, or a score or a threshold is
/// NaN.
///
/// ```
/// use requel::stats::performance_profile;
///
/// let tasks: [&[f64]; 2] = [&[0.0, 1.0], &[1.0, 2.0]];
/// assert_eq!(performance_profile(&tasks, &[-1.0, 0.0, 1.0]), Some(vec![1.0, 0.75, 0.25]));
/// ```
pub fn performance_profile(tasks: &[&[f64]], thresholds: &[f64]) -> Option<Vec<f64>> {
    let is_sound =
        !tasks.is_empty() && tasks.iter().all(|task| is_sample(task)) && !thresholds.iter().any(|t| t.is_nan());
    let share = |task: &[f64], threshold: f64| {
        task.iter().filter(|score| **score > threshold).count() as f64 / task.len() as f64
    };
    let at = |threshold: &f64| tasks.iter().map(|task| share(task, *threshold)).sum::<f64>() / tasks.len() as f64;
    is_sound.then(|| thresholds.iter().map(at).collect())
}

impl Bootstrap {
    /// An interval for each point of a [`performance_profile`], from the same resamples: pointwise, not a band for the whole curve.
    ///
    /// `None` as there, as for [`Bootstrap::interval`], and with too few runs, as in [`Aggregate::estimate`](super::Aggregate::estimate).
    pub fn profile(&self, tasks: &[&[f64]], thresholds: &[f64]) -> Option<Vec<Interval>> {
        performance_profile(tasks, thresholds)?;
        if !can_vary(tasks) {
            return None;
        }
        let mut curves = vec![Vec::with_capacity(self.resamples); thresholds.len()];
        self.resample_tasks(tasks, |resample| {
            let shares = performance_profile(resample, thresholds).unwrap_or_default();
            curves.iter_mut().zip(shares).for_each(|(curve, share)| curve.push(share));
        });
        curves.into_iter().map(|curve| self.middle_of(curve)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_equals_a_threshold_does_not_exceed_it_and_tasks_count_the_same() {
        let tasks: [&[f64]; 2] = [&[3.0], &[1.0, 2.0, 3.0, 4.0]];
        assert_eq!(performance_profile(&tasks, &[3.0, 2.5, 9.0]), Some(vec![0.125, 0.75, 0.0]));
        assert_eq!(performance_profile(&tasks, &[f64::NAN]), None);
        assert_eq!(performance_profile(&[&[1.0, f64::NAN]], &[0.0]), None);
        assert_eq!((performance_profile(&[], &[0.0]), performance_profile(&[&[]], &[0.0])), (None, None));
    }

    #[test]
    fn intervals_are_those_of_each_point_alone() {
        let tasks: [&[f64]; 2] = [&[0.0, 1.0, 2.0], &[1.0, 5.0, 6.0]];
        let bootstrap = Bootstrap { resamples: 300, ..Bootstrap::default() };
        let thresholds = [-1.0, 0.5, 3.0];
        let intervals = bootstrap.profile(&tasks, &thresholds).unwrap();
        for (threshold, interval) in thresholds.iter().zip(&intervals) {
            let statistic = |tasks: &[&[f64]]| performance_profile(tasks, &[*threshold]).unwrap()[0];
            assert_eq!(bootstrap.interval_of_tasks(&tasks, statistic), Some(*interval));
        }
        assert_eq!(intervals[0], Interval { low: 1.0, high: 1.0 });
        assert_eq!(bootstrap.profile(&tasks[..1], &thresholds), None);
        assert_eq!(Bootstrap { confidence: 1.5, ..bootstrap }.profile(&tasks, &thresholds), None);
    }
}
