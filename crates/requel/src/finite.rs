//! [`first_not_finite`]: NaN and infinity among numbers.

/// The first number that is NaN or infinite, with its place.
#[inline(always)]
pub(crate) fn first_not_finite(numbers: &[f32]) -> Option<(usize, f32)> {
    const INFINITY_BITS: u32 = 0x7f80_0000;
    // One pass without branches, using comparisons that every vector unit has: it reads all weights at every update.
    let is_bad = |n: &f32| u32::from(n.to_bits() & INFINITY_BITS == INFINITY_BITS);
    let any = numbers.iter().fold(0, |any, n| any | is_bad(n));
    let found = || numbers.iter().copied().enumerate().find(|(_, n)| !n.is_finite());
    if any == 0 { None } else { found() }
}

#[cfg(test)]
mod tests {
    use super::first_not_finite;

    #[test]
    fn the_first_one_is_found_wherever_it_is() {
        assert_eq!(first_not_finite(&[]), None);
        assert_eq!(first_not_finite(&[f32::MAX, f32::MIN_POSITIVE, -0.0, f32::MIN]), None);
        for at in 0..40 {
            let mut numbers = [1.0; 40];
            numbers[39] = f32::NEG_INFINITY;
            numbers[at] = f32::INFINITY;
            assert_eq!(first_not_finite(&numbers), Some((at, f32::INFINITY)));
            numbers[at] = f32::NAN;
            assert_eq!(first_not_finite(&numbers).map(|(at, n)| (at, n.is_nan())), Some((at, true)));
        }
    }
}
