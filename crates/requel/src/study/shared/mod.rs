//! Studies that several machines train together; the only thing they share is a directory.
//!
//! A worker *claims* a run before it trains it: [`Claims`]. It holds the claim with a [`Lease`] that it renews; if renewals stop, another
//! worker takes the run and continues from the last checkpoint. [`train_claimed`] is a worker's loop, [`Share`] is a part of a study for
//! one worker. There is no daemon, and machines' clocks need not agree.
//!
//! # What the file system has to do
//! - **Creating a hard link with a name that is taken fails**, on the server, for all clients: this holds for NFS 2 and later, Lustre,
//!   CephFS, GPFS and local disks. `O_EXCL` would be as good on NFS 3 and later, but the file would exist before its contents.
//! - **The answer may be lost or wrong.** If a link was created and the answer was lost, the client repeats the request and is told that
//!   the name exists; so the result of the call is ignored, and the contents of the claim that exists afterwards count (the `link`, then
//!   `stat` of open(2), with the contents in place of the link count).
//! - **Opening a file shows what was closed before** (close-to-open consistency), within half a lease. Names may be cached longer: a worker
//!   learns that somebody else has claimed a run from the link that fails, never from a missing name. Claims are never removed or renamed,
//!   so no cached name leads to another file.
//! - **A rename may fail or take its time**: no rename decides who trains a run. Whoever continues the run cleans up what a failed rename
//!   leaves.
//! - **Locks may fail or outlive their machine** (NFS 3 keeps those of a machine that died until it comes back): the lock of a run keeps
//!   two processes on one machine apart, and a worker that takes over an expired lease replaces the lock.
//!
//! # Why two workers never train one run
//! Claims of a run are numbered, and only the first worker to request a number gets it. The holder of the newest claim trains. A holder
//! stops and writes nothing more once half a lease has passed on its own clock since it *began* the last successful renewal; another worker
//! requests the next number only after it has watched a whole lease, on *its* clock, during which the renewals did not change. So the times
//! of two machines are never compared, and what an observer sees may be up to half a lease old.
//!
//! There is one thing that no lease can prevent: if a process is suspended for longer than half a lease between checking its lease and a
//! single system call, it makes that call late. The call cannot harm what is kept: checkpoints, the best policy and the results of a run
//! are written through [`FencedStorage`], which checks before every call; a worker that takes over gives logs and lock new files, so that
//! the late call writes into files without a name.

mod claims;
mod fence;
mod lease;
mod queue;
mod share;
#[cfg(test)]
mod tests;
mod worker;

pub use claims::{Attempt, Claims};
pub use fence::FencedStorage;
pub use lease::Lease;
pub use share::{Share, ShareError};
pub use worker::train_claimed;
