//! The slow, obvious twin of every kernel, generic over `f32` and `f64`.
//!
//! It fixes the meaning of the fast paths: each of them must give these bits in `f32`. In `f64` the same code is what the
//! tests differentiate numerically. Every sum below is one chain of fused multiply-adds in the order written.

mod activation;
mod conv2d;
mod dense;
mod optimizer;
mod real;

pub use activation::{activate, differentiate};
pub use conv2d::{Conv2dShape, conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient};
pub use dense::{DenseShape, column_sums, dense_forward, dense_input_gradient, dense_weight_gradient};
pub use optimizer::{AdamFactors, RmsPropFactors, RmsPropState, adam, rms_prop};
pub use real::Real;
