//! Sums along rows: exponentials for a softmax, and products. Sixteen partial sums, whatever the registers.

use super::math;
use super::simd::Simd;

/// Partial sums of a row: number i is added to sum i mod 16, in increasing order.
const SUMS: usize = 16;

/// Rows that are taken through each step together: one row waits for its own results at every step, eight do not.
const BLOCK: usize = 8;

/// More numbers than any register has, for a mask of the first of them.
static ONES: [f32; SUMS] = [1.0; SUMS];

/// Rows of one length somewhere among other numbers.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub numbers: &'a [f32],
    /// Where each row begins.
    pub starts: &'a [usize],
    pub width: usize,
}

impl Rows<'_> {
    /// Whether every row lies within the numbers.
    pub fn are_inside(&self) -> bool {
        let last = self.numbers.len().checked_sub(self.width);
        self.starts.iter().all(|&start| last.is_some_and(|last| start <= last))
    }
}

/// Of each row `powers = exp(x − max)`, 0 where that is no normal number, the maximum, which passes NaN over, and the sum of the powers.
///
/// # Safety
/// The instruction set is present; the rows are inside, `powers` is rows × width, the others have a number for each row.
#[inline(always)]
pub(super) unsafe fn exp_rows<S: Simd>(x: Rows<'_>, powers: &mut [f32], maxima: &mut [f32], sums: &mut [f32]) {
    let width = x.width;
    let blocks = maxima.chunks_mut(BLOCK).zip(sums.chunks_mut(BLOCK)).zip(x.starts.chunks(BLOCK));
    for (block, ((maxima, sums), starts)) in blocks.enumerate() {
        let mut partial_of = [[0.0; SUMS]; BLOCK];
        // SAFETY: handed on from the caller; `at + n ≤ width`.
        unsafe {
            for (partial, &start) in partial_of.iter_mut().zip(starts) {
                let (x, least) = (x.numbers.as_ptr().add(start), S::splat(f32::NEG_INFINITY));
                *partial = partial_sums::<S>(width, least, |max, at, n| {
                    let x = load::<S>(x.add(at), n);
                    // Where there is no number the zeros do not count.
                    let greater = S::if_less(max, x, x, max);
                    if n == S::LANES { greater } else { S::if_less(S::splat(0.0), first::<S>(n), greater, max) }
                });
            }
            for (max, partial) in maxima.iter_mut().zip(&partial_of) {
                *max = fold(partial, |a, b| if b > a { b } else { a });
            }
            for (row, (partial, &start)) in partial_of.iter_mut().zip(starts).enumerate() {
                let (x, shift) = (x.numbers.as_ptr().add(start), S::splat(maxima[row]));
                let powers = powers.as_mut_ptr().add((block * BLOCK + row) * width);
                *partial = partial_sums::<S>(width, S::splat(0.0), |sum, at, n| {
                    let power = math::exp_of_negative::<S>(S::sub(load::<S>(x.add(at), n), shift));
                    if n == S::LANES {
                        S::store(powers.add(at), power);
                        S::add(sum, power)
                    } else {
                        S::store_first(powers.add(at), power, n);
                        S::add(sum, S::where_positive(first::<S>(n), power))
                    }
                });
            }
            for (sum, partial) in sums.iter_mut().zip(&partial_of) {
                *sum = fold(partial, |a, b| a + b);
            }
        }
    }
}

/// `dots[r] = Σ_i a[r][i]·(b[r][i] − c[r])`.
///
/// # Safety
/// The instruction set is present; the rows of `b` are inside, `a` is rows × width, the others have a number for each row.
#[inline(always)]
pub(super) unsafe fn dot_rows<S: Simd>(a: &[f32], b: Rows<'_>, c: &[f32], dots: &mut [f32]) {
    let width = b.width;
    let blocks = dots.chunks_mut(BLOCK).zip(c.chunks(BLOCK)).zip(b.starts.chunks(BLOCK));
    for (block, ((dots, c), starts)) in blocks.enumerate() {
        let mut partial_of = [[0.0; SUMS]; BLOCK];
        // SAFETY: handed on from the caller; `at + n ≤ width`.
        unsafe {
            for (row, (partial, &start)) in partial_of.iter_mut().zip(starts).enumerate() {
                let (a, b) = (a.as_ptr().add((block * BLOCK + row) * width), b.numbers.as_ptr().add(start));
                let c = S::splat(c[row]);
                *partial = partial_sums::<S>(width, S::splat(0.0), |sum, at, n| {
                    let product = S::mul(load::<S>(a.add(at), n), S::sub(load::<S>(b.add(at), n), c));
                    // 0·(0 − ∞), where there is no number, is none.
                    S::add(sum, if n == S::LANES { product } else { S::where_positive(first::<S>(n), product) })
                });
            }
        }
        for (dot, partial) in dots.iter_mut().zip(&partial_of) {
            *dot = fold(partial, |a, b| a + b);
        }
    }
}

/// All lanes from `p`, or the first `n` and 0.
#[inline(always)]
pub(super) unsafe fn load<S: Simd>(p: *const f32, n: usize) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe { if n == S::LANES { S::load(p) } else { S::load_first(p, n) } }
}

/// 1 in the first `n` lanes, 0 in the others.
#[inline(always)]
pub(super) unsafe fn first<S: Simd>(n: usize) -> S::V {
    // SAFETY: no register has more lanes than there are ones.
    unsafe { S::load_first(ONES.as_ptr(), n) }
}

/// Goes through a row of `width` numbers: `step` is given the register that is to become the partial sums, where the next
/// numbers begin and how many they are.
#[inline(always)]
unsafe fn partial_sums<S: Simd>(
    width: usize,
    start: S::V,
    mut step: impl FnMut(S::V, usize, usize) -> S::V,
) -> [f32; SUMS] {
    let registers = SUMS / S::LANES;
    let mut partial = [start; SUMS];
    let mut at = 0;
    while at < width {
        for partial in partial.iter_mut().take(registers) {
            if at < width {
                // The one place where it is called: a second one, and it would no longer be inlined.
                *partial = step(*partial, at, S::LANES.min(width - at));
                at += S::LANES;
            }
        }
    }
    let mut numbers = [0.0; SUMS];
    for (register, partial) in partial.iter().enumerate().take(registers) {
        // SAFETY: the registers are as many lanes as there are numbers.
        unsafe { S::store(numbers.as_mut_ptr().add(register * S::LANES), *partial) };
    }
    numbers
}

/// The second half upon the first, until one is left.
#[inline(always)]
fn fold(lanes: &[f32; SUMS], f: impl Fn(f32, f32) -> f32) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|lane| f(lanes[lane], lanes[lane + 8]));
    let four: [f32; 4] = std::array::from_fn(|lane| f(eight[lane], eight[lane + 4]));
    f(f(four[0], four[2]), f(four[1], four[3]))
}
