//! Environments with a few dozen to a few hundred states, small enough for a table: grids and a card game.

pub(crate) mod blackjack;
mod board;
pub(crate) mod cliff_walking;
pub(crate) mod frozen_lake;
pub(crate) mod grid_world;
pub(crate) mod taxi;

pub use blackjack::Blackjack;
pub use cliff_walking::CliffWalking;
pub use frozen_lake::FrozenLake;
pub use grid_world::GridWorld;
pub use taxi::Taxi;
