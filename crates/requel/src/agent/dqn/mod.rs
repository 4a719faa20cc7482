//! [`DqnAgent`]: deep Q-learning and its family.

mod agent;
mod batch;
mod bootstrap;
mod replay_buffer;

pub use agent::DqnAgent;
