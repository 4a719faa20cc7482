//! Guards for users' environments: breaches of the contract become errors that name the environment.

mod batch;
mod env;
mod fuse;
mod watch;

pub(super) use batch::guarded_batch;
pub(super) use env::guarded;
