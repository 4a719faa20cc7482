//! Policies in the formats of other programs.

mod onnx;

pub use onnx::{OnnxError, PolicyParts, encode as onnx};
