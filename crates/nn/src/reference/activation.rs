//! Activations and their derivatives.

use super::Real;
use crate::Activation;

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
