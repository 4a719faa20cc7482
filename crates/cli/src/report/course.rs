//! [`Course`], how training went, read from `metrics.jsonl`.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

/// How training went, as columns for charts. Every `x` is in env steps.
#[derive(Debug, Default, Serialize)]
pub struct Course {
    /// Finished training episodes, thinned out where there are very many.
    pub episodes: Episodes,
    /// Training aggregates.
    pub train: Train,
    /// Scores of the greedy policy.
    pub evaluations: Evaluations,
}

/// Finished training episodes.
#[derive(Debug, Default, Serialize)]
pub struct Episodes {
    x: Vec<f64>,
    returns: Vec<f64>,
}

/// Training aggregates; `null` where nothing was learned.
#[derive(Debug, Default, Serialize)]
pub struct Train {
    x: Vec<f64>,
    return_mean: Vec<Option<f64>>,
    length_mean: Vec<Option<f64>>,
    loss: Vec<Option<f64>>,
    mean_q: Vec<Option<f64>>,
    epsilon: Vec<Option<f64>>,
}

/// Scores of the greedy policy.
#[derive(Debug, Default, Serialize)]
pub struct Evaluations {
    x: Vec<f64>,
    mean: Vec<f64>,
    std: Vec<f64>,
    episodes: Vec<f64>,
    best: Vec<bool>,
}

/// No screen shows more points than this.
const MOST_POINTS: usize = 4000;

impl Course {
    /// Reads the log of a run. Lines that are no JSON (a last one cut short by a crash) are left out.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::parse(&std::fs::read_to_string(path)?))
    }

    fn parse(text: &str) -> Self {
        let mut course = Course::default();
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let number = |key: &str| line[key].as_f64().map(tidy);
            let x = number("env_steps").unwrap_or(0.0);
            match line["event"].as_str() {
                Some("episode") => {
                    course.episodes.x.push(x);
                    course.episodes.returns.push(number("return").unwrap_or(0.0));
                }
                Some("train") => {
                    let train = &mut course.train;
                    train.x.push(x);
                    train.return_mean.push(number("return_mean_100"));
                    train.length_mean.push(number("length_mean_100"));
                    train.loss.push(number("loss"));
                    train.mean_q.push(number("mean_q"));
                    train.epsilon.push(number("epsilon"));
                }
                Some("evaluation") => {
                    let evaluations = &mut course.evaluations;
                    evaluations.x.push(x);
                    evaluations.mean.push(number("mean_return").unwrap_or(0.0));
                    evaluations.std.push(number("std_return").unwrap_or(0.0));
                    evaluations.episodes.push(number("episodes").unwrap_or(0.0));
                    evaluations.best.push(line["best"] == true);
                }
                _ => {}
            }
        }
        course.thin();
        course
    }

    fn thin(&mut self) {
        thin(&mut self.episodes.x);
        thin(&mut self.episodes.returns);
        let Train { x, return_mean, length_mean, loss, mean_q, epsilon } = &mut self.train;
        thin(x);
        [return_mean, length_mean, loss, mean_q, epsilon].into_iter().for_each(thin);
    }
}

/// Keeps every so many-th element, so that no more than [`MOST_POINTS`] are left.
fn thin<T>(values: &mut Vec<T>) {
    let step = values.len().div_ceil(MOST_POINTS).max(1);
    let mut index = 0;
    values.retain(|_| {
        index += 1;
        (index - 1) % step == 0
    });
}

/// The number with six significant digits, which a chart cannot tell from all of them.
fn tidy(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powi(5 - value.abs().log10().floor() as i32);
    if scale.is_finite() && scale > 0.0 { (value * scale).round() / scale } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_columns() {
        let course = Course::parse(
            "{\"event\":\"episode\",\"env_steps\":20,\"index\":0,\"return\":20.0,\"length\":20}\n\
             {\"event\":\"train\",\"env_steps\":250,\"return_mean_100\":21.5,\"loss\":null,\"epsilon\":0.1}\n\
             {\"event\":\"evaluation\",\"env_steps\":500,\"mean_return\":9.0,\"std_return\":0.5,\"episodes\":3,\"best\":true}\n\
             {\"event\":\"epis",
        );
        assert_eq!((course.episodes.x, course.episodes.returns), (vec![20.0], vec![20.0]));
        assert_eq!((course.train.x, course.train.loss), (vec![250.0], vec![None]));
        assert_eq!((course.evaluations.mean, course.evaluations.best), (vec![9.0], vec![true]));
    }

    #[test]
    fn long_columns_are_thinned_alike() {
        let mut values: Vec<usize> = (0..10_001).collect();
        thin(&mut values);
        assert_eq!((values.len(), values[1]), (3334, 3));
    }

    #[test]
    fn numbers_keep_six_digits() {
        assert_eq!([tidy(1.0 / 3.0), tidy(123456.789), tidy(-0.0), tidy(2.5e-9)], [0.333333, 123457.0, 0.0, 2.5e-9]);
    }
}
