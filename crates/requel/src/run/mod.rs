//! Runs on disk: a directory per training, and the session that fills it.

mod checksums;
mod control;
mod directory;
mod error;
mod room;
mod saving;
mod session;
mod summary;
mod verify;

pub use control::Control;
pub use directory::Run;
pub use error::RunError;
pub use session::{Ending, Resumed, Session};
pub use summary::{Score, Summary, Timing};
pub use verify::{Verified, verify};
