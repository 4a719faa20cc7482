//! Registers that are arrays: plain Rust that runs everywhere, which Miri can check and which the scalar
//! mathematics is built on.

use super::scalar_fma::mul_add;
use super::simd::Simd;

/// A register of `N` lanes.
#[derive(Clone, Copy)]
pub(super) struct Array<const N: usize>;

/// SAFETY of every function: the caller passes pointers that are valid for the lanes named, which is the trait's contract.
impl<const N: usize> Simd for Array<N> {
    type V = [f32; N];

    const LANES: usize = N;

    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; N] {
        [x; N]
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> [f32; N] {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named.
        unsafe { p.cast::<[f32; N]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> [f32; N] {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named.
        std::array::from_fn(|i| if i < n { unsafe { *p.add(i) } } else { 0.0 })
    }

    #[inline(always)]
    fn prefetch(_: *const f32) {}

    #[inline(always)]
    unsafe fn store(p: *mut f32, v: [f32; N]) {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named.
        unsafe { p.cast::<[f32; N]>().write_unaligned(v) }
    }

    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: [f32; N], n: usize) {
        for (i, x) in v.into_iter().enumerate().take(n) {
            // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named.
            unsafe { *p.add(i) = x };
        }
    }

    #[inline(always)]
    unsafe fn fma(a: [f32; N], b: [f32; N], c: [f32; N]) -> [f32; N] {
        std::array::from_fn(|i| mul_add(a[i], b[i], c[i]))
    }

    #[inline(always)]
    unsafe fn add(a: [f32; N], b: [f32; N]) -> [f32; N] {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    unsafe fn sub(a: [f32; N], b: [f32; N]) -> [f32; N] {
        std::array::from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    unsafe fn mul(a: [f32; N], b: [f32; N]) -> [f32; N] {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    unsafe fn div(a: [f32; N], b: [f32; N]) -> [f32; N] {
        std::array::from_fn(|i| a[i] / b[i])
    }

    #[inline(always)]
    unsafe fn sqrt(a: [f32; N]) -> [f32; N] {
        a.map(f32::sqrt)
    }

    #[inline(always)]
    unsafe fn relu(a: [f32; N]) -> [f32; N] {
        a.map(|a| if a < 0.0 { 0.0 } else { a })
    }

    #[inline(always)]
    unsafe fn where_positive(y: [f32; N], d: [f32; N]) -> [f32; N] {
        std::array::from_fn(|i| if y[i] > 0.0 { d[i] } else { 0.0 })
    }

    #[inline(always)]
    unsafe fn if_less(a: [f32; N], b: [f32; N], x: [f32; N], y: [f32; N]) -> [f32; N] {
        std::array::from_fn(|i| if a[i] < b[i] { x[i] } else { y[i] })
    }

    #[inline(always)]
    unsafe fn power_of_two(n: [f32; N]) -> [f32; N] {
        n.map(|n| f32::from_bits((n as i32).wrapping_add(127).cast_unsigned() << 23))
    }

    #[inline(always)]
    unsafe fn exponent(a: [f32; N]) -> [f32; N] {
        a.map(|a| ((a.to_bits() >> 23).cast_signed() - 127) as f32)
    }

    #[inline(always)]
    unsafe fn significand(a: [f32; N]) -> [f32; N] {
        a.map(|a| f32::from_bits(a.to_bits() & 0x007F_FFFF | 0x3F80_0000))
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        for j in 0..N {
            for t in 0..N {
                // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named.
                unsafe { *to.add(t * to_row + j) = *from.add(j * from_row + t) };
            }
        }
    }
}
