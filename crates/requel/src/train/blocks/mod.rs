//! Experience that is collected in one place and learned from in another.
//!
//! A [`Collector`] steps environments and acts by weights that it is given. What it saw goes out as a [`Block`]: one array of bytes,
//! which names who collected it ([`BlockId`]) and shows each observation, or each frame of a stack, once.
//! [`AgentLoop::ingest`](super::AgentLoop::ingest) takes blocks in whatever order they arrive, each at most once, as its [`Intake`] says;
//! [`AgentLoop::ingest_in_step`](super::AgentLoop::ingest_in_step) takes those of all environments together, and learns as if these had
//! been stepped in one process. What carries the bytes is no concern of this module.

mod block;
mod collector;
mod frames;
mod intake;
#[cfg(test)]
mod tests;

pub use block::{Block, BlockError, BlockId};
pub use collector::{Acting, Collector};
pub use intake::{Admission, Intake};
