//! Checkpoints: the complete state of a training on disk, whole and verified or not there at all.
//!
//! `checkpoints/ckpt-<env steps>/` holds one safetensors file per part of the state, large arrays such as the replay buffer
//! as segments beside them, `state.json` with everything that is no array, `manifest.json` with size and BLAKE3 of each file
//! and of each block of a segment, and last `manifest.blake3` with its own. All is staged under another name, synced, and
//! appears by one rename; older checkpoints go only after that.
//!
//! A segment that has not changed is not written again: the file of an earlier checkpoint gets a second name. Two checkpoints
//! in a row never share a file, so that damage to one of them leaves the other whole.

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
