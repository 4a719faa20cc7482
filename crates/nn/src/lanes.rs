//! Sums over a row in sixteen lanes, so that vector registers of every width can compute them without changing the order.

/// Partial sums of a sum.
pub const LANES: usize = 16;

/// `Σ f(a, b)` over two rows of the same length: lane `l` adds the numbers `l`, `l + 16`, `l + 32`, … in increasing order; then the second
/// half of the lanes is added to the first, until one is left; then the numbers beyond the last whole sixteen are added, one by one.
#[inline(always)]
pub fn sum_of(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    assert_eq!(a.len(), b.len(), "two rows of one length");
    let mut lanes = [0.0f32; LANES];
    let ((chunks_a, rest_a), (chunks_b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        lanes = std::array::from_fn(|lane| lanes[lane] + f(a[lane], b[lane]));
    }
    rest_a.iter().zip(rest_b).fold(fold(lanes, |a, b| a + b), |sum, (a, b)| sum + f(*a, *b))
}

/// The sum of a row, in the order of [`sum_of`].
#[inline(always)]
pub fn sum(row: &[f32]) -> f32 {
    sum_of(row, row, |x, _| x)
}

/// `to ← f(a, b)`, number by number, over rows of the same length. It is written like this and not as one loop, so that no compiler
/// considers a row of 51 numbers too short for its registers; the last sixteen may overlap the previous ones, and give the same results.
#[inline(always)]
pub fn fill(to: &mut [f32], (a, b): (&[f32], &[f32]), f: impl Fn(f32, f32) -> f32) {
    assert_eq!((a.len(), b.len()), (to.len(), to.len()), "rows of one length");
    let (Some(last_a), Some(last_b)) = (a.last_chunk::<LANES>(), b.last_chunk::<LANES>()) else {
        return to.iter_mut().zip(a.iter().zip(b)).for_each(|(to, (a, b))| *to = f(*a, *b));
    };
    let ((chunks_a, _), (chunks_b, _)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (to, (a, b)) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(chunks_a.iter().zip(chunks_b)) {
        *to = std::array::from_fn(|lane| f(a[lane], b[lane]));
    }
    if let Some(to) = to.last_chunk_mut::<LANES>() {
        *to = std::array::from_fn(|lane| f(last_a[lane], last_b[lane]));
    }
}

/// The second half upon the first, until one is left.
#[inline(always)]
fn fold(lanes: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|lane| f(lanes[lane], lanes[lane + 8]));
    let four: [f32; 4] = std::array::from_fn(|lane| f(eight[lane], eight[lane + 4]));
    f(f(four[0], four[2]), f(four[1], four[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_covered_once() {
        for len in 0..70usize {
            let row: Vec<f32> = (0..len).map(|i| (i * 7 % 11) as f32 - 20.0).collect();
            // Whole numbers: exact in any order.
            assert_eq!(sum(&row), row.iter().sum::<f32>());
            assert_eq!(sum_of(&row, &row, |a, b| a * b), row.iter().map(|x| x * x).sum::<f32>());
            let mut squares = vec![0.0; len];
            fill(&mut squares, (&row, &row), |a, b| a * b);
            assert_eq!(squares, row.iter().map(|x| x * x).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_order_is_the_documented_one() {
        // 1e8 swallows a 1 that is added to it, but not the 1s of another lane.
        let mut row = [0.0; 32];
        (row[0], row[16], row[8], row[4], row[12]) = (1e8, 1.0, 1.0, 3.0, -1e8);
        assert_eq!(sum(&row), ((1e8f32 + 1.0) + 1.0) + (3.0 - 1e8));
    }
}
