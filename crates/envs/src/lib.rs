//! Worlds for reinforcement learning, with Gymnasium's semantics, seeds and bits.
#![forbid(unsafe_code)]

mod env;
mod error;
mod math;
mod registry;
mod scene;
mod seeding;
mod simulation;
mod space;
mod spec;
mod state;
mod time_limit;
mod vector;

pub mod classic;
pub mod closure;
pub mod conformance;
pub mod toy;
pub mod wrappers;

pub use env::{Action, Env, Step};
pub use error::EnvError;
pub use registry::{OptionDefault, OptionSpec, make, make_with, option_specs, specs};
pub use scene::{Color, Point, Scene, Shape, View};
pub use seeding::{GymRng, SpaceSampler};
pub use simulation::{Dynamics, Simulation};
pub use space::{DType, Space};
pub use spec::{EnvOptions, EnvSpec, OptionValue};
pub use state::{StateError, StateReader, StateWriter};
pub use time_limit::TimeLimit;
pub use vector::VectorEnv;

pub(crate) use env::check_observation;
