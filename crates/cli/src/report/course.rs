//! [`Course`], how training went, read from `metrics.jsonl`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
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
/// No line of the log is longer, bytes; one that is has been damaged.
const MOST_LINE: u64 = 64 << 10;

impl Course {
    /// Reads the log of a run. Lines that are no JSON (a last one cut short by a crash) are left out. However long the log is,
    /// no more is kept in memory than can be shown.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::read_from(BufReader::new(File::open(path)?))
    }

    /// As [`Course::read`], from anything with lines.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_from(mut log: impl BufRead) -> io::Result<Self> {
        let mut course = Course::default();
        let mut strides = Strides::default();
        let mut line = Vec::new();
        while log.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)? > 0 {
            let is_whole = line.ends_with(b"\n") || (line.len() as u64) < MOST_LINE;
            if !is_whole {
                log.skip_until(b'\n')?;
            } else if let Ok(event) = serde_json::from_slice::<Value>(&line) {
                course.note(&event, &mut strides);
            }
            line.clear();
        }
        course.thin();
        Ok(course)
    }

    fn note(&mut self, event: &Value, strides: &mut Strides) {
        let number = |key: &str| event[key].as_f64().map(tidy);
        let x = number("env_steps").unwrap_or(0.0);
        match event["event"].as_str() {
            Some("episode") if strides.episodes.takes() => {
                let Episodes { x: xs, returns } = &mut self.episodes;
                xs.push(x);
                returns.push(number("return").unwrap_or(0.0));
                if strides.episodes.is_full(xs.len()) {
                    halve(xs);
                    halve(returns);
                }
            }
            Some("train") if strides.train.takes() => {
                let Train { x: xs, return_mean, length_mean, loss, mean_q, epsilon } = &mut self.train;
                xs.push(x);
                let full = strides.train.is_full(xs.len());
                let keys = ["return_mean_100", "length_mean_100", "loss", "mean_q", "epsilon"];
                for (key, column) in keys.into_iter().zip([return_mean, length_mean, loss, mean_q, epsilon]) {
                    column.push(number(key));
                    if full {
                        halve(column);
                    }
                }
                if full {
                    halve(xs);
                }
            }
            Some("evaluation") if strides.evaluations.takes() => {
                let Evaluations { x: xs, mean, std, episodes, best } = &mut self.evaluations;
                xs.push(x);
                best.push(event["best"] == true);
                let full = strides.evaluations.is_full(xs.len());
                for (key, column) in ["mean_return", "std_return", "episodes"].into_iter().zip([mean, std, episodes]) {
                    column.push(number(key).unwrap_or(0.0));
                    if full {
                        halve(column);
                    }
                }
                if full {
                    halve(xs);
                    halve(best);
                }
            }
            _ => {}
        }
    }

    fn thin(&mut self) {
        thin(&mut self.episodes.x);
        thin(&mut self.episodes.returns);
        let Train { x, return_mean, length_mean, loss, mean_q, epsilon } = &mut self.train;
        thin(x);
        [return_mean, length_mean, loss, mean_q, epsilon].into_iter().for_each(thin);
        let Evaluations { x, mean, std, episodes, best } = &mut self.evaluations;
        [x, mean, std, episodes].into_iter().for_each(thin);
        thin(best);
    }
}

/// Of which events only every so many-th is kept.
#[derive(Default)]
struct Strides {
    episodes: Stride,
    train: Stride,
    evaluations: Stride,
}

struct Stride {
    every: u64,
    seen: u64,
}

impl Default for Stride {
    fn default() -> Self {
        Stride { every: 1, seen: 0 }
    }
}

impl Stride {
    /// Counts an event, and says whether it is kept.
    fn takes(&mut self) -> bool {
        self.seen += 1;
        (self.seen - 1).is_multiple_of(self.every)
    }

    /// Whether so many are too many, of which every other one is to go.
    fn is_full(&mut self, len: usize) -> bool {
        let full = len >= 2 * MOST_POINTS;
        self.every *= if full { 2 } else { 1 };
        full
    }
}

/// Keeps every other element, the first one too.
fn halve<T>(values: &mut Vec<T>) {
    let mut keep = false;
    values.retain(|_| {
        keep = !keep;
        keep
    });
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
        let course = Course::read_from(
            &b"{\"event\":\"episode\",\"env_steps\":20,\"index\":0,\"return\":20.0,\"length\":20}\n\
             {\"event\":\"train\",\"env_steps\":250,\"return_mean_100\":21.5,\"loss\":null,\"epsilon\":0.1}\n\
             {\"event\":\"evaluation\",\"env_steps\":500,\"mean_return\":9.0,\"std_return\":0.5,\"episodes\":3,\"best\":true}\n\
             {\"event\":\"epis"[..],
        )
        .unwrap();
        assert_eq!((course.episodes.x, course.episodes.returns), (vec![20.0], vec![20.0]));
        assert_eq!((course.train.x, course.train.loss), (vec![250.0], vec![None]));
        assert_eq!((course.evaluations.mean, course.evaluations.best), (vec![9.0], vec![true]));
    }

    #[test]
    fn a_log_of_any_length_keeps_what_can_be_shown() {
        let mut log = Vec::new();
        for i in 0..50_000u64 {
            log.extend(format!("{{\"event\":\"episode\",\"env_steps\":{i},\"return\":{i}}}\n").into_bytes());
            log.extend(format!("{{\"event\":\"train\",\"env_steps\":{i},\"loss\":{i}}}\n").into_bytes());
            log.extend(format!("{{\"event\":\"evaluation\",\"env_steps\":{i},\"mean_return\":{i}}}\n").into_bytes());
        }
        // A line without end is damage, and not kept in memory.
        log.extend(vec![b'['; 3 * MOST_LINE as usize]);
        let course = Course::read_from(&log[..]).unwrap();
        let (episodes, evaluations) = (&course.episodes, &course.evaluations);
        assert_eq!(episodes.x, episodes.returns);
        assert_eq!(evaluations.x, evaluations.mean);
        assert!(course.train.x.iter().zip(&course.train.loss).all(|(x, loss)| Some(*x) == *loss));
        for xs in [&episodes.x, &course.train.x, &evaluations.x] {
            assert!(xs.len() > MOST_POINTS / 2 && xs.len() <= MOST_POINTS, "{}", xs.len());
            assert!(xs[0] == 0.0 && xs.windows(2).all(|pair| pair[1] - pair[0] == xs[1]));
        }
        assert_eq!(evaluations.best.len(), evaluations.x.len());
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
