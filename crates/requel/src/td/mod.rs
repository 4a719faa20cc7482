//! Temporal-difference rules as pure functions: the equation, the paper, a hand-worked table as the test.

mod argmax;
mod double;
mod munchausen;
mod q_learning;

pub use argmax::{argmax, argmax_allowed};
pub use double::double_q_targets;
pub use munchausen::{Munchausen, SoftPolicy, munchausen_rewards, soft_policy, soft_targets};
pub use q_learning::q_learning_targets;
