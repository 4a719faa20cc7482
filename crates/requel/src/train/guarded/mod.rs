//! Environments of somebody's own, whose breaches of the contract become errors that name them.

mod batch;
mod env;
mod fuse;
mod watch;

pub(super) use batch::guarded_batch;
pub(super) use env::guarded;
