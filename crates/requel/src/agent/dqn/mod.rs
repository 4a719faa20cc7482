//! [`DqnAgent`]: deep Q-learning and its family.

mod agent;
mod batch;
mod bootstrap;
mod memory;

pub use agent::DqnAgent;
