//! The machine's limits, as reference for benchmarks: multiply-adds per second, and the memory traffic of an optimiser's step.

use std::hint::black_box;
use std::time::Instant;

use super::Kernel;
use super::simd::Simd;

/// Independent chains: enough to cover the latency of the multipliers on every processor of the last ten years.
const CHAINS: usize = 12;

/// The maximum floating-point operations per second of one core with this kernel's registers, counting a fused multiply-add as two: the
/// best of `tries` runs of about a millisecond.
pub fn flops_per_second(kernel: Kernel, tries: usize) -> f64 {
    const ROUNDS: usize = 200_000;
    let operations = (2 * CHAINS * kernel.lanes() * ROUNDS) as f64;
    let seconds = (0..tries.max(1)).map(|_| {
        let start = Instant::now();
        black_box(kernel.multiply_adds(ROUNDS, black_box(1.0)));
        start.elapsed().as_secs_f64()
    });
    operations / seconds.fold(f64::INFINITY, f64::min)
}

/// Reads four arrays and writes three of them, like a step of Adam, with hardly any arithmetic.
///
/// # Panics
/// If the lengths differ.
pub fn optimizer_traffic(kernel: Kernel, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    kernel.traffic(p, g, m, v);
}

#[inline(always)]
pub(super) unsafe fn multiply_adds<S: Simd>(rounds: usize, seed: f32) -> f32 {
    // SAFETY: the caller vouches for the instruction set; the store fits the widest register.
    unsafe {
        let factor = S::splat(0.999_9);
        let mut sums = [S::splat(seed); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = S::fma(*sum, factor, factor);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = S::add(total, *sum);
        }
        let mut lanes = [0.0; 16];
        S::store(lanes.as_mut_ptr(), total);
        lanes[0]
    }
}

/// # Safety
/// The instruction set is present; the four slices have one length.
#[inline(always)]
pub(super) unsafe fn traffic<S: Simd>(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    let len = p.len();
    let (p, g, m, v) = (p.as_mut_ptr(), g.as_ptr(), m.as_mut_ptr(), v.as_mut_ptr());
    let mut i = 0;
    // SAFETY: `i + LANES ≤ len`.
    unsafe {
        while i + S::LANES <= len {
            let d = S::load(g.add(i));
            for x in [p, m, v] {
                S::store(x.add(i), S::add(S::load(x.add(i)), d));
            }
            i += S::LANES;
        }
    }
}
