//! The probability of improvement.

use super::order::is_sample;

/// The probability that a run of `x` scores higher than one of `y`, ties counted half: the Mann-Whitney U statistic as a fraction of all
/// pairs, averaged over tasks (Agarwal et al. 2021, §4.3; Mann & Whitney 1947).
///
/// `x[t]` and `y[t]` are the scores of all runs on task `t`; the numbers of runs may differ. 0.5 means that neither is better. `None` if
/// there is no task, the numbers of tasks differ, or a task has no run or a score that is NaN.
///
/// ```
/// use requel::stats::probability_of_improvement;
///
/// // 2 beats 1 and ties with 2; 3 beats both: 3.5 of 4 pairs.
/// assert_eq!(probability_of_improvement(&[&[2.0, 3.0]], &[&[1.0, 2.0]]), Some(0.875));
/// ```
pub fn probability_of_improvement(x: &[&[f64]], y: &[&[f64]]) -> Option<f64> {
    if x.is_empty() || x.len() != y.len() {
        return None;
    }
    let mut sum = 0.0;
    for (x, y) in x.iter().zip(y) {
        sum += share_of_pairs(x, y)?;
    }
    Some(sum / x.len() as f64)
}

fn share_of_pairs(x: &[f64], y: &[f64]) -> Option<f64> {
    if !is_sample(x) || !is_sample(y) {
        return None;
    }
    // Halves are counted as ones, so that the count is exact.
    let pair = |a: &f64, b: &f64| 2 * u64::from(a > b) + u64::from(a == b);
    let halves: u64 = x.iter().map(|a| y.iter().map(|b| pair(a, b)).sum::<u64>()).sum();
    Some(halves as f64 / (2 * x.len() * y.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_by_hand() {
        let of = |x: &[f64], y: &[f64]| probability_of_improvement(&[x], &[y]);
        assert_eq!(of(&[1.0, 2.0], &[3.0]), Some(0.0));
        assert_eq!(of(&[3.0], &[1.0, 2.0, 4.0]), Some(2.0 / 3.0));
        assert_eq!(of(&[5.0; 4], &[5.0; 3]), Some(0.5));
        assert_eq!((of(&[], &[1.0]), of(&[1.0], &[])), (None, None));
        let two = probability_of_improvement(&[&[1.0], &[2.0]], &[&[0.0], &[2.0]]);
        assert_eq!(two, Some(0.75));
        assert_eq!(probability_of_improvement(&[&[1.0]], &[]), None);
    }

    #[test]
    fn what_one_gains_the_other_loses() {
        let (x, y) = ([3.0, 1.0, 4.0, 1.0, 5.0], [2.0, 1.0, 8.0]);
        let one = probability_of_improvement(&[&x], &[&y]).unwrap();
        let other = probability_of_improvement(&[&y], &[&x]).unwrap();
        assert!((one + other - 1.0).abs() < 1e-15);
    }
}
