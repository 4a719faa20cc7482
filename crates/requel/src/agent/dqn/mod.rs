//! [`DqnAgent`]: deep Q-learning and its family.

mod agent;
mod spec;

pub use agent::DqnAgent;
pub use spec::{DqnParts, DqnSpec, LearnsFrom};
