//! A run as one file to share: [`archive`] writes and reads it, [`card`] describes it on one page.

mod archive;
mod card;
mod contents;

pub use archive::{Wanted, is_of_run, is_packed, unpack};
pub use contents::{Checkpoints, write};
