//! [`raise`]: powers of positive numbers, many at once.

/// 2⁵²: a number from here to 2⁵³ has its whole part in its last bits.
const WHOLE: f64 = 4_503_599_627_370_496.0;
/// Added to a number below 2⁵¹ and subtracted again, it leaves the nearest whole number.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has so few bits that its products with whole numbers below 2²⁰ are exact.
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `x ← x^exponent` for normal positive numbers and an exponent from 0 to 1, accurate to 1 in 10¹²: an exponent near 709 is itself rounded
/// by 1e-13. It uses plain sums and products in one order: the same bits on every machine, which the standard power function does not
/// promise, and no branches, so that several are computed at once.
pub(super) fn raise(x: &mut [f64], exponent: f64) {
    for x in x {
        *x = exp(exponent * ln(*x));
    }
}

/// The natural logarithm of a normal positive number.
#[inline(always)]
fn ln(x: f64) -> f64 {
    // x = 2ᵉ·m with m from √½ to √2.
    let bits = x.to_bits();
    let biased = f64::from_bits(WHOLE.to_bits() | bits >> 52) - WHOLE;
    let m = f64::from_bits(bits & 0x000F_FFFF_FFFF_FFFF | 1f64.to_bits());
    let is_high = m > std::f64::consts::SQRT_2;
    let m = if is_high { 0.5 * m } else { m };
    let e = if is_high { biased - 1022.0 } else { biased - 1023.0 };
    // ln m = 2·artanh(s) = 2s·(1 + s²/3 + s⁴/5 + …); the first omitted term is below 2e-17.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut sum = 1.0 / 21.0;
    for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * square + 1.0 / odd;
    }
    e * LN2_HIGH + (e * LN2_LOW + 2.0 * s * sum)
}

/// `eˣ` if that is a normal number.
#[inline(always)]
fn exp(x: f64) -> f64 {
    // x = n·ln 2 + r, |r| at most ½ ln 2; the first omitted term of the series in r is below 5e-18.
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut sum = 1.0;
    for divisor in [13.0, 12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0] {
        sum = sum * (r * (1.0 / divisor)) + 1.0;
    }
    let power_of_two = f64::from_bits((shifted.to_bits().wrapping_add(1023)) << 52);
    sum * power_of_two
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_the_library() {
        let spread = |i: u64| f64::from_bits(f64::MIN_POSITIVE.to_bits() + i * 0x3A7B_1C5D_9E13);
        let all: Vec<f64> = (0..143_000).map(spread).filter(|x| x.is_finite()).collect();
        assert!(all[0] < 1e-300 && all[all.len() - 1] > 1e300, "{} of them, up to {:e}", all.len(), all[all.len() - 1]);
        let ordinary = (1..20_000u32).map(|i| f64::from(i) * 1e-3);
        let x: Vec<f64> = all.into_iter().chain(ordinary).collect();
        for exponent in [0.0, 1e-3, 0.3, 0.6, 0.7, 0.999, 1.0] {
            let mut powers = x.clone();
            raise(&mut powers, exponent);
            for (x, power) in x.iter().zip(powers) {
                let exact = libm::pow(*x, exponent);
                assert!((power - exact).abs() <= 1e-12 * exact, "{x:e}^{exponent}: {power:e}, not {exact:e}");
            }
        }
    }

    #[test]
    fn a_larger_number_has_no_smaller_power() {
        let mut x: Vec<f64> = (1..100_000).map(|i| f64::from(i) * 1e-4).collect();
        raise(&mut x, 0.6);
        assert!(x.is_sorted());
    }
}
