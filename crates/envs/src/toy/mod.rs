//! Environments so small that a mistake in an agent shows in seconds.

pub(crate) mod catch;
pub(crate) mod chain;
pub(crate) mod identity;

pub use catch::Catch;
pub use chain::Chain;
pub use identity::Identity;
