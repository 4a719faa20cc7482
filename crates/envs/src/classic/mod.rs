//! The control problems that the field has used since its beginning.

pub(crate) mod cartpole;

pub use cartpole::CartPole;
