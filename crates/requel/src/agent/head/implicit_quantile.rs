//! [`ImplicitQuantileHead`]: network outputs as quantiles of each action's return at fractions that are drawn anew.

use requel_nn::Kernel;
use requel_policy::{ImplicitQuantileReader, Reader};

use super::quantile_regression::{QuantileRegression, Strides};
use super::{HeadLoss, HeadShape, HeadUpdate, Rule, ValueLoss};

/// How many fractions of a row are learned, and learned from: N and N' of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FractionCounts {
    /// N: fractions of the present state.
    pub current: usize,
    /// N': fractions of the next state.
    pub next: usize,
}

/// The return at any fraction, which the network is asked for: IQN (Dabney et al. 2018, "Implicit Quantile Networks"). Outputs
/// are (rows × fractions) × actions. How surprising a row is to a prioritized replay is its loss, as for the categorical head.
#[derive(Clone, Debug)]
pub struct ImplicitQuantileHead {
    shape: HeadShape,
    counts: FractionCounts,
    regression: QuantileRegression,
}

impl ImplicitQuantileHead {
    /// For batches of this shape. `kappa` is where the loss turns from quadratic to linear.
    pub fn new((counts, kappa): (FractionCounts, f32), rule: Rule, shape: HeadShape, kernel: Kernel) -> Self {
        let regression = QuantileRegression::new(kappa, (rule, kernel), shape, (counts.current, counts.next));
        ImplicitQuantileHead { shape, counts, regression }
    }
}

impl Reader for ImplicitQuantileHead {
    fn atoms(&self) -> usize {
        1
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        ImplicitQuantileReader { actions: self.shape.actions }.q_values(outputs, q);
    }
}

impl ValueLoss for ImplicitQuantileHead {
    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        let FractionCounts { current, next } = self.counts;
        let (rows, actions) = (self.shape.rows, self.shape.actions);
        assert_eq!(update.fractions.len(), rows * current, "fractions are rows × fractions");
        let layout = |count: usize| Strides { row: count * actions, action: 1, fraction: actions };
        let fractions_of = |row: usize| &update.fractions[row * current..(row + 1) * current];
        self.regression.loss(update, (layout(current), layout(next)), fractions_of, d_outputs)
    }

    fn td_errors(&self) -> &[f32] {
        self.regression.losses()
    }

    fn clipped_targets(&self, _: &[f32], _: &[f32]) -> Option<f64> {
        self.regression.clipped_targets()
    }
}
