//! A policy in other programs' formats.

mod onnx;

pub use onnx::{OnnxError, PolicyParts, encode as onnx};
