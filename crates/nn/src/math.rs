//! Our own elementary functions: unlike those of the platform, they give the same bits on every machine and at every vector width.
//!
//! Each has a form for one number and one for an array, run by a [`Kernel`]; both give the same bits. The error bounds, in units in the
//! last place (ulp) of the result, hold for every 1009th `f32` and for those around the points where the methods change, measured against
//! `f64` by this module's tests; a test that is skipped by default checks all of them.
//!
//! | function | largest error |
//! |---|---|
//! | [`exp`] | 1.5 ulp |
//! | [`ln`] | 1.5 ulp |
//! | [`sigmoid`] | 3 ulp for x ≥ −87, below that at most 2e-38 |
//! | [`tanh`] | 3 ulp |
//!
//! [`mul_add`] is correctly rounded, and works on one number: vector code has instructions for it.

use crate::Kernel;
pub use crate::kernel::scalar_fma::mul_add;
pub use crate::kernel::scalar_math::{exp, ln, sigmoid, tanh};

/// `x ← eˣ` for each number.
pub fn exp_all(kernel: Kernel, x: &mut [f32]) {
    kernel.exp(x);
}

/// `x ← ln x` for each number; −∞ for 0, NaN for a negative one.
pub fn ln_all(kernel: Kernel, x: &mut [f32]) {
    kernel.ln(x);
}

/// `x ← 1 / (1 + e⁻ˣ)` for each number.
pub fn sigmoid_all(kernel: Kernel, x: &mut [f32]) {
    kernel.sigmoid(x);
}

/// `x ← tanh x` for each number.
pub fn tanh_all(kernel: Kernel, x: &mut [f32]) {
    kernel.tanh(x);
}

/// The exponentials of a softmax: for each row of `width` numbers that starts at one of `starts` in `x`, `powers = e^(x − max)`, the
/// largest number and the sum of the powers. Neither overflows; a power below [`f32::MIN_POSITIVE`] is 0, and the error of the others is
/// that of [`exp`]. NaN is ignored by the maximum and makes the sum NaN.
///
/// A sum has sixteen partial sums: number i is added to the one of i mod 16, in increasing order; then the second half of them is added to
/// the first, until one is left.
///
/// # Panics
/// If `powers` is not rows × `width`, `maxima` or `sums` do not have one number per row, or a row does not lie within `x`.
///
/// ```
/// use requel_nn::{Kernel, math};
///
/// let x = [9.0, 9.0, 1000.0, 0.0, 9.0, 3.0, 3.0];
/// let (mut powers, mut maxima, mut sums) = ([0.0; 4], [0.0; 2], [0.0; 2]);
/// math::exp_rows(Kernel::fastest(), 2, (&x, &[5, 2]), &mut powers, (&mut maxima, &mut sums));
/// assert_eq!((powers, maxima, sums), ([1.0, 1.0, 1.0, 0.0], [3.0, 1000.0], [2.0, 1.0]));
/// ```
pub fn exp_rows(
    kernel: Kernel,
    width: usize,
    (x, starts): (&[f32], &[usize]),
    powers: &mut [f32],
    (maxima, sums): (&mut [f32], &mut [f32]),
) {
    kernel.exp_rows(width, (x, starts), powers, (maxima, sums));
}

/// `dots[r] = Σ_i a[r][i]·(b[starts[r] + i] − c[r])` over rows of `width` numbers, in the order of [`exp_rows`].
///
/// # Panics
/// If `a` is not rows × `width`, `c` or `dots` do not have one number per row, or a row does not lie within `b`.
pub fn dot_rows(kernel: Kernel, width: usize, a: &[f32], (b, starts): (&[f32], &[usize]), c: &[f32], dots: &mut [f32]) {
    kernel.dot_rows(width, a, (b, starts), c, dots);
}

/// Turns each row of `width` numbers into `eˣ / Σ eˣ`, after subtracting the row's maximum so that nothing overflows. The sum runs over the
/// row in increasing order. The error of a result is at most `width + 4` times 1.2e-7 of it.
///
/// # Panics
/// If `rows` does not divide into rows of `width`.
///
/// ```
/// let mut rows = [0.0, 1000.0, 1.0, 1.0];
/// requel_nn::math::softmax(requel_nn::Kernel::fastest(), 2, &mut rows);
/// assert_eq!(rows, [0.0, 1.0, 0.5, 0.5]);
/// ```
pub fn softmax(kernel: Kernel, width: usize, rows: &mut [f32]) {
    if rows.is_empty() {
        return;
    }
    assert!(width > 0 && rows.len().is_multiple_of(width), "{} numbers do not divide into rows of {width}", rows.len());
    for row in rows.chunks_exact_mut(width) {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, |max, x| if x > max { x } else { max });
        row.iter_mut().for_each(|x| *x -= max);
    }
    kernel.exp(rows);
    for row in rows.chunks_exact_mut(width) {
        let sum = row.iter().fold(0.0, |sum, x| sum + x);
        row.iter_mut().for_each(|x| *x /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance of `ours` from `exact` in units of the last place of an `f32` near `exact`.
    fn ulps(ours: f32, exact: f64) -> f64 {
        let nearest = exact as f32;
        if nearest.is_infinite() || ours.is_infinite() {
            return if nearest == ours { 0.0 } else { f64::from(f32::MAX).min((exact - f64::from(ours)).abs()) };
        }
        let exponent = nearest.abs().max(f32::MIN_POSITIVE).to_bits() >> 23;
        (f64::from(ours) - exact).abs() / libm::exp2(f64::from(exponent) - 150.0)
    }

    /// Largest error over every `step`-th float and those around the numbers named.
    fn worst(f: fn(f32) -> f32, exact: fn(f64) -> f64, is_in_range: fn(f32) -> bool, step: usize) -> (f64, f32) {
        let spread = (0..=u32::MAX).step_by(step);
        let near = [0.0_f32, 1.0, -1.0, 0.5, 2.0, 87.0, -87.0, 88.72, -103.97, 9.0, -9.0, f32::MIN_POSITIVE];
        let near =
            near.into_iter().flat_map(|x| (0..2000_u32).map(move |i| x.to_bits().wrapping_add(i).wrapping_sub(1000)));
        (spread.chain(near).map(f32::from_bits))
            .filter(|&x| x.is_finite() && is_in_range(x))
            .map(|x| (ulps(f(x), exact(x.into())), x))
            .fold((0.0, 0.0), |worst, this| if this.0 > worst.0 { this } else { worst })
    }

    fn assert_bounds(step: usize) {
        let everywhere = |_| true;
        let exact_sigmoid = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        for (name, bound, (error, x)) in [
            ("exp", 1.5, worst(exp, libm::exp, everywhere, step)),
            ("ln", 1.5, worst(ln, libm::log, |x| x > 0.0, step)),
            ("sigmoid", 3.0, worst(sigmoid, exact_sigmoid, |x| x >= -87.0, step)),
            ("tanh", 3.0, worst(tanh, libm::tanh, everywhere, step)),
        ] {
            println!("{name}: {error:.3} ulp at {x:e}");
            assert!(error <= bound, "{name}({x:e}) is off by {error} ulp");
        }
    }

    #[test]
    fn errors_are_within_their_bounds() {
        assert_bounds(1009);
    }

    #[test]
    #[ignore = "takes minutes: every f32 there is"]
    fn errors_are_within_their_bounds_everywhere() {
        assert_bounds(1);
    }

    #[test]
    fn special_values() {
        assert_eq!((exp(0.0), exp(f32::NEG_INFINITY), exp(f32::INFINITY)), (1.0, 0.0, f32::INFINITY));
        assert_eq!((exp(1e30), exp(-1e30)), (f32::INFINITY, 0.0));
        assert_eq!((ln(1.0), ln(f32::INFINITY)), (0.0, f32::INFINITY));
        assert_eq!((ln(0.0), ln(-0.0)), (f32::NEG_INFINITY, f32::NEG_INFINITY));
        assert!(ln(-1.0).is_nan() && ln(f32::NEG_INFINITY).is_nan());
        assert_eq!((sigmoid(0.0), sigmoid(200.0), sigmoid(-200.0)), (0.5, 1.0, 0.0));
        assert_eq!((tanh(0.0), tanh(50.0), tanh(f32::NEG_INFINITY)), (0.0, 1.0, -1.0));
        for f in [exp, ln, sigmoid, tanh] {
            assert!(f(f32::NAN).is_nan());
        }
    }

    #[test]
    fn exponentials_of_rows_are_those_of_numbers() {
        // Every 1009th number below 0, and all those around the last that has a normal power.
        let spread = (0x8000_0000..0xFF80_0000u32).step_by(1009).map(f32::from_bits);
        let near = (0..4000u32).map(|i| f32::from_bits((-87.336_54f32).to_bits() - 2000 + i));
        let x: Vec<f32> = [0.0].into_iter().chain(spread).chain(near).collect();
        let (mut powers, mut max, mut sum) = (vec![9.0; x.len()], [9.0], [9.0]);
        exp_rows(Kernel::fastest(), x.len(), (&x, &[0]), &mut powers, (&mut max, &mut sum));
        for (x, power) in x.iter().zip(powers) {
            let exact = exp(*x);
            if exact >= f32::MIN_POSITIVE {
                assert!((power - exact).abs() <= exact * f32::EPSILON, "e^{x:e}: {power:e}, {exact:e}");
            } else {
                assert!(power == 0.0 || power == f32::MIN_POSITIVE, "e^{x:e}: {power:e}, {exact:e}");
            }
        }
    }

    #[test]
    fn sums_along_rows_have_the_documented_order() {
        // 1e8 swallows a 1 that is added to it, but not the 1s of another partial sum.
        let mut row = [0.0; 40];
        (row[0], row[16], row[8], row[4], row[12], row[36]) = (1e8, 1.0, 1.0, 3.0, -1e8, 2.0);
        let exact = ((1e8f32 + 1.0) + 1.0) + ((3.0 + 2.0) - 1e8);
        let naive: f32 = row.iter().sum();
        assert_ne!(exact, naive);
        for kernel in Kernel::available() {
            let mut dots = [9.0];
            dot_rows(kernel, 40, &[1.0; 40], (&row, &[0]), &[0.0], &mut dots);
            assert_eq!(dots, [exact], "{kernel}");
        }
    }

    #[test]
    fn softmax_sums_to_one_and_keeps_the_order() {
        let mut rows: Vec<f32> = (0..51 * 3).map(|i| (i * 37 % 101) as f32 * 0.3 - 10.0).collect();
        let before = rows.clone();
        softmax(Kernel::fastest(), 51, &mut rows);
        for (row, before) in rows.chunks(51).zip(before.chunks(51)) {
            let exact: Vec<f64> = before.iter().map(|&x| libm::exp(x.into())).collect();
            let sum: f64 = exact.iter().sum();
            for (ours, exact) in row.iter().zip(&exact) {
                assert!((f64::from(*ours) - exact / sum).abs() <= 55.0 * 1.2e-7 * exact / sum);
            }
        }
    }
}
