//! Layer normalisation. Every sum along a group has [`SUM_PARTS`] partial sums whatever the registers, in the order of
//! [`crate::reference::spread_sum`].

use super::elementwise::{activated, differentiated};
use super::rows::{first, load};
use super::simd::Simd;
use crate::Activation;
use crate::reference::{LayerNormShape, SUM_PARTS};

/// See [`crate::reference::layer_norm_forward`].
///
/// # Safety
/// The instruction set is present; `x`, `normal` and `y` are groups × features, `gain` and `bias` have a number for each
/// feature, `scales` for each group.
#[inline(always)]
pub(super) unsafe fn layer_norm_forward<S: Simd>(
    shape: LayerNormShape,
    (gain, bias, epsilon): (&[f32], &[f32], f32),
    (x, activation): (&[f32], Activation),
    (normal, scales): (&mut [f32], &mut [f32]),
    y: &mut [f32],
) {
    let LayerNormShape { groups, features } = shape;
    let (x, normal, y) = (x.as_ptr(), normal.as_mut_ptr(), y.as_mut_ptr());
    let parameters = (gain.as_ptr(), bias.as_ptr());
    // SAFETY: handed on from the caller; the groups from `block` on are at least `rows`.
    unsafe {
        let (one, epsilon, count) = (S::splat(1.0), S::splat(epsilon), S::splat(features as f32));
        for block in (0..groups).step_by(S::LANES) {
            let rows = S::LANES.min(groups - block);
            let mut sums = [S::splat(0.0); SUM_PARTS];
            for (row, sum) in sums.iter_mut().enumerate().take(rows) {
                let x = x.add((block + row) * features);
                [*sum] = partial_sums::<S, 1>(features, &Numbers { x });
            }
            let mut means = [0.0; SUM_PARTS];
            S::store(means.as_mut_ptr(), S::div(total_of_each::<S>(&sums), count));
            for row in 0..rows {
                let x = x.add((block + row) * features);
                [sums[row]] = partial_sums::<S, 1>(features, &Squares { x, mean: S::splat(means[row]) });
            }
            let variances = S::div(total_of_each::<S>(&sums), count);
            let mut block_scales = [0.0; SUM_PARTS];
            S::store(block_scales.as_mut_ptr(), S::div(one, S::sqrt(S::add(variances, epsilon))));
            scales[block..block + rows].copy_from_slice(&block_scales[..rows]);
            for row in 0..rows {
                let at = (block + row) * features;
                let (mean, scale) = (S::splat(means[row]), S::splat(block_scales[row]));
                let group =
                    Normalized::<S> { x: x.add(at), mean, scale, parameters, normal: normal.add(at), y: y.add(at) };
                group.write(features, activation);
            }
        }
    }
}

/// See [`crate::reference::layer_norm_input_gradient`].
///
/// # Safety
/// The instruction set is present; `dy`, `normal`, `x` and `dx` are groups × features, `gain` has a number for each feature,
/// `scales` for each group.
#[inline(always)]
pub(super) unsafe fn layer_norm_input_gradient<S: Simd>(
    shape: LayerNormShape,
    (gain, dy): (&[f32], &[f32]),
    (normal, scales): (&[f32], &[f32]),
    (x, activation): (&[f32], Activation),
    dx: &mut [f32],
) {
    let LayerNormShape { groups, features } = shape;
    let (gain, dy, normal) = (gain.as_ptr(), dy.as_ptr(), normal.as_ptr());
    let (x, dx) = (x.as_ptr(), dx.as_mut_ptr());
    // SAFETY: handed on from the caller; the groups from `block` on are at least `rows`.
    unsafe {
        let count = S::splat(features as f32);
        for block in (0..groups).step_by(S::LANES) {
            let rows = S::LANES.min(groups - block);
            let (mut sums, mut products) = ([S::splat(0.0); SUM_PARTS], [S::splat(0.0); SUM_PARTS]);
            for row in 0..rows {
                let at = (block + row) * features;
                let terms = GainedGradients { gain, dy: dy.add(at), normal: normal.add(at) };
                [sums[row], products[row]] = partial_sums::<S, 2>(features, &terms);
            }
            let (mut means, mut slopes) = ([0.0; SUM_PARTS], [0.0; SUM_PARTS]);
            S::store(means.as_mut_ptr(), S::div(total_of_each::<S>(&sums), count));
            S::store(slopes.as_mut_ptr(), S::div(total_of_each::<S>(&products), count));
            for row in 0..rows {
                let at = (block + row) * features;
                let terms = GainedGradients { gain, dy: dy.add(at), normal: normal.add(at) };
                let group = InputGradient::<S> {
                    terms,
                    mean: S::splat(means[row]),
                    slope: S::splat(slopes[row]),
                    scale: S::splat(scales[block + row]),
                    x: x.add(at),
                    dx: dx.add(at),
                };
                group.write(features, activation);
            }
        }
    }
}

/// See [`crate::reference::layer_norm_parameter_gradient`]: features side by side, each in the order of the groups.
///
/// # Safety
/// The instruction set is present; `dy` and `normal` are groups × features, `d_gain` and `d_bias` have a number for each
/// feature.
#[inline(always)]
pub(super) unsafe fn layer_norm_parameter_gradient<S: Simd>(
    shape: LayerNormShape,
    (dy, normal): (&[f32], &[f32]),
    (d_gain, d_bias): (&mut [f32], &mut [f32]),
) {
    let (features, lanes) = (shape.features, S::LANES);
    let mut feature = 0;
    while feature < features {
        let of = Columns { shape, feature, dy: dy.as_ptr(), normal: normal.as_ptr() };
        // SAFETY: handed on from the caller; there are that many registers from `feature` on.
        feature += lanes
            * unsafe {
                match (features - feature).div_ceil(lanes) {
                    1 => of.write::<S, 1>(d_gain, d_bias),
                    2 | 3 => of.write::<S, 2>(d_gain, d_bias),
                    _ => of.write::<S, 4>(d_gain, d_bias),
                }
            };
    }
}

/// What is summed along a group, `K` sums at once.
///
/// # Safety
/// `at + n` is at most the numbers of the group, and `1 ≤ n ≤ LANES`.
trait Terms<S: Simd, const K: usize> {
    /// The terms of the `n` numbers from `at` on; 0 in the other lanes, which leaves a sum as it is.
    unsafe fn terms(&self, at: usize, n: usize) -> [S::V; K];
}

struct Numbers {
    x: *const f32,
}

impl<S: Simd> Terms<S, 1> for Numbers {
    #[inline(always)]
    unsafe fn terms(&self, at: usize, n: usize) -> [S::V; 1] {
        // SAFETY: the contract of `Terms`.
        unsafe { [load::<S>(self.x.add(at), n)] }
    }
}

/// Squares of distances from the mean.
struct Squares<S: Simd> {
    x: *const f32,
    mean: S::V,
}

impl<S: Simd> Terms<S, 1> for Squares<S> {
    #[inline(always)]
    unsafe fn terms(&self, at: usize, n: usize) -> [S::V; 1] {
        // SAFETY: the contract of `Terms`.
        unsafe {
            let distance = S::sub(load::<S>(self.x.add(at), n), self.mean);
            let square = S::mul(distance, distance);
            [if n == S::LANES { square } else { S::where_positive(first::<S>(n), square) }]
        }
    }
}

/// `g = dy·gain` and `g·normal`.
struct GainedGradients {
    gain: *const f32,
    dy: *const f32,
    normal: *const f32,
}

impl<S: Simd> Terms<S, 2> for GainedGradients {
    #[inline(always)]
    unsafe fn terms(&self, at: usize, n: usize) -> [S::V; 2] {
        // SAFETY: the contract of `Terms`; beyond the numbers that are loaded all lanes are 0.
        unsafe {
            let g = S::mul(load::<S>(self.dy.add(at), n), load::<S>(self.gain.add(at), n));
            [g, S::mul(g, load::<S>(self.normal.add(at), n))]
        }
    }
}

/// The partial sums along a group of `features`, folded into one register of each sum.
///
/// # Safety
/// The instruction set is present; the terms have this many numbers.
#[inline(always)]
unsafe fn partial_sums<S: Simd, const K: usize>(features: usize, of: &impl Terms<S, K>) -> [S::V; K] {
    let registers = SUM_PARTS / S::LANES;
    let mut at = 0;
    // SAFETY: `at + n ≤ features`.
    unsafe {
        let mut parts = [[S::splat(0.0); K]; SUM_PARTS];
        while at + SUM_PARTS <= features {
            for part in parts.iter_mut().take(registers) {
                *part = add_each::<S, K>(*part, of.terms(at, S::LANES));
                at += S::LANES;
            }
        }
        for part in parts.iter_mut().take(registers) {
            if at < features {
                let n = S::LANES.min(features - at);
                *part = add_each::<S, K>(*part, of.terms(at, n));
                at += n;
            }
        }
        let mut half = registers / 2;
        while half > 0 {
            for i in 0..half {
                parts[i] = add_each::<S, K>(parts[i], parts[i + half]);
            }
            half /= 2;
        }
        parts[0]
    }
}

#[inline(always)]
unsafe fn add_each<S: Simd, const K: usize>(mut sums: [S::V; K], terms: [S::V; K]) -> [S::V; K] {
    for (sum, term) in sums.iter_mut().zip(terms) {
        // SAFETY: handed on from the caller.
        *sum = unsafe { S::add(*sum, term) };
    }
    sums
}

/// Lane r is the sum of the lanes of register r, the second half upon the first until one is left: for all rows at once, by
/// turning the square around.
///
/// # Safety
/// The instruction set is present.
#[inline(always)]
unsafe fn total_of_each<S: Simd>(rows: &[S::V; SUM_PARTS]) -> S::V {
    // SAFETY: both arrays have at least LANES registers of LANES numbers.
    unsafe {
        let mut lanes = [S::splat(0.0); SUM_PARTS];
        S::transpose(rows.as_ptr().cast(), S::LANES, lanes.as_mut_ptr().cast(), S::LANES);
        let mut half = S::LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes[i] = S::add(lanes[i], lanes[i + half]);
            }
            half /= 2;
        }
        lanes[0]
    }
}

/// What is written to a group once its sums are known, register by register.
///
/// # Safety
/// The instruction set is present, and the pointers are to `features` numbers; `at + n` is at most that, and `1 ≤ n ≤ LANES`.
trait Pass<S: Simd> {
    /// Writes the `n` numbers from `at` on.
    unsafe fn write_from(&self, at: usize, n: usize, activation: Activation);

    /// Writes the group.
    #[inline(always)]
    unsafe fn write(&self, features: usize, activation: Activation) {
        // SAFETY: handed on from the caller. A loop for each, so that none asks at every register which it is.
        unsafe {
            match activation {
                Activation::Identity => self.write_all(features, Activation::Identity),
                Activation::Relu => self.write_all(features, Activation::Relu),
                Activation::Tanh => self.write_all(features, Activation::Tanh),
            }
        }
    }

    #[inline(always)]
    unsafe fn write_all(&self, features: usize, activation: Activation) {
        let mut at = 0;
        // SAFETY: `at + n ≤ features`.
        unsafe {
            while at + S::LANES <= features {
                self.write_from(at, S::LANES, activation);
                at += S::LANES;
            }
            if at < features {
                self.write_from(at, features - at, activation);
            }
        }
    }
}

/// Writes the normalised numbers and the outputs of a group.
struct Normalized<S: Simd> {
    x: *const f32,
    mean: S::V,
    scale: S::V,
    /// Gain and bias.
    parameters: (*const f32, *const f32),
    normal: *mut f32,
    y: *mut f32,
}

impl<S: Simd> Pass<S> for Normalized<S> {
    #[inline(always)]
    unsafe fn write_from(&self, at: usize, n: usize, activation: Activation) {
        // SAFETY: the contract of `Pass`.
        unsafe {
            let normal = S::mul(S::sub(load::<S>(self.x.add(at), n), self.mean), self.scale);
            store::<S>(self.normal.add(at), normal, n);
            let (gain, bias) = (load::<S>(self.parameters.0.add(at), n), load::<S>(self.parameters.1.add(at), n));
            let y = activated::<S>(activation, S::add(S::mul(normal, gain), bias));
            store::<S>(self.y.add(at), y, n);
        }
    }
}

/// Writes the gradients of the inputs of a group.
struct InputGradient<S: Simd> {
    terms: GainedGradients,
    /// Of g.
    mean: S::V,
    /// The mean of g·normal.
    slope: S::V,
    scale: S::V,
    x: *const f32,
    dx: *mut f32,
}

impl<S: Simd> Pass<S> for InputGradient<S> {
    #[inline(always)]
    unsafe fn write_from(&self, at: usize, n: usize, activation: Activation) {
        // SAFETY: the contract of `Pass`.
        unsafe {
            let GainedGradients { gain, dy, normal } = self.terms;
            let g = S::mul(load::<S>(dy.add(at), n), load::<S>(gain.add(at), n));
            let along = S::mul(load::<S>(normal.add(at), n), self.slope);
            let d = S::mul(S::sub(S::sub(g, self.mean), along), self.scale);
            store::<S>(self.dx.add(at), differentiated::<S>(activation, load::<S>(self.x.add(at), n), d), n);
        }
    }
}

/// The features from `feature` on, down all groups.
struct Columns {
    shape: LayerNormShape,
    feature: usize,
    dy: *const f32,
    normal: *const f32,
}

impl Columns {
    /// Writes the gradients of `N` registers of features, side by side, so that one addition does not wait for the one
    /// before; returns `N`.
    ///
    /// # Safety
    /// As for [`layer_norm_parameter_gradient`]; more than `(N − 1) · LANES` features are left.
    #[inline(always)]
    unsafe fn write<S: Simd, const N: usize>(&self, d_gain: &mut [f32], d_bias: &mut [f32]) -> usize {
        let LayerNormShape { groups, features } = self.shape;
        let last = S::LANES.min(features - self.feature - (N - 1) * S::LANES);
        let numbers = |i: usize| if i + 1 < N { S::LANES } else { last };
        // SAFETY: the last register covers `last` features, which are at most those that are left of a group.
        unsafe {
            let (mut gains, mut biases) = ([S::splat(0.0); N], [S::splat(0.0); N]);
            for group in 0..groups {
                for i in 0..N {
                    let at = group * features + self.feature + i * S::LANES;
                    let dy = load::<S>(self.dy.add(at), numbers(i));
                    gains[i] = S::add(gains[i], S::mul(dy, load::<S>(self.normal.add(at), numbers(i))));
                    biases[i] = S::add(biases[i], dy);
                }
            }
            for i in 0..N {
                let at = self.feature + i * S::LANES;
                store::<S>(d_gain.as_mut_ptr().add(at), gains[i], numbers(i));
                store::<S>(d_bias.as_mut_ptr().add(at), biases[i], numbers(i));
            }
        }
        N
    }
}

/// All lanes to `p`, or the first `n`.
#[inline(always)]
unsafe fn store<S: Simd>(p: *mut f32, v: S::V, n: usize) {
    // SAFETY: handed on from the caller.
    unsafe { if n == S::LANES { S::store(p, v) } else { S::store_first(p, v, n) } }
}
