//! A policy as an ONNX model; the messages of `onnx.proto` are written by hand.

mod graph;
mod layers;
mod model;
mod values;

pub use model::{OnnxError, PolicyParts, encode};
