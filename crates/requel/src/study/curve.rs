//! [`Curve`], the learning curves of several runs combined.

use serde::Serialize;

use super::{Evaluated, RunRecord};
use crate::stats::{Bootstrap, Estimate};

/// The evaluation return of several runs over env steps: the interquartile mean with its interval, pointwise.
///
/// Between two evaluations of a run, its return is interpolated linearly; a run that stopped earlier than others keeps its last return,
/// because its policy would continue to score that.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Curve {
    /// Env steps, ascending.
    pub env_steps: Vec<f64>,
    /// Interquartile mean over the runs.
    pub iqm: Vec<f64>,
    /// Lower ends of its intervals; empty if there are too few runs.
    pub low: Vec<f64>,
    /// Upper ends; empty likewise.
    pub high: Vec<f64>,
}

/// The maximum number of points that a picture shows.
const MOST_POINTS: usize = 200;

impl Curve {
    /// The curve of these runs. Those without an evaluation are ignored; if there are none, the curve is empty.
    pub(super) fn of(runs: &[RunRecord], bootstrap: &Bootstrap) -> Self {
        let courses: Vec<&[Evaluated]> =
            runs.iter().map(|run| &run.evaluations[..]).filter(|course| !course.is_empty()).collect();
        let mut curve = Curve::default();
        for x in grid(&courses) {
            let values: Vec<f64> = courses.iter().filter_map(|course| at(course, x)).collect();
            let Some(estimate) = Estimate::interquartile_mean(&values, bootstrap) else { continue };
            curve.env_steps.push(x);
            curve.iqm.push(estimate.value);
            curve.low.extend(estimate.interval.map(|interval| interval.low));
            curve.high.extend(estimate.interval.map(|interval| interval.high));
        }
        curve
    }
}

/// The env steps at which any of the runs was evaluated, from the point where all of them have been; evenly spaced if there are too many to
/// show.
fn grid(courses: &[&[Evaluated]]) -> Vec<f64> {
    let Some(start) = courses.iter().map(|course| course[0].env_steps).max() else { return Vec::new() };
    let mut steps: Vec<u64> = courses.iter().flat_map(|course| course.iter().map(|point| point.env_steps)).collect();
    steps.sort_unstable();
    steps.dedup();
    steps.retain(|step| *step >= start);
    if steps.len() <= MOST_POINTS {
        return steps.into_iter().map(|step| step as f64).collect();
    }
    let (first, last) = (start as f64, steps[steps.len() - 1] as f64);
    let part = |i: usize| first + (last - first) * i as f64 / (MOST_POINTS - 1) as f64;
    (0..MOST_POINTS).map(part).collect()
}

/// The return at `x` env steps; `None` before the first evaluation.
pub(super) fn at(course: &[Evaluated], x: f64) -> Option<f64> {
    let after = course.partition_point(|point| point.env_steps as f64 <= x);
    let before = course[..after].last()?;
    Some(match course.get(after) {
        None => before.mean_return,
        Some(next) => {
            let share = (x - before.env_steps as f64) / (next.env_steps - before.env_steps) as f64;
            before.mean_return + share * (next.mean_return - before.mean_return)
        }
    })
}

/// The mean return from `start` to `end` env steps: the area under the curve over its width. `None` if there are no evaluations before
/// `end`, or the width is 0.
pub(super) fn mean_over(course: &[Evaluated], start: f64, end: f64) -> Option<f64> {
    if start >= end {
        return None;
    }
    let inside = course.iter().map(|point| point.env_steps as f64).filter(|x| start < *x && *x < end);
    let xs: Vec<f64> = [start].into_iter().chain(inside).chain([end]).collect();
    let ys = xs.iter().map(|x| at(course, *x)).collect::<Option<Vec<f64>>>()?;
    let area: f64 = xs.windows(2).zip(ys.windows(2)).map(|(x, y)| (x[1] - x[0]) * (y[0] + y[1]) / 2.0).sum();
    Some(area / (end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(points: &[(u64, f64)]) -> Vec<Evaluated> {
        points
            .iter()
            .map(|(env_steps, mean_return)| Evaluated { env_steps: *env_steps, mean_return: *mean_return })
            .collect()
    }

    #[test]
    fn between_points_lies_a_line_and_after_the_last_a_level() {
        let course = course(&[(10, 0.0), (20, 10.0), (40, 30.0)]);
        let expected = [(9.0, None), (10.0, Some(0.0)), (15.0, Some(5.0)), (30.0, Some(20.0)), (99.0, Some(30.0))];
        for (x, value) in expected {
            assert_eq!(at(&course, x), value, "{x}");
        }
    }

    #[test]
    fn areas_by_hand() {
        let course = course(&[(10, 0.0), (20, 10.0), (40, 10.0)]);
        assert_eq!(mean_over(&course, 10.0, 20.0), Some(5.0));
        assert_eq!(mean_over(&course, 10.0, 40.0), Some(250.0 / 30.0));
        // Held from 40 on.
        assert_eq!(mean_over(&course, 20.0, 60.0), Some(10.0));
        assert_eq!(mean_over(&course, 0.0, 20.0), None);
        assert_eq!(mean_over(&course, 20.0, 20.0), None);
    }

    #[test]
    fn the_grid_begins_where_all_runs_have_begun_and_is_thinned() {
        let (a, b) = (course(&[(5, 0.0), (15, 1.0)]), course(&[(10, 0.0), (30, 2.0)]));
        assert_eq!(grid(&[&a, &b]), [10.0, 15.0, 30.0]);
        let long: Vec<Evaluated> = course(&(0..1000).map(|i| (i * 7, 0.0)).collect::<Vec<_>>());
        let xs = grid(&[&long]);
        assert_eq!((xs.len(), xs[0], xs[199]), (200, 0.0, 6993.0));
        assert!(grid(&[]).is_empty());
    }
}
