//! Heads: what the outputs of a network mean, and what a batch costs them.

mod categorical;
mod implicit_quantile;
mod policies;
mod quantile;
mod quantile_regression;
mod readout;
mod rule;
mod scalar;
mod spec;
#[cfg(test)]
mod tests;
mod value_loss;

pub use categorical::{CategoricalHead, CategoricalReader};
pub use implicit_quantile::{FractionCounts, ImplicitQuantileHead, ImplicitQuantileReader};
pub use quantile::{QuantileHead, QuantileReader};
pub use readout::{Reader, Readout};
pub use rule::Rule;
pub use scalar::{ScalarHead, ScalarReader};
pub use spec::{HeadError, HeadSpec};
pub use value_loss::{HeadLoss, HeadShape, HeadUpdate, ValueLoss};
