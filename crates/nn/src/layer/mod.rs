//! The kinds of layer, one file each.

mod affine;
mod conv2d;
mod dense;
mod dueling;
mod fraction_embedding;
mod layer_norm;
mod noisy_dense;
mod plan;

pub(crate) use plan::{BackwardPass, ForwardPass, Layer, LayerParameter, Needs, Start, build};
