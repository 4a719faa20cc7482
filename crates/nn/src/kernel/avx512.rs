//! AVX-512: sixteen lanes.

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::simd::Simd;

/// The foundation instructions of AVX-512, in addition to AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx512;

/// SAFETY of every function: the caller runs on a processor with AVX-512F, AVX2 and FMA and passes pointers that are valid
/// for the lanes named, which is the trait's contract; no instruction here needs an aligned address, and a masked one does
/// not touch the lanes that it leaves out.
impl Simd for Avx512 {
    type V = __m512;

    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m512 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe { _mm512_loadu_ps(p) }
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_maskz_loadu_ps(mask(n), p) }
    }

    #[inline(always)]
    fn prefetch(p: *const f32) {
        Avx2::prefetch(p);
    }

    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m512) {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe { _mm512_storeu_ps(p, v) }
    }

    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: __m512, n: usize) {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe { _mm512_mask_storeu_ps(p, mask(n), v) }
    }

    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn div(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sqrt(a: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_sqrt_ps(a) }
    }

    #[inline(always)]
    unsafe fn relu(a: __m512) -> __m512 {
        // The instruction is `first > second ? first : second`, so a NaN and −0 come from the second operand.
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_max_ps(_mm512_setzero_ps(), a) }
    }

    #[inline(always)]
    unsafe fn where_positive(y: __m512, d: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(y, _mm512_setzero_ps()), d) }
    }

    #[inline(always)]
    unsafe fn if_less(a: __m512, b: __m512, x: __m512, y: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), y, x) }
    }

    #[inline(always)]
    unsafe fn power_of_two(n: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }
    }

    #[inline(always)]
    unsafe fn exponent(a: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            let biased = _mm512_srli_epi32::<23>(_mm512_castps_si512(a));
            _mm512_cvtepi32_ps(_mm512_sub_epi32(biased, _mm512_set1_epi32(127)))
        }
    }

    #[inline(always)]
    unsafe fn significand(a: __m512) -> __m512 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            let bits = _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x007F_FFFF));
            _mm512_castsi512_ps(_mm512_or_si512(bits, _mm512_set1_epi32(0x3F80_0000)))
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: sixteen rows of sixteen numbers of each array.
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for (j, row) in rows.iter_mut().enumerate() {
                *row = _mm512_loadu_ps(from.add(j * from_row));
            }
            // Numbers of two rows alternate, then of four: register 4b + q holds column 4l + q of rows 4b to 4b + 3 in its
            // quarter l.
            let mut quarters = rows;
            for b in 0..4 {
                let [r0, r1, r2, r3] = [rows[4 * b], rows[4 * b + 1], rows[4 * b + 2], rows[4 * b + 3]];
                let (low, high) = (_mm512_unpacklo_ps(r0, r1), _mm512_unpackhi_ps(r0, r1));
                let (low2, high2) = (_mm512_unpacklo_ps(r2, r3), _mm512_unpackhi_ps(r2, r3));
                quarters[4 * b] = _mm512_shuffle_ps::<0b01_00_01_00>(low, low2);
                quarters[4 * b + 1] = _mm512_shuffle_ps::<0b11_10_11_10>(low, low2);
                quarters[4 * b + 2] = _mm512_shuffle_ps::<0b01_00_01_00>(high, high2);
                quarters[4 * b + 3] = _mm512_shuffle_ps::<0b11_10_11_10>(high, high2);
            }
            // Then the quarters themselves are transposed: column 4l + q is quarter l of the four registers with its q.
            for q in 0..4 {
                let [b0, b1, b2, b3] = [quarters[q], quarters[4 + q], quarters[8 + q], quarters[12 + q]];
                let even = _mm512_shuffle_f32x4::<0b10_00_10_00>(b0, b1);
                let odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(b0, b1);
                let even2 = _mm512_shuffle_f32x4::<0b10_00_10_00>(b2, b3);
                let odd2 = _mm512_shuffle_f32x4::<0b11_01_11_01>(b2, b3);
                let put = |l: usize, v| _mm512_storeu_ps(to.add((4 * l + q) * to_row), v);
                put(0, _mm512_shuffle_f32x4::<0b10_00_10_00>(even, even2));
                put(1, _mm512_shuffle_f32x4::<0b10_00_10_00>(odd, odd2));
                put(2, _mm512_shuffle_f32x4::<0b11_01_11_01>(even, even2));
                put(3, _mm512_shuffle_f32x4::<0b11_01_11_01>(odd, odd2));
            }
        }
    }
}

#[inline(always)]
fn mask(n: usize) -> __mmask16 {
    debug_assert!((1..=16).contains(&n));
    (0xFFFF_u32 >> (16 - n)) as __mmask16
}
