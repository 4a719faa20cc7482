//! The kinds of layer, one file each.

mod affine;
mod chosen;
mod conv2d;
mod dense;
mod dueling;
mod fraction_embedding;
mod layer_norm;
mod noisy_dense;
mod plan;

pub use plan::Chosen;
pub(crate) use plan::{BackwardPass, ChosenRows, ForwardPass, Layer, LayerParameter, Needs, Start, build};
