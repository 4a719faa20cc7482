//! Lengths of long vectors, such as gradients and steps of parameters.

/// Partial sums of a norm. Fixed, so that the order of the additions is the same whatever the vector width.
const LANES: usize = 32;

/// The Euclidean norm of `values`.
///
/// The squares are exact in `f64`; square i goes to partial sum i mod 32 (counted from the end of the last whole 32), and the
/// partial sums are added in order.
///
/// ```
/// assert_eq!(requel_nn::global_norm(&[3.0, 4.0]), 5.0);
/// ```
pub fn global_norm(values: &[f32]) -> f64 {
    let mut partial = [0.0_f64; LANES];
    let chunks = values.chunks_exact(LANES);
    add_squares(&mut partial, chunks.remainder().iter().map(|value| f64::from(*value)));
    for chunk in chunks {
        add_squares(&mut partial, chunk.iter().map(|value| f64::from(*value)));
    }
    partial.iter().sum::<f64>().sqrt()
}

/// The Euclidean distance between `a` and `b`, summed as in [`global_norm`].
///
/// ```
/// assert_eq!(requel_nn::distance(&[4.0, 0.0], &[1.0, 4.0]), 5.0);
/// ```
///
/// # Panics
/// If one is longer than the other.
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    let mut partial = [0.0_f64; LANES];
    let (chunks, others) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let difference = |(a, b): (&f32, &f32)| f64::from(*a) - f64::from(*b);
    add_squares(&mut partial, chunks.remainder().iter().zip(others.remainder()).map(difference));
    for (a, b) in chunks.zip(others) {
        add_squares(&mut partial, a.iter().zip(b).map(difference));
    }
    partial.iter().sum::<f64>().sqrt()
}

#[inline]
fn add_squares(partial: &mut [f64; LANES], values: impl Iterator<Item = f64>) {
    partial.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * value);
}

#[cfg(test)]
mod tests {
    use super::*;

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
