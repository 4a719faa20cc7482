//! The slow, obvious twin of every kernel, generic over `f32` and `f64`.
//!
//! It defines the meaning of the fast versions: each of them must give these bits in `f32`. In `f64` the same code is what the tests
//! differentiate numerically. Every sum of a dense layer or a convolution is one chain of fused multiply-adds in the order written;
//! elementwise code rounds every operation.

mod activation;
mod conv2d;
mod dense;
mod dueling;
mod fraction_embedding;
mod layer_norm;
mod noisy;
mod norm;
mod optimizer;
mod real;

pub use activation::{activate, differentiate};
pub use conv2d::{Conv2dShape, conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient};
pub use dense::{DenseShape, column_sums, dense_forward, dense_input_gradient, dense_weight_gradient};
pub use dueling::{dueling_backward, dueling_forward};
pub use fraction_embedding::{fraction_cosines, fraction_embedding_backward, fraction_embedding_forward};
pub use layer_norm::{
    LayerNormShape, SUM_PARTS, layer_norm_forward, layer_norm_input_gradient, layer_norm_parameter_gradient, spread_sum,
};
pub use noisy::{NoisyParameters, draw_noisy, noisy_gradient, scaled_noise};
pub use norm::{NORM_BLOCK, NORM_PARTS, global_norm};
pub use optimizer::{AdamFactors, RmsPropFactors, RmsPropState, adam, rms_prop};
pub use real::Real;
