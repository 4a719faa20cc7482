//! Layer normalisation (Ba, Kiros and Hinton 2016).

use super::{Real, activate, differentiate};
use crate::Activation;

/// The sizes of a normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNormShape {
    /// Groups, each normalised by itself.
    pub groups: usize,
    /// Numbers of a group.
    pub features: usize,
}

/// Partial sums of [`spread_sum`].
pub const SUM_PARTS: usize = 16;

/// The sum of a group, in an order that registers of every width can follow: number i goes to partial sum i mod 16, in
/// increasing order from 0, and then the second half of the partial sums is added to the first, until one is left.
pub fn spread_sum<R: Real>(numbers: impl Iterator<Item = R>) -> R {
    let mut parts = [R::ZERO; SUM_PARTS];
    for (i, x) in numbers.enumerate() {
        parts[i % SUM_PARTS] = parts[i % SUM_PARTS].plus(x);
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            parts[i] = parts[i].plus(parts[i + half]);
        }
    }
    parts[0]
}

/// `n = (x − mean)·s` with `s = 1 / √(variance + ε)`, the variance divided by the number of features, and `y =
/// activation(n·gain + bias)`. `normal` is as long as x, `scales` has s for each group. Sums are [`spread_sum`]s.
pub fn layer_norm_forward<R: Real>(
    shape: LayerNormShape,
    (gain, bias, epsilon): (&[R], &[R], R),
    (x, activation): (&[R], Activation),
    (normal, scales): (&mut [R], &mut [R]),
    y: &mut [R],
) {
    let count = R::of(shape.features as f64);
    for (group, scale) in scales.iter_mut().enumerate().take(shape.groups) {
        let at = group * shape.features..(group + 1) * shape.features;
        let mean = spread_sum(x[at.clone()].iter().copied()).over(count);
        let variance = spread_sum(x[at.clone()].iter().map(|x| x.minus(mean).times(x.minus(mean)))).over(count);
        *scale = R::ONE.over(variance.plus(epsilon).root());
        for (feature, i) in at.enumerate() {
            normal[i] = x[i].minus(mean).times(*scale);
            y[i] = activate(activation, normal[i].times(gain[feature]).plus(bias[feature]));
        }
    }
}

/// `d gain = Σ dy·n` and `d bias = Σ dy` over the groups in increasing order from 0, each product rounded.
pub fn layer_norm_parameter_gradient<R: Real>(
    shape: LayerNormShape,
    (dy, normal): (&[R], &[R]),
    (d_gain, d_bias): (&mut [R], &mut [R]),
) {
    d_gain.fill(R::ZERO);
    d_bias.fill(R::ZERO);
    for i in 0..shape.groups * shape.features {
        let feature = i % shape.features;
        d_gain[feature] = d_gain[feature].plus(dy[i].times(normal[i]));
        d_bias[feature] = d_bias[feature].plus(dy[i]);
    }
}

/// `dx = (((g − mean g) − n·mean(g·n))·s) · activation'(x)` with `g = dy·gain`, where `x` is the output of the layer before
/// and `activation` is that layer's. Means are [`spread_sum`]s divided by the number of features.
pub fn layer_norm_input_gradient<R: Real>(
    shape: LayerNormShape,
    (gain, dy): (&[R], &[R]),
    (normal, scales): (&[R], &[R]),
    (x, activation): (&[R], Activation),
    dx: &mut [R],
) {
    let count = R::of(shape.features as f64);
    for (group, &scale) in scales.iter().enumerate().take(shape.groups) {
        let at = group * shape.features..(group + 1) * shape.features;
        let g = |i: usize| dy[i].times(gain[i % shape.features]);
        let mean = spread_sum(at.clone().map(g)).over(count);
        let slope = spread_sum(at.clone().map(|i| g(i).times(normal[i]))).over(count);
        for i in at {
            let d = g(i).minus(mean).minus(normal[i].times(slope)).times(scale);
            dx[i] = differentiate(activation, x[i], d);
        }
    }
}
