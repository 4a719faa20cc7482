//! A policy in other programs' formats.

mod meanings;
mod onnx;
mod protobuf;

pub use onnx::{OnnxError, PolicyParts, encode};
