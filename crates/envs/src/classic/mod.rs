//! The classic control problems.

pub(crate) mod acrobot;
pub(crate) mod cartpole;
pub(crate) mod mountain_car;
pub(crate) mod pendulum;

pub use acrobot::Acrobot;
pub use cartpole::{CartPole, CartPoleState};
pub use mountain_car::MountainCar;
pub use pendulum::Pendulum;
