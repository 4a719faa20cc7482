//! Heads: what the outputs of a network mean, and what a batch costs them.

mod categorical;
mod head_trait;
mod implicit_quantile;
mod policies;
mod quantile;
mod quantile_regression;
mod rule;
mod scalar;
mod spec;
#[cfg(test)]
mod tests;

pub use categorical::CategoricalHead;
pub use head_trait::{Head, HeadLoss, HeadShape, HeadUpdate};
pub use implicit_quantile::{FractionCounts, ImplicitQuantileHead};
pub use quantile::QuantileHead;
pub use rule::Rule;
pub use scalar::ScalarHead;
pub use spec::{HeadError, HeadSpec};
