//! Point estimates: one number for a sample.

use super::order::is_sample;

/// The arithmetic mean. `None` for an empty sample, and for one that contains NaN; the same holds for all functions here.
pub fn mean(sample: &[f64]) -> Option<f64> {
    is_sample(sample).then(|| sample.iter().sum::<f64>() / sample.len() as f64)
}

/// The interquartile mean: the mean after dropping the lowest and the highest quarter, each rounded down to whole values (Agarwal et al.
/// 2021, §4.3; `scipy.stats.trim_mean` with a proportion of 0.25).
///
/// Less affected by one lucky run than the mean, and less by chance than the median. The sample contains all runs on all tasks. `None` for
/// an empty sample.
pub fn interquartile_mean(sample: &[f64]) -> Option<f64> {
    if !is_sample(sample) {
        return None;
    }
    let mut sorted = sample.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let cut = sorted.len() / 4;
    mean(&sorted[cut..sorted.len() - cut])
}

/// How much a sample falls short of `target` on average; values above the target count as the target (Agarwal et al. 2021, §4.3). In the
/// unit of the sample, 0 is best. `None` for an empty sample.
pub fn optimality_gap(sample: &[f64], target: f64) -> Option<f64> {
    if !is_sample(sample) || target.is_nan() {
        return None;
    }
    let capped: Vec<f64> = sample.iter().map(|value| value.min(target)).collect();
    Some(target - mean(&capped)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_that_is_none_is_no_statistic() {
        use crate::stats::{Bootstrap, highest, lowest, median, probability_of_improvement};
        // Cut off at one end, or never greater, it would be seen by nobody.
        let sample = [1.0, 2.0, 3.0, f64::NAN];
        let of = [mean(&sample), interquartile_mean(&sample), median(&sample), lowest(&sample), highest(&sample)];
        assert_eq!(of, [None; 5]);
        assert_eq!((optimality_gap(&sample, 1.0), optimality_gap(&[1.0], f64::NAN)), (None, None));
        assert_eq!(probability_of_improvement(&[&sample], &[&[1.0]]), None);
        assert_eq!(probability_of_improvement(&[&[1.0]], &[&sample]), None);
        let bootstrap = Bootstrap { resamples: 10, ..Bootstrap::default() };
        assert_eq!(bootstrap.interval(&[&[1.0, 2.0], &sample], |_| 1.0), None);
        assert_eq!(bootstrap.improvement(&[&sample], &[&[1.0]]), None);
    }

    #[test]
    fn tables_by_hand() {
        // Of eight values two are cut at each end, of seven and of six one, of three none.
        assert_eq!(interquartile_mean(&[8.0, 1.0, 4.0, 2.0, 3.0, 7.0, 100.0, 6.0]), Some(5.0));
        assert_eq!(interquartile_mean(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 60.0]), Some(3.0));
        assert_eq!(interquartile_mean(&[-9.0, 1.0, 2.0, 3.0, 4.0, 90.0]), Some(2.5));
        assert_eq!(interquartile_mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(interquartile_mean(&[]), None);
        assert_eq!(optimality_gap(&[400.0, 500.0, 600.0], 500.0), Some(500.0 - 1400.0 / 3.0));
        assert_eq!(optimality_gap(&[], 1.0), None);
        assert_eq!((mean(&[1.0, 2.0]), mean(&[])), (Some(1.5), None));
    }
}
