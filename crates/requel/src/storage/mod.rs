//! Storage: the few things that saving asks of a file system, on the real one, in memory, and with faults put in.
//!
//! What is saved goes through [`Storage`] alone, so that a test can fail every single call of a save, or end the environment at
//! it, and look at what a disk would hold then.

mod faulty;
mod flaky;
mod interface;
mod memory;
mod real;
mod regular;
mod tree;

pub use faulty::{Fault, FaultyStorage};
pub use flaky::{FlakyStorage, Weather};
pub use interface::{Storage, StoredFile};
pub use memory::MemoryStorage;
pub use real::RealStorage;
pub(crate) use regular::check_regular;
pub use regular::{open_regular, read_input, read_regular, read_regular_text};
pub use tree::replace;
pub(crate) use tree::{
    ensure_dir, is_staged, remove_all_staged, remove_staged, remove_tree, sync_parent, write_synced,
};
