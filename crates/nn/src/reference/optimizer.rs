//! Steps of the optimisers.

use super::Real;

/// What Adam multiplies by in one step; see [`crate::OptimizerSpec::Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamFactors<R> {
    /// `1 − β₁`.
    pub one_minus_beta1: R,
    /// `β₂`.
    pub beta2: R,
    /// `1 − β₂`.
    pub one_minus_beta2: R,
    /// `1 / √(1 − β₂ᵗ)`.
    pub inverse_root_correction: R,
    /// ε.
    pub epsilon: R,
    /// `−learning rate / (1 − β₁ᵗ)`.
    pub negative_step: R,
}

/// One Adam update of every parameter `p` with gradient `g`:
///
/// ```text
/// m ← m + (1 − β₁)·(g − m)
/// v ← β₂·v + ((1 − β₂)·g)·g
/// p ← p − step·(m / (√v · 1/√(1 − β₂ᵗ) + ε))
/// ```
pub fn adam<R: Real>(f: &AdamFactors<R>, p: &mut [R], g: &[R], m: &mut [R], v: &mut [R]) {
    for i in 0..p.len() {
        m[i] = f.one_minus_beta1.fma(g[i].minus(m[i]), m[i]);
        v[i] = f.one_minus_beta2.times(g[i]).fma(g[i], f.beta2.times(v[i]));
        let denominator = v[i].root().fma(f.inverse_root_correction, f.epsilon);
        p[i] = f.negative_step.fma(m[i].over(denominator), p[i]);
    }
}

/// What RMSProp multiplies by; see [`crate::OptimizerSpec::RmsProp`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsPropFactors<R> {
    /// `α`.
    pub alpha: R,
    /// `1 − α`.
    pub one_minus_alpha: R,
    /// ε.
    pub epsilon: R,
    /// Momentum.
    pub momentum: R,
    /// `−learning rate`.
    pub negative_learning_rate: R,
}

/// The running averages of RMSProp; an empty `mean` is the form that is not centred, an empty `velocity` the one
/// without momentum.
#[derive(Debug)]
pub struct RmsPropState<'a, R> {
    /// Of the squared gradient.
    pub square: &'a mut [R],
    /// Of the gradient.
    pub mean: &'a mut [R],
    /// Of the update.
    pub velocity: &'a mut [R],
}

/// One RMSProp update of every parameter `p` with gradient `g`:
///
/// ```text
/// s ← α·s + ((1 − α)·g)·g
/// μ ← μ + (1 − α)·(g − μ)                  centred only
/// u = g / (√(s − μ²) + ε)                  √s where not centred
/// p ← p − lr·u                             or, with momentum: b ← momentum·b + u, p ← p − lr·b
/// ```
pub fn rms_prop<R: Real>(f: &RmsPropFactors<R>, p: &mut [R], g: &[R], state: RmsPropState<'_, R>) {
    let RmsPropState { square, mean, velocity } = state;
    for i in 0..p.len() {
        square[i] = f.one_minus_alpha.times(g[i]).fma(g[i], f.alpha.times(square[i]));
        let mut variance = square[i];
        if let Some(mean) = mean.get_mut(i) {
            *mean = f.one_minus_alpha.fma(g[i].minus(*mean), *mean);
            variance = (-*mean).fma(*mean, variance);
        }
        let mut update = g[i].over(variance.root().plus(f.epsilon));
        if let Some(velocity) = velocity.get_mut(i) {
            *velocity = f.momentum.fma(*velocity, update);
            update = *velocity;
        }
        p[i] = f.negative_learning_rate.fma(update, p[i]);
    }
}
