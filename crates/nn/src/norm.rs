//! Lengths of long vectors, such as gradients and steps of parameters.

use crate::reference::{NORM_BLOCK as BLOCK, NORM_PARTS as PARTS};

/// The Euclidean norm of `values`.
///
/// The squares are exact in `f64`, and their sum has one order whatever computes it: `values` in blocks of 65,536, each with 32 partial
/// sums. Square i of a block goes to partial sum i mod 32, first those after the last whole 32 and then all others in increasing order; the
/// partial sums of a block are added in order, and so are the blocks. A device can sum each block separately.
/// [`crate::reference::global_norm`] spells it out.
///
/// ```
/// assert_eq!(requel_nn::global_norm(&[3.0, 4.0]), 5.0);
/// ```
pub fn global_norm(values: &[f32]) -> f64 {
    let of_block = |block: &[f32]| {
        let mut parts = [0.0_f64; PARTS];
        let (whole, rest) = block.as_chunks::<PARTS>();
        add_squares(&mut parts, rest.iter().map(|&value| f64::from(value)));
        for values in whole {
            add_squares(&mut parts, values.iter().map(|&value| f64::from(value)));
        }
        total(&parts)
    };
    values.chunks(BLOCK).fold(0.0, |sum, block| sum + of_block(block)).sqrt()
}

/// The Euclidean distance between `a` and `b`, summed as in [`global_norm`]; a difference is exact in `f64` except for numbers of very
/// different size, and its square is rounded.
///
/// ```
/// assert_eq!(requel_nn::distance(&[4.0, 0.0], &[1.0, 4.0]), 5.0);
/// ```
///
/// # Panics
/// If one is longer than the other.
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    let difference = |(a, b): (&f32, &f32)| f64::from(*a) - f64::from(*b);
    let of_block = |(a, b): (&[f32], &[f32])| {
        let mut parts = [0.0_f64; PARTS];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<PARTS>(), b.as_chunks::<PARTS>());
        add_squares(&mut parts, a_rest.iter().zip(b_rest).map(difference));
        for (a, b) in a.iter().zip(b) {
            add_squares(&mut parts, a.iter().zip(b).map(difference));
        }
        total(&parts)
    };
    a.chunks(BLOCK).zip(b.chunks(BLOCK)).fold(0.0, |sum, blocks| sum + of_block(blocks)).sqrt()
}

#[inline]
fn add_squares(parts: &mut [f64; PARTS], values: impl Iterator<Item = f64>) {
    parts.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * value);
}

fn total(parts: &[f64; PARTS]) -> f64 {
    parts.iter().sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    /// Numbers of many sizes, so that another order of their squares gives another sum.
    fn numbers(len: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0
        };
        (0..len).map(|_| (word() - 0.5) * (20.0 * word()).exp2()).collect()
    }

    /// How the squares were summed before there were blocks: 32 partial sums of the whole.
    fn without_blocks(values: &[f32]) -> f64 {
        let mut parts = [0.0_f64; 32];
        let whole = values.len() / 32 * 32;
        for i in (whole..values.len()).chain(0..whole) {
            parts[i % 32] += f64::from(values[i]) * f64::from(values[i]);
        }
        parts.iter().sum::<f64>().sqrt()
    }

    proptest! {
        #[test]
        fn one_block_is_summed_as_it_was_before_there_were_blocks(len in 0..=BLOCK, seed: u64) {
            let values = numbers(len, seed);
            prop_assert_eq!(global_norm(&values).to_bits(), without_blocks(&values).to_bits());
        }
    }

    #[test]
    fn many_blocks_are_added_in_order() {
        let mut differ = 0;
        for len in [0, 1, 31, 32, 33, 77, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 31, 2 * BLOCK, 200_001] {
            let (values, zeros) = (numbers(len, len as u64), vec![0.0; len]);
            let norm = reference::global_norm(&values);
            assert_eq!(global_norm(&values).to_bits(), norm.to_bits(), "{len}");
            assert_eq!(distance(&values, &zeros).to_bits(), norm.to_bits(), "{len}");
            differ += usize::from(norm.to_bits() != without_blocks(&values).to_bits());
        }
        assert!(differ > 0, "the numbers tell the orders apart");
    }

    #[test]
    fn of_lengths_around_whole_chunks() {
        for len in [0, 1, 31, 32, 33, 64, 77] {
            let a: Vec<f32> = (0..len).map(|i| i as f32 * 0.5 - 9.0).collect();
            let b: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let of = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
            let expected = of(&mut a.iter().map(|a| f64::from(*a)));
            assert!((global_norm(&a) - expected).abs() < 1e-9, "{len}");
            let expected = of(&mut a.iter().zip(&b).map(|(a, b)| f64::from(a - b)));
            assert!((distance(&a, &b) - expected).abs() < 1e-9, "{len}");
        }
    }
}
