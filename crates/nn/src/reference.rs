//! The slow, obvious twin of every kernel, generic over `f32` and `f64`.
//!
//! It fixes the meaning of the fast paths: each of them must give these bits in `f32`. In `f64` the same code is what the
//! tests differentiate numerically. Every sum below is one chain of fused multiply-adds in the order written.

use crate::Activation;

/// The numbers that the twin computes with.
pub trait Real: Copy + PartialOrd + std::fmt::Debug + std::ops::Neg<Output = Self> {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The nearest number to `x`.
    fn of(x: f64) -> Self;
    /// The same number, exactly.
    fn wide(self) -> f64;
    /// `self · a + b` with one rounding.
    fn fma(self, a: Self, b: Self) -> Self;
    /// `self + b`.
    fn plus(self, b: Self) -> Self;
    /// `self − b`.
    fn minus(self, b: Self) -> Self;
    /// `self · b`.
    fn times(self, b: Self) -> Self;
    /// `self / b`.
    fn over(self, b: Self) -> Self;
    /// The square root, correctly rounded.
    fn root(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
}

macro_rules! real {
    ($t:ty, $tanh:path) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline]
            fn wide(self) -> f64 {
                self.into()
            }
            #[inline]
            fn fma(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            #[inline]
            fn plus(self, b: Self) -> Self {
                self + b
            }
            #[inline]
            fn minus(self, b: Self) -> Self {
                self - b
            }
            #[inline]
            fn times(self, b: Self) -> Self {
                self * b
            }
            #[inline]
            fn over(self, b: Self) -> Self {
                self / b
            }
            #[inline]
            fn root(self) -> Self {
                self.sqrt()
            }
            #[inline]
            fn tanh(self) -> Self {
                $tanh(self)
            }
        }
    };
}
real!(f32, libm::tanhf);
real!(f64, libm::tanh);

/// `activation(x)`.
#[inline]
pub fn activate<R: Real>(activation: Activation, x: R) -> R {
    match activation {
        Activation::Identity => x,
        Activation::Relu if x < R::ZERO => R::ZERO,
        Activation::Relu => x,
        Activation::Tanh => x.tanh(),
    }
}

/// `d · activation'(x)`, computed from `y = activation(x)`.
#[inline]
pub fn differentiate<R: Real>(activation: Activation, y: R, d: R) -> R {
    match activation {
        Activation::Identity => d,
        Activation::Relu if y > R::ZERO => d,
        Activation::Relu => R::ZERO,
        Activation::Tanh => d.times((-y).fma(y, R::ONE)),
    }
}

/// The sizes of a dense layer's matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseShape {
    /// Rows of the batch.
    pub rows: usize,
    /// Inputs of a row.
    pub inputs: usize,
    /// Outputs of a row.
    pub outputs: usize,
}

/// `y[r][o] = activation(b[o] + Σ_k x[r][k]·w[k][o])`, k increasing.
pub fn dense_forward<R: Real>(shape: DenseShape, (w, b): (&[R], &[R]), x: &[R], activation: Activation, y: &mut [R]) {
    for r in 0..shape.rows {
        for o in 0..shape.outputs {
            let mut sum = b[o];
            for k in 0..shape.inputs {
                sum = x[r * shape.inputs + k].fma(w[k * shape.outputs + o], sum);
            }
            y[r * shape.outputs + o] = activate(activation, sum);
        }
    }
}

/// `dx[r][k] = (Σ_o dy[r][o]·w[k][o]) · activation'(x)`, o increasing from 0, where `x` is the output of the layer
/// before (and input of this one) and `activation` is that layer's.
pub fn dense_input_gradient<R: Real>(
    shape: DenseShape,
    w: &[R],
    dy: &[R],
    (x, activation): (&[R], Activation),
    dx: &mut [R],
) {
    for r in 0..shape.rows {
        for k in 0..shape.inputs {
            let mut sum = R::ZERO;
            for o in 0..shape.outputs {
                sum = dy[r * shape.outputs + o].fma(w[k * shape.outputs + o], sum);
            }
            let i = r * shape.inputs + k;
            dx[i] = differentiate(activation, x[i], sum);
        }
    }
}

/// `dw[k][o] = Σ_r x[r][k]·dy[r][o]` and `db[o] = Σ_r dy[r][o]`, r increasing from 0.
pub fn dense_weight_gradient<R: Real>(shape: DenseShape, x: &[R], dy: &[R], (dw, db): (&mut [R], &mut [R])) {
    for o in 0..shape.outputs {
        for k in 0..shape.inputs {
            let mut sum = R::ZERO;
            for r in 0..shape.rows {
                sum = x[r * shape.inputs + k].fma(dy[r * shape.outputs + o], sum);
            }
            dw[k * shape.outputs + o] = sum;
        }
    }
    column_sums(dy, db);
}

/// `sums[o] = Σ_r rows[r][o]`, r increasing from 0.
pub fn column_sums<R: Real>(rows: &[R], sums: &mut [R]) {
    sums.fill(R::ZERO);
    if !sums.is_empty() {
        for row in rows.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum = sum.plus(x));
        }
    }
}

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
