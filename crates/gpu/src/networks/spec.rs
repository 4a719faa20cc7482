//! [`NetworksSpec`]: what is computed on a device, and how large it is.

use requel_nn::OptimizerSpec;

use super::Numbers;
use crate::Launching;

/// What is computed on a device, and how large it is.
#[derive(Clone, Debug)]
pub struct NetworksSpec {
    /// What changes the parameters.
    pub optimizer: OptimizerSpec,
    /// Gradients are scaled down to this global norm; 0: not.
    pub max_gradient_norm: f32,
    /// The passes of an update, in their order. The way back is that of the first one.
    pub looks: Vec<Look>,
    /// Rows of the first pass that there is a way back for.
    pub rows_back: usize,
    /// Observations that are acted on at once, and fractions of each.
    pub acting: (usize, usize),
    /// Whether observations are whole numbers from 0 to 255, which travel as bytes.
    pub is_bytes: bool,
    /// Whether there is a slower copy.
    pub has_target: bool,
    /// How programs are run.
    pub launching: Launching,
}

/// A pass of an update.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whose parameters it is by: [`Numbers::Online`] or [`Numbers::Target`].
    pub by: Numbers,
    /// Observations.
    pub rows: usize,
    /// Fractions of each; 1 where the network reads none.
    pub fractions: usize,
}
