//! Studies that several machines train together, with a directory that all of them reach as the only thing they share.
//!
//! A worker *claims* a run before it trains it: [`Claims`]. It holds the claim by a [`Lease`] that it renews; where that stays away
//! the run is another's, who goes on from the last checkpoint. [`train_claimed`] is what a worker does, [`Share`] which part of a
//! study it does. There is no daemon and no clock that machines would have to agree on.
//!
//! # What the file system has to do
//! - **A hard link to a name that is taken fails**, on the server, for all clients: NFS 2 and later, Lustre, CephFS, GPFS and local
//!   disks do that. `O_EXCL` would be as good on NFS 3 and later, but the file would be there before its contents.
//! - **The answer may be lost or wrong.** A link that was made and whose answer was lost is asked for again by the client, and is then
//!   "already there"; so what the call says is not believed, but what the claim says that is there afterwards (the `link`, then `stat` of
//!   open(2), with the contents in place of the count of links).
//! - **Opening a file shows what was closed before** (close-to-open consistency), give or take half a lease. Names may be cached
//!   longer: that somebody else has claimed a run is learned from the link that fails, never from a name that is missing. Claims are
//!   not removed and not renamed, so that no cached name leads to another file.
//! - **A rename may fail or take its time**: none decides who trains a run. What a failed one leaves is cleared up by whoever goes on.
//! - **Locks may fail or outlive their machine** (NFS 3 keeps those of a machine that died until it comes back): the lock of a run
//!   keeps two processes of one machine apart, and whoever takes over from a lapsed lease puts a new lock in its place.
//!
//! # Why two workers never train one run
//! Claims of a run are numbered, and only the first of those who ask gets a number. Whoever holds the newest trains. A holder stops
//! and writes nothing more once half a lease has passed on its own clock since it *began* the last renewal that succeeded; another
//! asks for the next number only after it has watched a whole lease, on *its* clock, in which the renewals did not change. So the
//! times of two machines are never compared, and what an observer sees may be old by up to half a lease.
//!
//! One thing no lease can keep out: a process that is stopped between the look at its lease and a single call of the system, for
//! longer than half a lease, makes that call late. It cannot do harm to what is kept: checkpoints, the
//! best policy and the end of a run are written through [`FencedStorage`], which looks before every call; logs and lock get new files
//! from whoever takes over, so that the late one writes into files without a name.

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
