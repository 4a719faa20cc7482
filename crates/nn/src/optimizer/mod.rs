//! Optimisers: what turns gradients into new parameters.

mod spec;
mod state;

pub use spec::{OptimizerError, OptimizerSpec};
pub use state::{Optimizer, RestoreError};
