//! Heads: what the outputs of a network mean, and what a batch costs them.

mod head_trait;
mod rule;
mod scalar;

pub use head_trait::{Head, HeadLoss, HeadShape, HeadUpdate};
pub use rule::Rule;
pub use scalar::ScalarHead;
