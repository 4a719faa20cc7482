//! [`LearnerSpec`]: how parameters begin and what changes them.

use requel_nn::{Init, OptimizerSpec};

use crate::Schedule;

/// How parameters are initialised and updated.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerSpec {
    /// The seed of the initial parameters, of noise and of fractions.
    pub seed: u64,
    /// How weights are initialised.
    pub init: Init,
    /// The optimiser.
    pub optimizer: OptimizerSpec,
    /// The schedule of the step size.
    pub learning_rate: Schedule,
    /// Maximum global norm of gradients, which are scaled down to it; 0: no limit.
    pub max_gradient_norm: f32,
}
