//! [`NetworksSpec`]: what is computed on a device, and how large it is.

use requel_nn::OptimizerSpec;

use super::Numbers;
use crate::Launching;

/// What is computed on a device, and its size.
#[derive(Clone, Debug)]
pub struct NetworksSpec {
    /// The optimiser.
    pub optimizer: OptimizerSpec,
    /// Maximum global norm of gradients, which are scaled down to it; 0: no limit.
    pub max_gradient_norm: f32,
    /// The passes of an update, in order. The backward pass is that of the first one.
    pub looks: Vec<Look>,
    /// Rows of the first pass that take part in the backward pass.
    pub rows_back: usize,
    /// Maximum number of observations to act on at once, and fractions of each.
    pub acting: (usize, usize),
    /// Whether observations are whole numbers from 0 to 255, which are copied as bytes.
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
