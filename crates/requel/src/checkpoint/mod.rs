//! Checkpoints: the complete state of a training run on disk, either complete and verified or not there at all.
//!
//! `checkpoints/ckpt-<env steps>/` has one safetensors file per part of the state, large arrays such as the replay buffer as separate
//! segments, `state.json` with everything that is not an array, `manifest.json` with size and BLAKE3 of each file and of each block of a
//! segment, and last `manifest.blake3` with its own hash. Everything is first written under another name and synced, and appears with one
//! rename; older checkpoints are only removed after that.
//!
//! An unchanged segment is not written again: the file of an earlier checkpoint gets a second name. Two successive checkpoints never share
//! a file, so that damage to one leaves the other intact.

mod error;
mod examine;
mod manifest;
mod read;
mod segments;
mod snapshot;
mod write;

pub use error::CheckpointError;
pub use examine::verify;
pub use manifest::{FileEntry, LogEntry, Manifest, SegmentedTensor};
pub(crate) use read::newest_where;
pub use read::{Checkpoint, Newest, list, newest, read};
pub use segments::Segmenting;
pub use snapshot::Snapshots;
pub(crate) use write::is_of_step;
pub use write::{Contents, Destination, write};
