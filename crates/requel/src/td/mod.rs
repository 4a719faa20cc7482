//! Temporal-difference rules as pure functions: the equation, the paper, a hand-worked table as the test. [`RuleSpec`] is the rule that
//! an agent learns by, made of them.
//!
//! A next value of −∞ means that the action is not allowed; a discount of 0 means that nothing follows.

mod bounds;
mod categorical;
mod double;
mod expected;
mod importance;
mod lambda;
mod munchausen;
mod q_learning;
mod quantile;
mod rule;

pub use bounds::{ValueBounds, clip_bootstrapped};
pub use categorical::{ProjectionRoom, categorical_projection};
pub use double::double_q_targets;
pub use expected::expected_targets;
pub use importance::importance_weights;
pub use lambda::{Rollout, lambda_returns};
pub use munchausen::{Munchausen, SoftPolicy, munchausen_rewards, soft_policy};
pub use q_learning::{QLearning, q_learning_targets};
pub use quantile::{quantile_huber, quantile_midpoints, quantile_targets};
pub use rule::{Backup, NextPolicy, RowPolicy, RuleBatch, RuleSpec, TdRule};

pub use requel_nn::SoftmaxRows;
pub use requel_policy::{OutOfRange, Support, argmax, argmax_allowed};
