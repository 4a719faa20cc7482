//! Sums over a row in eight lanes, so that the compiler can use vector registers without changing an order.

const LANES: usize = 8;

/// `Σ f(a, b)` over two rows of one length: lane `l` adds the numbers `l`, `l + 8`, `l + 16`, … in increasing order, and the
/// lanes are added as `((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7))`.
#[inline]
pub(crate) fn sum_of(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    assert_eq!(a.len(), b.len(), "two rows of one length");
    let mut lanes = [0.0f32; LANES];
    let (chunks_a, chunks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (rest_a, rest_b) = (chunks_a.remainder(), chunks_b.remainder());
    for (a, b) in chunks_a.zip(chunks_b) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += f(*a, *b);
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(rest_a.iter().zip(rest_b)) {
        *lane += f(*a, *b);
    }
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// The sum of a row, in the order of [`sum_of`].
#[inline]
pub(crate) fn sum(row: &[f32]) -> f32 {
    sum_of(row, row, |x, _| x)
}

/// The greatest number of a row, in any order; −∞ for none. NaN is passed over.
#[inline]
pub(crate) fn max(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, x| if *x > max { *x } else { max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_covered_once() {
        for len in 0..40usize {
            let row: Vec<f32> = (0..len).map(|i| (i * 7 % 11) as f32 - 20.0).collect();
            // Whole numbers: exact in any order.
            assert_eq!(sum(&row), row.iter().sum::<f32>());
            assert_eq!(sum_of(&row, &row, |a, b| a * b), row.iter().map(|x| x * x).sum::<f32>());
            assert_eq!(max(&row), row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }

    #[test]
    fn the_order_is_the_documented_one() {
        // 1e8 swallows a 1 that is added to it, but not the 1s of another lane.
        let mut row = [0.0; 16];
        (row[0], row[8], row[4], row[12]) = (1e8, 1.0, 3.0, -1e8);
        assert_eq!(sum(&row), (1e8f32 + 1.0) + (3.0 - 1e8));
    }
}
