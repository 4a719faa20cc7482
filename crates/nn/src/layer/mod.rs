//! The kinds of layer, one file each.

mod conv2d;
mod dense;
mod plan;

pub(crate) use plan::{BackwardPass, ForwardPass, Layer, LayerParameter, build};
