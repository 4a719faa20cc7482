//! Heads: what the outputs of a network mean, and what a batch costs them.

mod categorical;
mod implicit_quantile;
mod quantile;
mod quantile_regression;
mod scalar;
mod spec;
#[cfg(test)]
mod tests;
mod value_loss;

pub use categorical::{CategoricalHead, CategoricalSpec};
pub use implicit_quantile::{ImplicitQuantileHead, ImplicitQuantileSpec};
pub use quantile::{QuantileHead, QuantileSpec};
pub use scalar::{ScalarHead, ScalarSpec};
pub use spec::{FractionCounts, HeadError, HeadSpec};
pub use value_loss::{HeadLoss, HeadShape, HeadUpdate, ValueLoss};
