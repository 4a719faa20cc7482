//! Passes over arrays, number by number.

use super::math;
use super::simd::Simd;
use crate::Activation;
use crate::reference::{AdamFactors, RmsPropFactors, RmsPropState};

/// See [`crate::reference::adam`].
///
/// # Safety
/// The instruction set is present; the four slices have one length.
#[inline(always)]
pub(super) unsafe fn adam<S: Simd>(f: &AdamFactors<f32>, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    let (len, lanes) = (p.len(), S::LANES);
    let (p, g, m, v) = (p.as_mut_ptr(), g.as_ptr(), m.as_mut_ptr(), v.as_mut_ptr());
    // SAFETY: `i + LANES ≤ len` in the loop, and `i + (len − i) ≤ len` after it, for each of the slices.
    unsafe {
        let factors = Factors::<S> {
            one_minus_beta1: S::splat(f.one_minus_beta1),
            beta2: S::splat(f.beta2),
            one_minus_beta2: S::splat(f.one_minus_beta2),
            inverse_root_correction: S::splat(f.inverse_root_correction),
            epsilon: S::splat(f.epsilon),
            negative_step: S::splat(f.negative_step),
        };
        let mut i = 0;
        while i + lanes <= len {
            let state = (S::load(p.add(i)), S::load(m.add(i)), S::load(v.add(i)));
            let (new_p, new_m, new_v) = adam_lanes(&factors, S::load(g.add(i)), state);
            S::store(p.add(i), new_p);
            S::store(m.add(i), new_m);
            S::store(v.add(i), new_v);
            i += lanes;
        }
        if i < len {
            let n = len - i;
            let state = (S::load_first(p.add(i), n), S::load_first(m.add(i), n), S::load_first(v.add(i), n));
            let (new_p, new_m, new_v) = adam_lanes(&factors, S::load_first(g.add(i), n), state);
            S::store_first(p.add(i), new_p, n);
            S::store_first(m.add(i), new_m, n);
            S::store_first(v.add(i), new_v, n);
        }
    }
}

/// See [`crate::reference::rms_prop`].
///
/// # Safety
/// The instruction set is present; `g` and `state.square` are as long as `p`, each of the other averages is too, or is
/// empty.
#[inline(always)]
pub(super) unsafe fn rms_prop<S: Simd>(
    f: &RmsPropFactors<f32>,
    p: &mut [f32],
    g: &[f32],
    state: RmsPropState<'_, f32>,
) {
    let (len, lanes) = (p.len(), S::LANES);
    let (is_centered, has_momentum) = (!state.mean.is_empty(), !state.velocity.is_empty());
    let (p, g, square) = (p.as_mut_ptr(), g.as_ptr(), state.square.as_mut_ptr());
    let (mean, velocity) = (state.mean.as_mut_ptr(), state.velocity.as_mut_ptr());
    let mut i = 0;
    // SAFETY: `n ≤ len − i`, and an array that is empty is not touched.
    unsafe {
        let (alpha, one_minus_alpha) = (S::splat(f.alpha), S::splat(f.one_minus_alpha));
        let (epsilon, momentum) = (S::splat(f.epsilon), S::splat(f.momentum));
        let (step, minus) = (S::splat(f.negative_learning_rate), S::splat(-1.0));
        while i < len {
            let n = lanes.min(len - i);
            let load = |from: *const f32| if n == lanes { S::load(from.add(i)) } else { S::load_first(from.add(i), n) };
            let store = |to: *mut f32, value| {
                if n == lanes { S::store(to.add(i), value) } else { S::store_first(to.add(i), value, n) }
            };
            let gradient = load(g);
            let mut variance = S::fma(S::mul(one_minus_alpha, gradient), gradient, S::mul(alpha, load(square)));
            store(square, variance);
            if is_centered {
                let old = load(mean);
                let new = S::fma(one_minus_alpha, S::sub(gradient, old), old);
                store(mean, new);
                variance = S::fma(S::mul(new, minus), new, variance);
            }
            let mut update = S::div(gradient, S::add(S::sqrt(variance), epsilon));
            if has_momentum {
                update = S::fma(momentum, load(velocity), update);
                store(velocity, update);
            }
            store(p, S::fma(step, update, load(p)));
            i += n;
        }
    }
}

/// See [`crate::reference::activate`].
///
/// # Safety
/// The instruction set is present.
#[inline(always)]
pub(super) unsafe fn activate<S: Simd>(activation: Activation, y: &mut [f32]) {
    match activation {
        Activation::Identity => {}
        // SAFETY: handed on from the caller.
        Activation::Relu => unsafe { for_each::<S>(y, &[], |y, _| activated::<S>(Activation::Relu, y)) },
        // SAFETY: handed on from the caller.
        Activation::Tanh => unsafe { for_each::<S>(y, &[], |y, _| activated::<S>(Activation::Tanh, y)) },
    }
}

/// See [`crate::reference::activate`].
///
/// # Safety
/// The instruction set is present.
#[inline(always)]
pub(super) unsafe fn activated<S: Simd>(activation: Activation, x: S::V) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe {
        match activation {
            Activation::Identity => x,
            Activation::Relu => S::relu(x),
            Activation::Tanh => math::tanh::<S>(x),
        }
    }
}

/// See [`crate::reference::differentiate`].
///
/// # Safety
/// The instruction set is present; `y` is as long as `d`.
#[inline(always)]
pub(super) unsafe fn differentiate<S: Simd>(activation: Activation, y: &[f32], d: &mut [f32]) {
    // SAFETY: handed on from the caller.
    unsafe {
        match activation {
            Activation::Identity => {}
            Activation::Relu => for_each::<S>(d, y, |d, y| differentiated::<S>(Activation::Relu, y, d)),
            Activation::Tanh => for_each::<S>(d, y, |d, y| differentiated::<S>(Activation::Tanh, y, d)),
        }
    }
}

/// See [`crate::reference::differentiate`].
///
/// # Safety
/// The instruction set is present.
#[inline(always)]
pub(super) unsafe fn differentiated<S: Simd>(activation: Activation, y: S::V, d: S::V) -> S::V {
    // SAFETY: handed on from the caller.
    unsafe {
        match activation {
            Activation::Identity => d,
            Activation::Relu => S::where_positive(y, d),
            Activation::Tanh => S::mul(d, S::fma(S::mul(y, S::splat(-1.0)), y, S::splat(1.0))),
        }
    }
}

macro_rules! all {
    ($($name:ident)*) => {$(
        /// The function for every number.
        ///
        /// # Safety
        /// The instruction set is present.
        #[inline(always)]
        pub(super) unsafe fn $name<S: Simd>(x: &mut [f32]) {
            // SAFETY: handed on from the caller.
            unsafe { for_each::<S>(x, &[], |x, _| math::$name::<S>(x)) }
        }
    )*};
}
all! { exp ln sigmoid tanh }

/// `x[i] = f(x[i], y[i])`, where an empty `y` is all zeros.
///
/// # Safety
/// The instruction set is present; `y` is empty or as long as `x`.
#[inline(always)]
unsafe fn for_each<S: Simd>(x: &mut [f32], y: &[f32], f: impl Fn(S::V, S::V) -> S::V) {
    let (len, lanes, has_y) = (x.len(), S::LANES, !y.is_empty());
    let (x, y) = (x.as_mut_ptr(), y.as_ptr());
    let mut i = 0;
    // SAFETY: `n ≤ len − i`.
    unsafe {
        while i < len {
            let n = lanes.min(len - i);
            let load = |p: *const f32| if n == lanes { S::load(p.add(i)) } else { S::load_first(p.add(i), n) };
            let value = f(load(x), if has_y { load(y) } else { S::splat(0.0) });
            if n == lanes {
                S::store(x.add(i), value);
            } else {
                S::store_first(x.add(i), value, n);
            }
            i += n;
        }
    }
}

/// [`AdamFactors`], each in every lane.
struct Factors<S: Simd> {
    one_minus_beta1: S::V,
    beta2: S::V,
    one_minus_beta2: S::V,
    inverse_root_correction: S::V,
    epsilon: S::V,
    negative_step: S::V,
}

/// The new (p, m, v) of one register.
#[inline(always)]
unsafe fn adam_lanes<S: Simd>(f: &Factors<S>, g: S::V, (p, m, v): (S::V, S::V, S::V)) -> (S::V, S::V, S::V) {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let m = S::fma(f.one_minus_beta1, S::sub(g, m), m);
        let v = S::fma(S::mul(f.one_minus_beta2, g), g, S::mul(f.beta2, v));
        let denominator = S::fma(S::sqrt(v), f.inverse_root_correction, f.epsilon);
        (S::fma(f.negative_step, S::div(m, denominator), p), m, v)
    }
}

/// `sums[o] = Σ_r rows[r][o]`, r increasing from 0.
///
/// # Safety
/// The instruction set is present; `rows` is a whole number of rows as long as `sums`.
#[inline(always)]
pub(super) unsafe fn column_sums<S: Simd>(rows: &[f32], sums: &mut [f32]) {
    let (width, lanes) = (sums.len(), S::LANES);
    let mut column = 0;
    while column < width {
        let left = (width - column).div_ceil(lanes);
        // SAFETY: handed on from the caller; there are that many registers from `column` on.
        let registers = unsafe {
            match left {
                1 => column_sums_of::<S, 1>(rows, sums, column),
                2 | 3 => column_sums_of::<S, 2>(rows, sums, column),
                4..=7 => column_sums_of::<S, 4>(rows, sums, column),
                _ => column_sums_of::<S, 8>(rows, sums, column),
            }
        };
        column += registers * lanes;
    }
}

/// The sums of `N` registers from `column`, side by side, so that one addition does not wait for the one before; returns
/// `N`.
///
/// # Safety
/// As for [`column_sums`]; more than `(N − 1) · LANES` columns are left.
#[inline(always)]
unsafe fn column_sums_of<S: Simd, const N: usize>(rows: &[f32], sums: &mut [f32], column: usize) -> usize {
    let (width, lanes) = (sums.len(), S::LANES);
    let count = rows.len() / width;
    let last = lanes.min(width - column - (N - 1) * lanes);
    let (rows, sums) = (rows.as_ptr(), sums.as_mut_ptr());
    // SAFETY: the last register covers `last` columns, which are at most those that are left of a row.
    unsafe {
        let mut block = [S::splat(0.0); N];
        for r in 0..count {
            let from = rows.add(r * width + column);
            for (i, sum) in block.iter_mut().enumerate() {
                let from = from.add(i * lanes);
                let is_whole = i + 1 < N || last == lanes;
                *sum = S::add(*sum, if is_whole { S::load(from) } else { S::load_first(from, last) });
            }
        }
        for (i, sum) in block.into_iter().enumerate() {
            let to = sums.add(column + i * lanes);
            if i + 1 < N || last == lanes { S::store(to, sum) } else { S::store_first(to, sum, last) }
        }
    }
    N
}
