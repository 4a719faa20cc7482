//! [`Course`], the curves of a training run, read from `metrics.jsonl`.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use requel::storage::open_regular;
use requel::train::{Aggregates, EventRecord, ScoreRecord};
use serde::Serialize;

/// The curves of a training run, as columns for charts. Every `x` is in env steps.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Course {
    /// Finished training episodes, thinned out if there are very many.
    pub episodes: Episodes,
    /// Training aggregates.
    pub train: Train,
    /// Scores of the greedy policy.
    pub evaluations: Evaluations,
}

/// Finished training episodes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Episodes {
    x: Vec<f64>,
    returns: Vec<f64>,
}

/// Training aggregates; `null` if there was no update.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Train {
    x: Vec<f64>,
    return_mean: Vec<Option<f64>>,
    length_mean: Vec<Option<f64>>,
    loss: Vec<Option<f64>>,
    mean_q: Vec<Option<f64>>,
    epsilon: Vec<Option<f64>>,
}

/// Scores of the greedy policy.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evaluations {
    pub(super) x: Vec<f64>,
    pub(super) mean: Vec<f64>,
    pub(super) std: Vec<f64>,
    pub(super) episodes: Vec<f64>,
    pub(super) best: Vec<bool>,
    /// The highest mean of all, even if thinning dropped it.
    highest: Option<f64>,
}

/// The maximum number of points that a screen can show.
const MOST_POINTS: usize = 4000;
/// The maximum length of a line in the log, bytes; a longer one is damaged.
pub const MOST_LINE: u64 = 64 << 10;

impl Course {
    /// Reads the log of a run. Lines that are not JSON (such as a last one cut short by a crash) are skipped. However long the log is, no
    /// more than can be shown is kept in memory.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::read_from(BufReader::with_capacity(256 << 10, open_regular(path)?))
    }

    /// Like [`Course::read`], for anything with lines.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_from(mut log: impl BufRead) -> io::Result<Self> {
        let mut gathering = Gathering::default();
        let mut line = Vec::new();
        while log.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)? > 0 {
            let is_whole = line.ends_with(b"\n") || (line.len() as u64) < MOST_LINE;
            if is_whole {
                gathering.line(&line);
            } else {
                log.skip_until(b'\n')?;
            }
            line.clear();
        }
        Ok(gathering.into_course())
    }

    fn thin(&mut self, most: usize) {
        let thin_all = |columns: [&mut Vec<f64>; 2]| columns.into_iter().for_each(|column| thin(column, most));
        thin_all([&mut self.episodes.x, &mut self.episodes.returns]);
        let Train { x, return_mean, length_mean, loss, mean_q, epsilon } = &mut self.train;
        thin(x, most);
        [return_mean, length_mean, loss, mean_q, epsilon].into_iter().for_each(|column| thin(column, most));
        let Evaluations { x, mean, std, episodes, best, .. } = &mut self.evaluations;
        thin_all([x, mean]);
        thin_all([std, episodes]);
        thin(best, most);
    }
}

/// Builds a course line by line, and never holds more than twice as many points as can be shown.
#[derive(Debug)]
pub struct Gathering {
    course: Course,
    /// The number of each episode that was kept.
    indices: Vec<u64>,
    strides: Strides,
    most_points: usize,
}

impl Default for Gathering {
    fn default() -> Self {
        Self::new(MOST_POINTS)
    }
}

impl Gathering {
    /// Without lines yet; each curve of the course will have at most this many points.
    pub fn new(most_points: usize) -> Self {
        Gathering { course: Course::default(), indices: Vec::new(), strides: Strides::default(), most_points }
    }

    /// Adds a line of `metrics.jsonl`, with or without its line break.
    pub fn line(&mut self, line: &[u8]) {
        // Most lines are episodes, and most of very many are not shown: those need not be parsed.
        if line.starts_with(EventRecord::EPISODE) {
            let index = index_of(line).unwrap_or(self.strides.episodes.seen);
            if !self.strides.episodes.takes(index) {
                return;
            }
            if let Some(EventRecord::Episode { env_steps, episode }) = EventRecord::read(line) {
                self.note_episode((env_steps, episode.return_), index);
            }
        } else if let Some(event) = EventRecord::read(line) {
            self.note(&event);
        }
    }

    /// The maximum number of points in a curve.
    pub fn most_points(&self) -> usize {
        self.most_points
    }

    /// The course so far, ready to be shown.
    pub fn course(&self) -> Course {
        let mut course = self.course.clone();
        course.thin(self.most_points);
        course
    }

    fn into_course(mut self) -> Course {
        self.course.thin(self.most_points);
        self.course
    }

    /// Episodes are selected by number and not by line: the log itself skips more and more of very many episodes, and the ones shown should
    /// be spread evenly over training.
    fn note_episode(&mut self, (env_steps, return_): (u64, f64), index: u64) {
        let Episodes { x, returns } = &mut self.course.episodes;
        x.push(tidy(env_steps as f64));
        returns.push(tidy(return_));
        self.indices.push(index);
        if x.len() < 2 * self.most_points {
            return;
        }
        let every = &mut self.strides.episodes.every;
        *every = (*every * 2).min(1 << 62);
        let mut kept: Vec<bool> = self.indices.iter().map(|index| index.is_multiple_of(*every)).collect();
        if kept.iter().filter(|kept| **kept).count() > self.most_points * 3 / 2 {
            // Numbers that cannot be episode numbers: whatever a log contains, memory stays bounded.
            kept = (0..kept.len()).map(|at| at % 2 == 0).collect();
        }
        [x, returns].into_iter().for_each(|column| retain(column, &kept));
        retain(&mut self.indices, &kept);
    }

    fn note(&mut self, event: &EventRecord) {
        let (most, strides) = (self.most_points, &mut self.strides);
        match *event {
            EventRecord::Train(aggregates) if strides.train.takes_next() => {
                let Train { x: xs, return_mean, length_mean, loss, mean_q, epsilon } = &mut self.course.train;
                xs.push(tidy(aggregates.env_steps as f64));
                let full = strides.train.is_full(xs.len(), most);
                let Aggregates { return_mean: mean, length_mean: length, loss: l, mean_q: q, epsilon: e, .. } =
                    aggregates;
                let columns = [return_mean, length_mean, loss, mean_q, epsilon];
                for (value, column) in [mean, length, l, q, e].into_iter().zip(columns) {
                    column.push(value.map(tidy));
                    if full {
                        halve(column);
                    }
                }
                if full {
                    halve(xs);
                }
            }
            EventRecord::Evaluation { env_steps, score, best: is_best, .. } => {
                let ScoreRecord { mean_return, std_return, episodes: count, .. } = score;
                let Evaluations { x: xs, mean, std, episodes, best, highest } = &mut self.course.evaluations;
                *highest = highest.iter().copied().chain([tidy(mean_return)]).reduce(f64::max);
                if !strides.evaluations.takes_next() {
                    return;
                }
                xs.push(tidy(env_steps as f64));
                best.push(is_best);
                let full = strides.evaluations.is_full(xs.len(), most);
                let values = [mean_return, std_return, count as f64];
                for (value, column) in values.into_iter().zip([mean, std, episodes]) {
                    column.push(tidy(value));
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
}

/// The number of an episode, without parsing its line: it comes right after the env steps.
fn index_of(line: &[u8]) -> Option<u64> {
    let behind = line.strip_prefix(EventRecord::EPISODE)?.strip_prefix(b",\"env_steps\":")?;
    let (_, behind) = digits(behind);
    digits(behind.strip_prefix(b",\"index\":")?).0
}

/// The number at the start of a text, and the text after it.
fn digits(text: &[u8]) -> (Option<u64>, &[u8]) {
    let (digits, behind) = text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count());
    (std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()), behind)
}

/// Keeps every n-th event.
#[derive(Debug, Default)]
struct Strides {
    episodes: Stride,
    train: Stride,
    evaluations: Stride,
}

#[derive(Debug)]
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
    /// Counts an event, and returns whether the one with this number is kept.
    fn takes(&mut self, index: u64) -> bool {
        self.seen += 1;
        index.is_multiple_of(self.every)
    }

    fn takes_next(&mut self) -> bool {
        self.takes(self.seen)
    }

    /// Whether there are too many, so that every other one must be dropped.
    fn is_full(&mut self, len: usize, most: usize) -> bool {
        let full = len >= 2 * most;
        self.every *= if full { 2 } else { 1 };
        full
    }
}

/// Keeps the elements for which `kept` returns true.
fn retain<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| kept.next().is_some_and(|kept| *kept));
}

/// Keeps every other element, starting with the first.
fn halve<T>(values: &mut Vec<T>) {
    let mut keep = false;
    values.retain(|_| {
        keep = !keep;
        keep
    });
}

/// Keeps every n-th element, so that at most `most` are left.
fn thin<T>(values: &mut Vec<T>, most: usize) {
    let step = values.len().div_ceil(most).max(1);
    let mut index = 0;
    values.retain(|_| {
        index += 1;
        (index - 1) % step == 0
    });
}

/// The number with six significant digits, enough for a chart.
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

    /// As a run with very many episodes writes its log: ever fewer of them.
    #[test]
    fn episodes_that_the_log_thinned_are_shown_evenly_over_training() {
        let mut gathering = Gathering::new(500);
        for index in 0..1u64 << 20 {
            let every = (index >> 12).checked_ilog2().map_or(1, |log2| 2 << log2);
            if index % every == 0 {
                let line =
                    format!("{{\"event\":\"episode\",\"env_steps\":{index},\"index\":{index},\"return\":1.0}}\n");
                gathering.line(line.as_bytes());
            }
        }
        let xs = gathering.course().episodes.x;
        assert!(xs.len() > 250 && xs.len() <= 500, "{}", xs.len());
        let gaps: Vec<f64> = xs.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // Six digits are kept of each.
        assert!(gaps.iter().all(|gap| (gap - gaps[0]).abs() < 20.0), "{gaps:?}");
    }

    #[test]
    fn numbers_of_episodes_that_are_all_the_same_fill_no_memory() {
        let mut gathering = Gathering::new(50);
        (0..10_000)
            .for_each(|_| gathering.line(b"{\"event\":\"episode\",\"env_steps\":1,\"index\":0,\"return\":1.0}\n"));
        assert!(gathering.indices.len() < 100 && gathering.course().episodes.x.len() <= 50);
    }

    #[test]
    fn long_columns_are_thinned_alike() {
        let mut values: Vec<usize> = (0..10_001).collect();
        thin(&mut values, MOST_POINTS);
        assert_eq!((values.len(), values[1]), (3334, 3));
    }

    #[test]
    fn the_number_of_an_episode_is_read_without_the_rest() {
        let number = |line: &str| index_of(line.as_bytes());
        assert_eq!(number("{\"event\":\"episode\",\"env_steps\":40,\"index\":3,\"return\":9.5}"), Some(3));
        for line in ["{\"event\":\"episode\",\"return\":2.0}", "{\"event\":\"train\",\"env_steps\":40,\"index\":3}", ""]
        {
            assert_eq!(number(line), None, "{line}");
        }
    }

    #[test]
    fn numbers_keep_six_digits() {
        assert_eq!([tidy(1.0 / 3.0), tidy(123456.789), tidy(-0.0), tidy(2.5e-9)], [0.333333, 123457.0, 0.0, 2.5e-9]);
    }
}
