//! The fused multiply-add of one number, rounded once on every target.

/// Whether [`f32::mul_add`] rounds once on this target: there is an instruction for it, or the C library's `fmaf` does. Not every `fmaf`
/// does: musl's, and those derived from it, round to `f64` and then to `f32`, and only prevent this from being visible if the result is a
/// normal number.
const IS_EXACT: bool = cfg!(any(
    target_feature = "fma",
    target_arch = "aarch64",
    all(target_os = "linux", target_env = "gnu"),
    target_vendor = "apple",
));

/// `a · b + c`, rounded once on every target, like the vector kernels.
///
/// [`f32::mul_add`] does so if the processor has an instruction for it, and otherwise calls the C library, which may round a subnormal
/// result twice. In that case, this function computes in `f64` and gives the same bits, several times slower.
///
/// ```
/// use requel_nn::math::mul_add;
///
/// // A little less than half of the smallest step is added to a subnormal number, which stays as it is.
/// let step = f32::from_bits(1);
/// let (a, b) = ((1.0 + f32::EPSILON) * 2_f32.powi(-75), (1.0 - f32::EPSILON) * 2_f32.powi(-75));
/// assert_eq!(mul_add(a, b, 1_000_001.0 * step), 1_000_001.0 * step);
/// ```
#[inline(always)]
#[must_use]
pub fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if IS_EXACT { a.mul_add(b, c) } else { exact_mul_add(a, b, c) }
}

/// [`mul_add`] by way of `f64`, rounded to odd in between: if a sum is not representable, the neighbour whose last bit is 1. An `f64` has
/// more than two bits more than an `f32`, so the second rounding then gives the same result as rounding the true sum once, also for the
/// fewer bits of a subnormal number.
///
/// Boldo and Melquiond, "Emulation of FMA and Correctly Rounded Sums: Proved Algorithms Using Rounding to Odd" (2008).
#[inline(always)]
fn exact_mul_add(a: f32, b: f32, c: f32) -> f32 {
    // The product of two numbers of 24 bits has 48 and is exact; it and its sum with `c` are normal numbers or 0.
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    // What the sum lost, exactly (Knuth's sum of two numbers).
    let c_part = sum - product;
    let error = (product - (sum - c_part)) + (c - c_part);
    let bits = sum.to_bits();
    let is_odd = bits & 1 == 1;
    // Of an infinity or a NaN the error is NaN.
    if is_odd || error == 0.0 || error.is_nan() {
        return sum as f32;
    }
    let is_beyond = (error > 0.0) == (sum > 0.0);
    f64::from_bits(if is_beyond { bits + 1 } else { bits - 1 }) as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Kernel;
    use crate::kernel::Task;

    /// Multiply-adds by the instruction of the fastest kernel.
    struct Fused<'a>(&'a [[f32; 3]], &'a mut [f32]);

    impl Task for Fused<'_> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            // No closure: one that is not inlined would be compiled for a processor without the instruction.
            for i in 0..self.1.len() {
                let [a, b, c] = self.0[i];
                self.1[i] = a.mul_add(b, c);
            }
        }
    }

    /// `None` on a machine without such an instruction.
    fn by_instruction(cases: &[[f32; 3]]) -> Option<Vec<f32>> {
        let kernel = Kernel::fastest();
        let mut results = vec![0.0; cases.len()];
        (kernel != Kernel::SCALAR).then(|| kernel.run(Fused(cases, &mut results))).map(|()| results)
    }

    fn assert_equals_the_instruction(cases: &[[f32; 3]]) {
        for (case, expected) in cases.iter().zip(by_instruction(cases).into_iter().flatten()) {
            for (what, f) in [("exact", exact_mul_add as fn(f32, f32, f32) -> f32), ("chosen", mul_add)] {
                let [a, b, c] = *case;
                let ours = f(a, b, c);
                let same = ours.to_bits() == expected.to_bits() || (ours.is_nan() && expected.is_nan());
                assert!(same, "{what}: {a:e} · {b:e} + {c:e} = {expected:e}, not {ours:e}");
            }
        }
    }

    /// With `f64` alone, which rounds twice.
    fn rounded_twice(a: f32, b: f32, c: f32) -> f32 {
        (f64::from(a) * f64::from(b) + f64::from(c)) as f32
    }

    /// A number with one of these exponents, of either sign; below −126 it is subnormal.
    fn with_exponent(exponents: std::ops::Range<i32>) -> impl Strategy<Value = f32> {
        (exponents, any::<u32>()).prop_map(|(exponent, bits)| {
            let significand = f32::from_bits(bits & 0x807F_FFFF | 0x3F80_0000);
            (f64::from(significand) * 2_f64.powi(exponent)) as f32
        })
    }

    fn any_bits() -> impl Strategy<Value = f32> {
        any::<u32>().prop_map(f32::from_bits)
    }

    /// Products from far below the smallest number to a little above the smallest normal one, and what they are added to.
    fn around_the_smallest() -> impl Strategy<Value = [f32; 3]> {
        (with_exponent(-80..-60), with_exponent(-80..-60), with_exponent(-150..-122), any::<bool>())
            .prop_map(|(a, b, c, is_alone)| [a, b, if is_alone { 0.0 } else { c }])
    }

    /// Half a step of the subnormal numbers, or a little less, and one of these numbers.
    fn about_half_a_step() -> impl Strategy<Value = [f32; 3]> {
        (0..2_048_u16, 0..0x0080_0000_u32, any::<(bool, bool)>()).prop_map(|(little, bits, (minus_a, minus_c))| {
            let little = f32::from(little) * f32::EPSILON;
            let (a, b) = ((1.0 + little) * 2_f32.powi(-75), (1.0 - little) * 2_f32.powi(-75));
            let signed = |x: f32, is_negative: bool| if is_negative { -x } else { x };
            [signed(a, minus_a), b, signed(f32::from_bits(bits), minus_c)]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 2_000 }))]

        #[test]
        fn equals_the_instruction(
            anything in proptest::collection::vec((any_bits(), any_bits(), any_bits()).prop_map(|(a, b, c)| [a, b, c]), 50),
            ordinary in proptest::collection::vec(
                (with_exponent(-30..30), with_exponent(-30..30), with_exponent(-60..60)).prop_map(|(a, b, c)| [a, b, c]),
                50,
            ),
            small in proptest::collection::vec(around_the_smallest(), 50),
            halves in proptest::collection::vec(about_half_a_step(), 50),
        ) {
            assert_equals_the_instruction(&anything);
            assert_equals_the_instruction(&ordinary);
            assert_equals_the_instruction(&small);
            assert_equals_the_instruction(&halves);
        }
    }

    /// Every subnormal number and a little less, or more, than half a step. In `f64` the little is lost where the number
    /// has many bits, and the half is then rounded to even.
    #[test]
    #[cfg_attr(miri, ignore = "too many for it")]
    fn half_a_step_beside_every_subnormal_number() {
        let (more, less) = ((1.0 + f32::EPSILON) * 2_f32.powi(-75), (1.0 - f32::EPSILON) * 2_f32.powi(-75));
        let mut wrong_if_rounded_twice = 0_u32;
        for bits in 0..0x0080_0000_u32 {
            let (c, next) = (f32::from_bits(bits), f32::from_bits(bits + 1));
            for (c, next) in [(c, next), (-c, -next)] {
                let (a, b) = (more.copysign(c), less);
                assert_eq!(exact_mul_add(a, b, c).to_bits(), c.to_bits(), "{bits}");
                assert_eq!(exact_mul_add(a, more, c).to_bits(), next.to_bits(), "{bits}");
                wrong_if_rounded_twice += u32::from(rounded_twice(a, b, c) != c);
            }
        }
        assert!(wrong_if_rounded_twice > 0, "the cases tell one rounding from two");
        let cases: Vec<[f32; 3]> = (0..0x0080_0000).step_by(9).map(|bits| [more, less, f32::from_bits(bits)]).collect();
        assert_equals_the_instruction(&cases);
    }

    #[test]
    fn signs_of_zero_infinities_and_nan() {
        let numbers =
            [0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        let mut cases = Vec::new();
        for a in numbers {
            for b in numbers {
                cases.extend(numbers.map(|c| [a, b, c]));
            }
        }
        assert_equals_the_instruction(&cases);
        assert_eq!(exact_mul_add(1.0, -0.0, 0.0).to_bits(), 0);
        assert_eq!(exact_mul_add(1.0, -0.0, -0.0).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(exact_mul_add(f32::MAX, 2.0, f32::NEG_INFINITY), f32::NEG_INFINITY);
        assert!(exact_mul_add(f32::INFINITY, 0.0, 1.0).is_nan());
    }
}
