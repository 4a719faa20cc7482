//! [`PqnAgent`]: Q-learning without replay.

mod agent;
mod spec;

pub use agent::PqnAgent;
pub use spec::PqnSpec;
