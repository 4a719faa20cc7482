//! Deep Q-learning with experience replay.
//!
//! draft front page
#![forbid(unsafe_code)]

pub mod agent;
pub mod checkpoint;
pub mod config;
mod exploration;
mod log;
pub mod memory;
pub mod replay;
mod rng;
pub mod run;
mod schedule;
pub mod state;
mod suggest;
pub mod td;
pub mod train;
mod transition;

pub use agent::{Agent, DqnAgent, GreedyPolicy};
pub use config::Config;
pub use exploration::EpsilonGreedy;
pub use rng::{Stream, StreamRng};
pub use schedule::Schedule;
pub use suggest::nearest;
pub use train::{Observer, Outcome, TrainEvent, Trainer};
pub use transition::{Batch, BatchMut, Transition};
