//! [`LearnerSpec`]: how parameters begin and what changes them.

use requel_nn::{Init, OptimizerSpec};

use crate::Schedule;

/// How parameters begin and what changes them.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerSpec {
    /// The seed of the first parameters, and of noise and fractions.
    pub seed: u64,
    /// How weights start.
    pub init: Init,
    /// The optimiser.
    pub optimizer: OptimizerSpec,
    /// The course of the step size.
    pub learning_rate: Schedule,
    /// Gradients are scaled down to this global norm; 0: not.
    pub max_gradient_norm: f32,
}
