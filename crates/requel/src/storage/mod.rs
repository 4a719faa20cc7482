//! Storage: the few operations that saving needs from a file system, on the real one, in memory, and with injected faults.
//!
//! Everything is saved through [`Storage`], so that a test can make every single call of a save fail, or simulate a crash at it, and
//! examine what a disk would then contain.

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
