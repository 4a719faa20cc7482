//! The exponential and the functions built on it, written once for every register.

use super::simd::Simd;

/// Added to a number below 2²² and taken off again, it leaves the nearest whole number.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts; the first has so few bits that its products with small whole numbers are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `eʳ − 1` and `n` with `x = n·ln 2 + r`, |r| at most a little over ½ ln 2, for |x| up to 110.
///
/// # Safety
/// The instruction set is present; so for every function here.
#[inline(always)]
unsafe fn reduced_exp_m1<S: Simd>(x: S::V) -> (S::V, S::V) {
    /// 1/2!, 1/3!, … 1/7!: the first term left out is below 6e-9 of the sum.
    const FACTORIALS: [f32; 6] = [0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0];
    // SAFETY: handed on from the caller.
    unsafe {
        let n = S::sub(S::fma(x, S::splat(std::f32::consts::LOG2_E), S::splat(ROUND)), S::splat(ROUND));
        let r = S::fma(n, S::splat(-LN2_LOW), S::fma(n, S::splat(-LN2_HIGH), x));
        let mut sum = S::splat(FACTORIALS[5]);
        for k in [4, 3, 2, 1, 0] {
            sum = S::fma(sum, r, S::splat(FACTORIALS[k]));
        }
        (S::fma(S::mul(r, r), sum, r), n)
    }
}

/// `eˣ`.
#[inline(always)]
pub(super) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe {
        // Beyond these the result is 0 and infinity; a NaN passes both comparisons by.
        let (low, high) = (S::splat(-104.5), S::splat(89.0));
        let x = S::if_less(x, low, low, S::if_less(high, x, high, x));
        let (m1, n) = reduced_exp_m1::<S>(x);
        let power = S::add(m1, S::splat(1.0));
        // In two halves, for 2ⁿ itself may be out of range where the product is not.
        let half = S::sub(S::fma(n, S::splat(0.5), S::splat(ROUND)), S::splat(ROUND));
        S::mul(S::mul(power, S::power_of_two(half)), S::power_of_two(S::sub(n, half)))
    }
}

/// `eˣ` for `x ≤ 0`, but 0 if the result is below [`f32::MIN_POSITIVE`]: [`exp`] without the handling of powers of two that are out of
/// range. NaN stays NaN.
#[inline(always)]
pub(super) unsafe fn exp_of_negative<S: Simd>(x: S::V) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe {
        let (m1, n) = reduced_exp_m1::<S>(x);
        let power = S::mul(S::add(m1, S::splat(1.0)), S::power_of_two(n));
        // −126·ln 2, rounded up: no power below is a normal number.
        S::if_less(x, S::splat(-87.336_54), S::splat(0.0), power)
    }
}

/// The natural logarithm.
#[inline(always)]
pub(super) unsafe fn ln<S: Simd>(x: S::V) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe {
        let (zero, one, half) = (S::splat(0.0), S::splat(1.0), S::splat(0.5));
        let smallest = S::splat(f32::MIN_POSITIVE);
        let scaled = S::if_less(x, smallest, S::mul(x, S::splat(33_554_432.0)), x);
        let shift = S::if_less(x, smallest, S::splat(-25.0), zero);
        // x = 2ᵉ·(1 + f) with 1 + f from √½ to √2.
        let (m, e) = (S::significand(scaled), S::add(S::exponent(scaled), shift));
        let root = S::splat(std::f32::consts::SQRT_2);
        let f = S::sub(S::if_less(root, m, S::mul(m, half), m), one);
        let e = S::if_less(root, m, S::add(e, one), e);
        // ln(1 + f) = 2·artanh(s) = 2s + ⅔s³ + …, written as f less what f and 2s differ by, which is small.
        let s = S::div(f, S::add(f, S::splat(2.0)));
        let z = S::mul(s, s);
        let mut rest = S::splat(2.0 / 11.0);
        for term in [2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0] {
            rest = S::fma(rest, z, S::splat(term));
        }
        let half_square = S::mul(S::mul(half, f), f);
        let tail = S::fma(s, S::fma(rest, z, half_square), S::mul(e, S::splat(LN2_LOW)));
        let result = S::fma(e, S::splat(LN2_HIGH), S::sub(f, S::sub(half_square, tail)));
        // Infinity and NaN are themselves, 0 has −∞, a negative number none.
        let result = S::if_less(x, S::splat(f32::INFINITY), result, x);
        let result = S::if_less(zero, x, result, S::if_less(x, zero, S::splat(f32::NAN), S::add(x, result)));
        let is_zero = S::if_less(zero, x, one, S::if_less(x, zero, one, S::sub(x, x)));
        S::if_less(is_zero, half, S::splat(f32::NEG_INFINITY), result)
    }
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub(super) unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe {
        let one = S::splat(1.0);
        S::div(one, S::add(one, exp::<S>(S::sub(S::splat(0.0), x))))
    }
}

/// The hyperbolic tangent: `t / (t + 2)` with `t = e²ˣ − 1`.
#[inline(always)]
pub(super) unsafe fn tanh<S: Simd>(x: S::V) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe {
        // Beyond these it is 1 to the last bit.
        let (low, high) = (S::splat(-9.1), S::splat(9.1));
        let x = S::if_less(x, low, low, S::if_less(high, x, high, x));
        let (m1, n) = reduced_exp_m1::<S>(S::add(x, x));
        let power = S::power_of_two(n);
        let t = S::fma(power, m1, S::sub(power, S::splat(1.0)));
        S::div(t, S::add(t, S::splat(2.0)))
    }
}
