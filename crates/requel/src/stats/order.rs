//! Order statistics of a sample.

/// Whether values form a sample: there is at least one, and none is NaN. Sorting would move NaN to one end, where it could be cut off
/// unnoticed.
pub(super) fn is_sample(values: &[f64]) -> bool {
    !values.is_empty() && !values.iter().any(|value| value.is_nan())
}

/// The median of a sample: the mean of the two middle values if their number is even. `None` for an empty sample, and for one that contains
/// NaN; the same holds for all functions here.
pub fn median(sample: &[f64]) -> Option<f64> {
    quantile(sample, 0.5)
}

/// The smallest value. `None` for an empty sample.
pub fn lowest(sample: &[f64]) -> Option<f64> {
    quantile(sample, 0.0)
}

/// The largest value. `None` for an empty sample.
pub fn highest(sample: &[f64]) -> Option<f64> {
    quantile(sample, 1.0)
}

/// The quantile at `level` in 0..=1 by linear interpolation between order statistics, like numpy's default (type 7 of Hyndman and Fan
/// 1996). Infinite values are ordered like others; between two equal ones nothing is interpolated. `None` for an empty sample, for one that
/// contains NaN, and for a level out of range.
pub fn quantile(sample: &[f64], level: f64) -> Option<f64> {
    if !is_sample(sample) {
        return None;
    }
    let mut sorted = sample.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_of_sorted(&sorted, level)
}

/// The same for a sample in ascending order.
pub(super) fn quantile_of_sorted(sorted: &[f64], level: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&level) {
        return None;
    }
    let position = level * (sorted.len().checked_sub(1)? as f64);
    let below = sorted.get(position.floor() as usize)?;
    let above = sorted.get(position.ceil() as usize)?;
    Some(if below == above { *below } else { below + (above - below) * position.fract() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8], [0, .25, .5, .75, 1])
        let sample = [8.0, 1.0, 4.0, 2.0];
        let expected = [1.0, 1.75, 3.0, 5.0, 8.0];
        for (level, expected) in [0.0, 0.25, 0.5, 0.75, 1.0].into_iter().zip(expected) {
            assert_eq!(quantile(&sample, level), Some(expected));
        }
        assert_eq!(median(&[]), None);
        assert_eq!((lowest(&sample), highest(&sample)), (Some(1.0), Some(8.0)));
        assert_eq!((quantile(&sample, 1.1), quantile(&sample, f64::NAN)), (None, None));
    }

    #[test]
    fn what_never_happened_is_later_than_everything() {
        let never = f64::INFINITY;
        assert_eq!(median(&[never, 3.0, 5.0]), Some(5.0));
        assert_eq!(median(&[never, never, 5.0]), Some(never));
        assert_eq!(median(&[never, 3.0]), Some(never));
    }
}
