//! Statistics of runs, for `requel.stats`.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use requel::stats::{self, Aggregate, Bootstrap, Estimate};

/// A value and the ends of its interval, if there is one.
type Numbers = (f64, Option<(f64, f64)>);

/// A curve and the ends of the intervals of its points, if there are any.
type Curve<'py> = (Bound<'py, PyArray1<f64>>, Option<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>)>);

/// How an interval is computed; its fields are passed by `requel.stats` as one tuple.
#[derive(FromPyObject)]
pub struct Resampling(f64, usize, u64);

impl Resampling {
    fn bootstrap(&self) -> Bootstrap {
        Bootstrap { confidence: self.0, resamples: self.1, seed: self.2 }
    }
}

/// An aggregate of all runs of all tasks: `iqm`, `median`, `mean` or `optimality_gap`, which has a target.
#[pyfunction]
pub fn aggregate(
    py: Python<'_>,
    name: &str,
    tasks: Vec<PyReadonlyArray1<'_, f64>>,
    target: f64,
    resampling: Option<Resampling>,
) -> PyResult<Numbers> {
    let aggregate = match name {
        "iqm" => Aggregate::InterquartileMean,
        "median" => Aggregate::Median,
        "mean" => Aggregate::Mean,
        "optimality_gap" => Aggregate::OptimalityGap { target },
        _ => return Err(PyValueError::new_err(format!("no aggregate {name:?}"))),
    };
    let owned = owned(&tasks);
    py.detach(|| {
        let tasks = borrowed(&owned);
        match resampling {
            Some(resampling) => aggregate.estimate(&tasks, &resampling.bootstrap()).map(numbers),
            None => aggregate.of(&tasks).map(|value| (value, None)),
        }
    })
    .ok_or_else(no_scores)
}

/// The probability that a run of `x` scores higher than one of `y` on the same task.
#[pyfunction]
pub fn probability_of_improvement(
    py: Python<'_>,
    x: Vec<PyReadonlyArray1<'_, f64>>,
    y: Vec<PyReadonlyArray1<'_, f64>>,
    resampling: Option<Resampling>,
) -> PyResult<Numbers> {
    let (x, y) = (owned(&x), owned(&y));
    py.detach(|| {
        let (x, y) = (borrowed(&x), borrowed(&y));
        match resampling {
            Some(resampling) => Estimate::improvement_on_tasks(&x, &y, &resampling.bootstrap()).map(numbers),
            None => stats::probability_of_improvement(&x, &y).map(|value| (value, None)),
        }
    })
    .ok_or_else(no_scores)
}

/// The fraction of runs above each threshold.
#[pyfunction]
pub fn performance_profile<'py>(
    py: Python<'py>,
    tasks: Vec<PyReadonlyArray1<'py, f64>>,
    thresholds: PyReadonlyArray1<'py, f64>,
    resampling: Option<Resampling>,
) -> PyResult<Curve<'py>> {
    let (owned, thresholds) = (owned(&tasks), thresholds.as_array().to_vec());
    let (values, intervals) = py.detach(|| {
        let tasks = borrowed(&owned);
        let intervals = resampling.and_then(|resampling| resampling.bootstrap().profile(&tasks, &thresholds));
        (stats::performance_profile(&tasks, &thresholds), intervals)
    });
    let values = PyArray1::from_vec(py, values.ok_or_else(no_scores)?);
    let intervals = intervals.map(|intervals| {
        let low = PyArray1::from_iter(py, intervals.iter().map(|interval| interval.low));
        (low, PyArray1::from_iter(py, intervals.iter().map(|interval| interval.high)))
    });
    Ok((values, intervals))
}

/// Scores on a scale where `zero` is 0 and `one` is 1.
#[pyfunction]
pub fn normalized<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray1<'py, f64>,
    zero: f64,
    one: f64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let scores = stats::normalized(&scores.as_array().to_vec(), zero, one);
    let refused = || {
        PyValueError::new_err(format!(
            "a scale from {zero} to {one}: both ends must be finite and \
                                                    different"
        ))
    };
    Ok(PyArray1::from_vec(py, scores.ok_or_else(refused)?))
}

/// The scores of each task in memory that Python does not change meanwhile.
fn owned(tasks: &[PyReadonlyArray1<'_, f64>]) -> Vec<Vec<f64>> {
    tasks.iter().map(|task| task.as_array().to_vec()).collect()
}

fn borrowed(tasks: &[Vec<f64>]) -> Vec<&[f64]> {
    tasks.iter().map(Vec::as_slice).collect()
}

fn numbers(estimate: Estimate) -> Numbers {
    (estimate.value, estimate.interval.map(|interval| (interval.low, interval.high)))
}

fn no_scores() -> PyErr {
    PyValueError::new_err(
        "scores need at least one task with at least one run each, and no score or threshold may be NaN",
    )
}
