//! NEON: four lanes. It is part of every aarch64.

use std::arch::aarch64::*;

use super::simd::Simd;

/// Advanced SIMD.
#[derive(Clone, Copy)]
pub(super) struct Neon;

/// SAFETY of every function: every aarch64 has the instructions, and the caller passes pointers that are valid for the
/// lanes named, which is the trait's contract; the instructions need no alignment beyond that of a number.
impl Simd for Neon {
    type V = float32x4_t;

    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(x) }
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(p) }
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> float32x4_t {
        debug_assert!((1..=4).contains(&n));
        let mut lanes = [0.0_f32; 4];
        unsafe {
            std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n);
            vld1q_f32(lanes.as_ptr())
        }
    }

    #[inline(always)]
    fn prefetch(_: *const f32) {}

    #[inline(always)]
    unsafe fn store(p: *mut f32, v: float32x4_t) {
        unsafe { vst1q_f32(p, v) }
    }

    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: float32x4_t, n: usize) {
        debug_assert!((1..=4).contains(&n));
        let mut lanes = [0.0_f32; 4];
        unsafe {
            vst1q_f32(lanes.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n);
        }
    }

    #[inline(always)]
    unsafe fn fma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    unsafe fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vsubq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn div(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn sqrt(a: float32x4_t) -> float32x4_t {
        unsafe { vsqrtq_f32(a) }
    }

    #[inline(always)]
    unsafe fn relu(a: float32x4_t) -> float32x4_t {
        // Not the maximum instruction, which turns −0 into 0.
        unsafe { vbslq_f32(vcltzq_f32(a), vdupq_n_f32(0.0), a) }
    }

    #[inline(always)]
    unsafe fn where_positive(y: float32x4_t, d: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vcgtzq_f32(y), d, vdupq_n_f32(0.0)) }
    }

    #[inline(always)]
    unsafe fn if_less(a: float32x4_t, b: float32x4_t, x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vcltq_f32(a, b), x, y) }
    }

    #[inline(always)]
    unsafe fn power_of_two(n: float32x4_t) -> float32x4_t {
        unsafe {
            let biased = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(biased))
        }
    }

    #[inline(always)]
    unsafe fn exponent(a: float32x4_t) -> float32x4_t {
        unsafe {
            let biased = vreinterpretq_s32_u32(vshrq_n_u32::<23>(vreinterpretq_u32_f32(a)));
            vcvtq_f32_s32(vsubq_s32(biased, vdupq_n_s32(127)))
        }
    }

    #[inline(always)]
    unsafe fn significand(a: float32x4_t) -> float32x4_t {
        unsafe {
            let bits = vandq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(0x007F_FFFF));
            vreinterpretq_f32_u32(vorrq_u32(bits, vdupq_n_u32(0x3F80_0000)))
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        unsafe {
            let row = |j: usize| vld1q_f32(from.add(j * from_row));
            let (ac_low, ac_high) = (vzip1q_f32(row(0), row(2)), vzip2q_f32(row(0), row(2)));
            let (bd_low, bd_high) = (vzip1q_f32(row(1), row(3)), vzip2q_f32(row(1), row(3)));
            vst1q_f32(to, vzip1q_f32(ac_low, bd_low));
            vst1q_f32(to.add(to_row), vzip2q_f32(ac_low, bd_low));
            vst1q_f32(to.add(2 * to_row), vzip1q_f32(ac_high, bd_high));
            vst1q_f32(to.add(3 * to_row), vzip2q_f32(ac_high, bd_high));
        }
    }
}
