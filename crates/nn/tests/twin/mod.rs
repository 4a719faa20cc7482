//! A network computed by the scalar twin's functions, one layer after another.

mod affine;
mod layers;

pub use layers::{Inputs, Twin};
