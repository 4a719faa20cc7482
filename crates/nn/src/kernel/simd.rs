//! [`Simd`]: what the kernels need from an instruction set.

/// A set of vector registers. The kernels are written once over this trait; an implementation is a handful of
/// instructions, and each lane of each operation rounds as IEEE 754 says, which is why they all agree.
///
/// # Safety
/// Every function needs the instruction set to be present. Pointers must be valid for the lanes that are read or written;
/// they need not be aligned.
pub(super) trait Simd: Copy {
    /// A vector register.
    type V: Copy;

    /// `f32` lanes of a register.
    const LANES: usize;

    /// Every lane `x`.
    unsafe fn splat(x: f32) -> Self::V;

    /// All lanes from `p`.
    unsafe fn load(p: *const f32) -> Self::V;

    /// The first `n` lanes from `p`, the others 0; `1 ≤ n ≤ LANES`.
    unsafe fn load_first(p: *const f32, n: usize) -> Self::V;

    /// Asks for the cache line at `p`, which need not be valid.
    fn prefetch(p: *const f32);

    /// All lanes to `p`.
    unsafe fn store(p: *mut f32, v: Self::V);

    /// The first `n` lanes to `p`; `1 ≤ n ≤ LANES`.
    unsafe fn store_first(p: *mut f32, v: Self::V, n: usize);

    /// `a · b + c`, rounded once.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// `a + b`.
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;

    /// `a − b`.
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;

    /// `a · b`.
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;

    /// `a / b`.
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;

    /// The square root.
    unsafe fn sqrt(a: Self::V) -> Self::V;

    /// `if a < 0 { 0 } else { a }`: a NaN stays.
    unsafe fn relu(a: Self::V) -> Self::V;

    /// `if y > 0 { d } else { 0 }`.
    unsafe fn where_positive(y: Self::V, d: Self::V) -> Self::V;

    /// `if a < b { x } else { y }`: `y` where either is NaN.
    unsafe fn if_less(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V;

    /// `2ⁿ` for a whole `n` from −126 to 127; anything for another.
    unsafe fn power_of_two(n: Self::V) -> Self::V;

    /// The exponent of a positive normal number, as a number; anything for another.
    unsafe fn exponent(a: Self::V) -> Self::V;

    /// The number with the exponent 0: from 1 to 2 for a positive one.
    unsafe fn significand(a: Self::V) -> Self::V;

    /// `to[t][j] = from[j][t]` for a square of `LANES`, rows `from_row` and `to_row` numbers apart.
    unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize);
}
