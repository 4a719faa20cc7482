//! Environments so small that a learner's mistake shows in seconds.

pub(crate) mod catch;
pub(crate) mod chain;
pub(crate) mod identity;

pub use catch::Catch;
pub use chain::Chain;
pub use identity::Identity;
