//! Exploration: which actions an agent takes while it learns.

mod boltzmann;
mod epsilon_greedy;
mod explorer;
mod streams;

pub use boltzmann::Boltzmann;
pub use epsilon_greedy::EpsilonGreedy;
pub use explorer::{Choice, Explorer};
