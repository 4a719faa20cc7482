//! A policy in other programs' formats.

mod meanings;
mod onnx;
mod protobuf;

pub use meanings::of as action_meanings;
pub use onnx::{OnnxError, PolicyParts, encode};
