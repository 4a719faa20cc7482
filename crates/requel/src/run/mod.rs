//! Runs on disk: a directory per training, and the session that fills it.

mod checksums;
mod claim;
mod clock;
mod control;
mod course;
mod directory;
mod environment;
mod error;
mod extension;
mod finish;
mod lock;
mod origin;
mod pace;
mod policy;
mod provenance;
mod room;
mod saving;
mod segments;
mod session;
mod stand_in;
mod summary;
mod takeover;
mod verify;

pub(crate) use claim::{Made, check as check_place};
pub use clock::timestamp;
pub use control::Control;
pub use directory::Run;
pub use error::RunError;
pub use origin::{Beginning, Origin, Weights};
pub use pace::Pace;
pub use provenance::{MachineRecord, Program, Provenance, introduce};
pub(crate) use room::Room;
pub use segments::{Segment, later_segments};
pub use session::{Ending, Resumed, Session};
pub use summary::{Score, Summary, Timing};
pub use verify::{Verified, verify};
