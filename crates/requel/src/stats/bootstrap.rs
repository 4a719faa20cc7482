//! [`Bootstrap`], intervals by resampling.

use serde::{Deserialize, Serialize};

use super::improvement::probability_of_improvement;
use super::order::{is_sample, quantile_of_sorted};
use crate::rng::{Stream, StreamRng};

/// The ends of a confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Percentile intervals by the stratified bootstrap (Efron 1979; Agarwal et al. 2021, §4.1): within each stratum (a task), as many runs as
/// it has are drawn with replacement, the statistic is computed from all of them, and the interval is the central part of its values over
/// many resamples.
///
/// Draws are counter-based and keyed by `seed`: the same sample has the same interval on every machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How many resamples.
    pub resamples: usize,
    /// The fraction of them inside the interval, between 0 and 1.
    pub confidence: f64,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 95 % of 50 000 resamples, as in rliable.
    fn default() -> Self {
        Bootstrap { resamples: 50_000, confidence: 0.95, seed: 0 }
    }
}

impl Bootstrap {
    /// The interval of a `statistic` of all runs of all strata together, which are passed stratum after stratum.
    ///
    /// `None` if there is no stratum, one is empty or contains NaN, there are no resamples, or the confidence is out of range.
    pub fn interval(&self, strata: &[&[f64]], statistic: impl Fn(&[f64]) -> f64) -> Option<Interval> {
        self.check(strata)?;
        let mut resample = vec![0.0; strata.iter().map(|stratum| stratum.len()).sum()];
        let mut rng = self.rng();
        let values = (0..self.resamples).map(|_| {
            draw_all(&mut rng, strata, &mut resample);
            statistic(&resample)
        });
        self.middle_of(values.collect())
    }

    /// The interval of a `statistic` that distinguishes tasks, the strata. The resamples are those of [`Bootstrap::interval`].
    ///
    /// `None` as there.
    pub fn interval_of_tasks(&self, tasks: &[&[f64]], statistic: impl Fn(&[&[f64]]) -> f64) -> Option<Interval> {
        self.check(tasks)?;
        let mut values = Vec::with_capacity(self.resamples);
        self.resample_tasks(tasks, |resample| values.push(statistic(resample)));
        self.middle_of(values)
    }

    /// The interval of [`probability_of_improvement`]: the runs of both sides are resampled, each within its task.
    ///
    /// `None` as there, or as for [`Bootstrap::interval`].
    pub fn improvement(&self, x: &[&[f64]], y: &[&[f64]]) -> Option<Interval> {
        probability_of_improvement(x, y)?;
        self.check(x)?;
        let mut rng = self.rng();
        let (mut of_x, mut of_y) = (Vec::new(), Vec::new());
        let values = (0..self.resamples).map(|_| {
            let mut sum = 0.0;
            for (x, y) in x.iter().zip(y) {
                of_x.resize(x.len(), 0.0);
                of_y.resize(y.len(), 0.0);
                draw(&mut rng, x, &mut of_x);
                draw(&mut rng, y, &mut of_y);
                sum += probability_of_improvement(&[&of_x], &[&of_y]).unwrap_or(f64::NAN);
            }
            sum / x.len() as f64
        });
        self.middle_of(values.collect())
    }

    fn rng(&self) -> StreamRng {
        StreamRng::new(self.seed, Stream::Bootstrap)
    }

    /// Passes on each resample, task by task. There are none for tasks that [`Bootstrap::check`] refuses.
    pub(super) fn resample_tasks(&self, tasks: &[&[f64]], mut each: impl FnMut(&[&[f64]])) {
        if self.check(tasks).is_none() {
            return;
        }
        let mut resample = vec![0.0; tasks.iter().map(|task| task.len()).sum()];
        let mut rng = self.rng();
        for _ in 0..self.resamples {
            draw_all(&mut rng, tasks, &mut resample);
            let mut rest = &resample[..];
            let mut next = |task: &&[f64]| {
                let (drawn, after) = rest.split_at(task.len());
                rest = after;
                drawn
            };
            each(&tasks.iter().map(&mut next).collect::<Vec<_>>());
        }
    }

    /// Checks that these can be resampled.
    fn check(&self, strata: &[&[f64]]) -> Option<()> {
        let is_sound = !strata.is_empty() && strata.iter().all(|stratum| is_sample(stratum));
        (is_sound && (0.0..1.0).contains(&self.confidence)).then_some(())
    }

    /// The range of the central part of the values.
    pub(super) fn middle_of(&self, mut values: Vec<f64>) -> Option<Interval> {
        values.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - self.confidence) / 2.0;
        let (low, high) = (quantile_of_sorted(&values, tail)?, quantile_of_sorted(&values, 1.0 - tail)?);
        Some(Interval { low, high })
    }
}

/// Fills `resample` with as many values of each stratum as it has, one stratum after the other.
fn draw_all(rng: &mut StreamRng, strata: &[&[f64]], resample: &mut [f64]) {
    let mut rest = resample;
    for stratum in strata {
        let (part, after) = rest.split_at_mut(stratum.len());
        draw(rng, stratum, part);
        rest = after;
    }
}

/// Fills `part` with values of `stratum`, drawn with replacement.
fn draw(rng: &mut StreamRng, stratum: &[f64], part: &mut [f64]) {
    let count = u32::try_from(stratum.len()).unwrap_or(u32::MAX);
    for value in part {
        *value = stratum[rng.below(count) as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{interquartile_mean, mean};

    fn mean_of(sample: &[f64]) -> f64 {
        mean(sample).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_seed_another() {
        let sample: Vec<f64> = (0..10).map(|i| f64::from(i * i)).collect();
        let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
        let of = |seed| Bootstrap { seed, ..bootstrap }.interval(&[&sample], mean_of).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn value_stability() {
        let sample = [1.0, 2.0, 4.0, 8.0, 16.0];
        let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::default() };
        let interval = bootstrap.interval(&[&sample], |s| interquartile_mean(s).unwrap()).unwrap();
        assert_eq!(interval, Interval { low: 1.333_333_333_333_333_3, high: 12.0 });
    }

    #[test]
    fn strata_are_drawn_from_apart() {
        // Each stratum is constant, so nothing can vary, while the whole sample does.
        let bootstrap = Bootstrap { resamples: 100, ..Bootstrap::default() };
        let interval = bootstrap.interval(&[&[1.0; 3], &[5.0; 3]], mean_of).unwrap();
        assert_eq!(interval, Interval { low: 3.0, high: 3.0 });
        let whole = bootstrap.interval(&[&[1.0, 1.0, 1.0, 5.0, 5.0, 5.0]], mean_of).unwrap();
        assert!(whole.low < 3.0 && whole.high > 3.0);
    }

    #[test]
    fn the_mean_of_two_values_has_the_interval_that_enumeration_gives() {
        // Means of two draws from {0, 1}: 0 and 1 with a quarter each, so both 2.5 % tails lie in them.
        let interval = Bootstrap::default().interval(&[&[0.0, 1.0]], mean_of).unwrap();
        assert_eq!(interval, Interval { low: 0.0, high: 1.0 });
        // Half of the resamples are one half: the middle 40 % is nothing else.
        let narrow = Bootstrap { confidence: 0.4, ..Bootstrap::default() }.interval(&[&[0.0, 1.0]], mean_of).unwrap();
        assert_eq!(narrow, Interval { low: 0.5, high: 0.5 });
    }

    #[test]
    fn the_interval_covers_the_truth_about_as_often_as_it_says() {
        // 400 samples of 30 uniform draws: the percentile interval of a mean covers a little less than 95 %, here between
        // 90.7 % and 97.5 % (0.94 ± 3 standard errors of a share over 400).
        let bootstrap = Bootstrap { resamples: 400, ..Bootstrap::default() };
        let mut rng = StreamRng::new(5, Stream::Bootstrap);
        let covers = (0..400).filter(|_| {
            let sample: Vec<f64> = (0..30).map(|_| f64::from(rng.uniform())).collect();
            let interval = bootstrap.interval(&[&sample], mean_of).unwrap();
            interval.low <= 0.5 && 0.5 <= interval.high
        });
        let covers = covers.count();
        assert!((363..=390).contains(&covers), "{covers} of 400");
    }

    #[test]
    fn nothing_comes_of_nothing() {
        let bootstrap = Bootstrap { resamples: 10, ..Bootstrap::default() };
        assert_eq!(bootstrap.interval(&[], mean_of), None);
        assert_eq!(bootstrap.interval(&[&[1.0], &[]], mean_of), None);
        assert_eq!(Bootstrap { confidence: 1.5, ..bootstrap }.interval(&[&[1.0]], mean_of), None);
        assert_eq!(Bootstrap { resamples: 0, ..bootstrap }.interval(&[&[1.0]], mean_of), None);
        assert_eq!(bootstrap.improvement(&[&[1.0]], &[&[]]), None);
        assert_eq!(bootstrap.improvement(&[&[2.0]], &[&[1.0]]), Some(Interval { low: 1.0, high: 1.0 }));
    }
}
