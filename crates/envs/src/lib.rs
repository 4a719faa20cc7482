//! Worlds for reinforcement learning, with Gymnasium's semantics, seeds and bits.
#![forbid(unsafe_code)]

mod env;
mod error;
mod scene;
mod space;
mod spec;

pub use env::{Action, Env, Step};
pub use error::EnvError;
pub use scene::{Color, Point, Scene, Shape, View};
pub use space::{DType, Space};
pub use spec::{EnvOptions, EnvSpec, OptionValue};
