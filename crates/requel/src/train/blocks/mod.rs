//! Experience that is collected in one place and used for learning in another.
//!
//! A [`Collector`] steps environments and acts with the weights that it is given. What it observes is sent out as a [`Block`]: one array of
//! bytes, which names its collector ([`BlockId`]) and contains each observation, or each frame of a stack, once.
//! [`AgentLoop::ingest`](super::AgentLoop::ingest) accepts blocks in whatever order they arrive, each at most once, as its [`Intake`]
//! decides; [`AgentLoop::ingest_in_step`](super::AgentLoop::ingest_in_step) takes those of all environments together, and learns as if
//! these had been stepped in one process. How the bytes are transported is not the concern of this module.

mod block;
mod collector;
mod frames;
mod intake;
#[cfg(test)]
mod tests;

pub use block::{Block, BlockError, BlockId};
pub use collector::{Acting, Collector};
pub use intake::{Admission, Intake};
