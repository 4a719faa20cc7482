//! AVX2 and FMA: eight lanes.

use std::arch::x86_64::*;

use super::simd::Simd;

/// The instruction set of x86-64-v3.
#[derive(Clone, Copy)]
pub(super) struct Avx2;

/// Eight set words, then eight clear ones: the mask of the first n lanes begins at 8 − n.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// SAFETY of every function: the caller runs on a processor with AVX2 and FMA and passes pointers that are valid for the
/// lanes named, which is the trait's contract; no instruction here needs an aligned address.
impl Simd for Avx2 {
    type V = __m256;

    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m256 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe { _mm256_loadu_ps(p) }
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> __m256 {
        debug_assert!((1..=8).contains(&n));
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe { _mm256_maskload_ps(p, mask(n)) }
    }

    #[inline(always)]
    fn prefetch(p: *const f32) {
        // SAFETY: a prefetch reads nothing that the program sees, and never faults; SSE is part of every x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }

    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m256) {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe { _mm256_storeu_ps(p, v) }
    }

    #[inline(always)]
    unsafe fn store_first(p: *mut f32, v: __m256, n: usize) {
        debug_assert!((1..=8).contains(&n));
        // A masked store is slow on several processors; the parts are not.
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            let (mut p, mut rest) = (p, _mm256_castps256_ps128(v));
            if n == 8 {
                return _mm256_storeu_ps(p, v);
            }
            if n & 4 != 0 {
                _mm_storeu_ps(p, rest);
                rest = _mm256_extractf128_ps::<1>(v);
                p = p.add(4);
            }
            if n & 2 != 0 {
                _mm_storel_epi64(p.cast(), _mm_castps_si128(rest));
                rest = _mm_movehl_ps(rest, rest);
                p = p.add(2);
            }
            if n & 1 != 0 {
                _mm_store_ss(p, rest);
            }
        }
    }

    #[inline(always)]
    unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn div(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_div_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sqrt(a: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_sqrt_ps(a) }
    }

    #[inline(always)]
    unsafe fn relu(a: __m256) -> __m256 {
        // The instruction is `first > second ? first : second`, so a NaN and −0 come from the second operand.
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_max_ps(_mm256_setzero_ps(), a) }
    }

    #[inline(always)]
    unsafe fn where_positive(y: __m256, d: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(y, _mm256_setzero_ps()), d) }
    }

    #[inline(always)]
    unsafe fn if_less(a: __m256, b: __m256, x: __m256, y: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the processor has these instructions.
        unsafe { _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
    }

    #[inline(always)]
    unsafe fn power_of_two(n: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
        }
    }

    #[inline(always)]
    unsafe fn exponent(a: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(a));
            _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)))
        }
    }

    #[inline(always)]
    unsafe fn significand(a: __m256) -> __m256 {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            let bits = _mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(0x007F_FFFF));
            _mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(0x3F80_0000)))
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the contract of `Simd`: the pointers are valid for the lanes named, and the processor has these instructions.
        unsafe {
            // Quarters of the rows j and j + 4 share a register, so that the shuffles within halves finish the work.
            let quarter = |j: usize, t: usize| {
                let low = _mm256_castps128_ps256(_mm_loadu_ps(from.add(j * from_row + t)));
                _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add((j + 4) * from_row + t)))
            };
            for t in [0, 4] {
                let (a, b, c, d) = (quarter(0, t), quarter(1, t), quarter(2, t), quarter(3, t));
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let to = to.add(t * to_row);
                _mm256_storeu_ps(to, _mm256_shuffle_ps::<0b01_00_01_00>(ab_low, cd_low));
                _mm256_storeu_ps(to.add(to_row), _mm256_shuffle_ps::<0b11_10_11_10>(ab_low, cd_low));
                _mm256_storeu_ps(to.add(2 * to_row), _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high));
                _mm256_storeu_ps(to.add(3 * to_row), _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high));
            }
        }
    }
}

#[inline(always)]
unsafe fn mask(n: usize) -> __m256i {
    // SAFETY: 1 ≤ n ≤ 8, so the eight words from 8 − n lie within the sixteen.
    unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - n).cast()) }
}
