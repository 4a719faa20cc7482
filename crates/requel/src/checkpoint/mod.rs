//! Checkpoints: the complete state of a training on disk, whole and verified or not there at all.
//!
//! `checkpoints/ckpt-<env steps>/` holds one safetensors file per part of the state, `state.json` with everything that is
//! no array, `manifest.json` with the size and BLAKE3 of each of them, and last `manifest.blake3` with its own. All is staged
//! under another name, synced, and appears by one rename; older checkpoints go only after that.

mod disk;
mod error;
mod manifest;
mod read;
mod write;

pub(crate) use disk::{Disk, write_replacing};
pub use error::CheckpointError;
pub use manifest::{FileEntry, Manifest};
pub use read::{Checkpoint, Newest, list, newest, read};
pub use write::{Destination, write};
