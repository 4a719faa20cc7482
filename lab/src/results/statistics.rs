//! The tests that hold one sample against another.

/// Two samples and how far apart their means are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleDifference {
    /// Mean and standard error of the first.
    pub first: (f64, f64),
    /// Mean and standard error of the second.
    pub second: (f64, f64),
    /// The second mean less the first, in standard errors of the difference; `None` where neither sample varies.
    pub z: Option<f64>,
}

impl SampleDifference {
    /// Of samples with at least two values each.
    pub fn of(first: &[f64], second: &[f64]) -> Self {
        let moments = |sample: &[f64]| {
            let size = sample.len() as f64;
            let mean = sample.iter().sum::<f64>() / size;
            let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (size - 1.0);
            (mean, (variance / size).sqrt())
        };
        let (first, second) = (moments(first), moments(second));
        let error = first.1.hypot(second.1);
        Self { first, second, z: (error > 0.0).then(|| (second.0 - first.0) / error) }
    }
}

/// The greatest difference between the distribution functions of two samples, and the asymptotic chance of so great a one or
/// a greater between samples of one continuous law (Kolmogorov 1933, Smirnov 1948).
pub fn kolmogorov_smirnov(first: &[f64], second: &[f64]) -> (f64, f64) {
    let sorted = |sample: &[f64]| {
        let mut sample = sample.to_vec();
        sample.sort_by(f64::total_cmp);
        sample
    };
    let (first, second) = (sorted(first), sorted(second));
    let at_most =
        |sample: &[f64], value: f64| sample.partition_point(|other| *other <= value) as f64 / sample.len() as f64;
    let values = first.iter().chain(&second);
    let distance = values.map(|&value| (at_most(&first, value) - at_most(&second, value)).abs()).fold(0.0, f64::max);
    let (n, m) = (first.len() as f64, second.len() as f64);
    let scaled = (n * m / (n + m)).sqrt() * distance;
    // The series oscillates about 1 where the distance is next to nothing.
    if scaled < 0.2 {
        return (distance, 1.0);
    }
    let term = |k: i32| f64::from(if k % 2 == 1 { 2 } else { -2 }) * (-2.0 * f64::from(k * k) * scaled * scaled).exp();
    (distance, (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_apart_by_standard_errors() {
        // Variances 1 and 4 over 3 values each: errors of √(1/3) and √(4/3), together √(5/3).
        let difference = SampleDifference::of(&[1.0, 2.0, 3.0], &[5.0, 7.0, 9.0]);
        assert_eq!((difference.first.0, difference.second.0), (2.0, 7.0));
        assert!((difference.z.unwrap() - 5.0 / (5.0_f64 / 3.0).sqrt()).abs() < 1e-12, "{difference:?}");
    }

    #[test]
    fn distribution_functions_are_compared_at_every_value() {
        // 1 2 2 3 against 2 3 4: after 1 they are 1/4 and 0, after 2 3/4 and 1/3, after 3 1 and 2/3.
        let (distance, _) = kolmogorov_smirnov(&[2.0, 1.0, 3.0, 2.0], &[4.0, 3.0, 2.0]);
        assert!((distance - 5.0 / 12.0).abs() < 1e-12, "{distance}");
        assert_eq!(kolmogorov_smirnov(&[1.0; 50], &[1.0; 70]), (0.0, 1.0));
    }

    #[test]
    fn the_chance_is_kolmogorovs() {
        // Two samples of 200 that are apart by D = 0.136 have √(100)·D = 1.36, whose chance is 0.05 (Smirnov's table).
        let first: Vec<f64> = (0..200).map(f64::from).collect();
        let second: Vec<f64> = (0..200).map(|value| f64::from(value) + 27.2).collect();
        let (distance, chance) = kolmogorov_smirnov(&first, &second);
        assert!((distance - 0.14).abs() < 0.005, "{distance}");
        assert!((0.035..0.055).contains(&chance), "{chance}");
    }
}
