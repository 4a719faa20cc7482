//! The interval of a proportion.

use super::Interval;

/// The 95 % interval of a probability after `count` successes in `n` trials (E. B. Wilson, "Probable inference, the law of succession, and
/// statistical inference", 1927): unlike the normal approximation it is correct for counts of 0 and `n`.
///
/// `None` if `n` is 0 or less than `count`.
///
/// ```
/// use requel::stats::proportion_interval;
///
/// let interval = proportion_interval(0, 1000).unwrap();
/// assert!(interval.low == 0.0 && (interval.high - 0.003827).abs() < 1e-6);
/// ```
pub fn proportion_interval(count: usize, n: usize) -> Option<Interval> {
    /// The 97.5 % quantile of the standard normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 || count > n {
        return None;
    }
    let (p, n) = (count as f64 / n as f64, n as f64);
    let middle = p + Z * Z / (2.0 * n);
    let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 / (1.0 + Z * Z / n);
    // At the ends, rounding may leave a tiny deviation from exactly 0 or 1.
    let low = if p == 0.0 { 0.0 } else { scale * (middle - reach) };
    let high = if p == 1.0 { 1.0 } else { scale * (middle + reach) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        // Worked out with the formula in double precision.
        for (count, n, low, high) in [
            (180, 200, 0.850_594_2, 0.934_329_6),
            (157, 200, 0.722_976_9, 0.836_281_2),
            (10, 10, 0.722_467_2, 1.0),
            (1, 2, 0.094_531_2, 0.905_468_8),
        ] {
            let interval = proportion_interval(count, n).unwrap();
            assert!((interval.low - low).abs() < 1e-6, "{count} of {n}: {interval:?}");
            assert!((interval.high - high).abs() < 1e-6, "{count} of {n}: {interval:?}");
        }
        assert_eq!(proportion_interval(0, 0), None);
        assert_eq!(proportion_interval(3, 2), None);
    }
}
