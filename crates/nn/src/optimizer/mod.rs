//! Optimisers: they turn gradients into new parameters.

mod factors;
mod spec;
mod state;

pub use factors::StepFactors;
pub use spec::{OptimizerError, OptimizerSpec};
pub use state::{Optimizer, RestoreError};
