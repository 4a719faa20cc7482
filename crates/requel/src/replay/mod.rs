//! Replay: where transitions are kept and drawn from.

mod buffer;
mod latest;
mod record;
mod uniform;

pub use buffer::{ReplayBuffer, ReplayError};
pub use latest::LatestReplay;
pub use record::RecordLayout;
pub use uniform::{Sampling, UniformReplay};
