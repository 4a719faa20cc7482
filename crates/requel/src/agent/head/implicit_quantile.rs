//! [`ImplicitQuantileHead`]: network outputs as quantiles of each action's return at fractions drawn for each update.

use requel_nn::Kernel;
use requel_policy::{ImplicitQuantileReader, Reader};

use super::quantile_regression::{QuantileRegression, Strides};
use super::spec::{check_count, check_kappa};
use super::{FractionCounts, HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate, ValueLoss};
use crate::td::{RuleSpec, TdRule};

/// The constants of an [`ImplicitQuantileHead`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImplicitQuantileSpec {
    /// Fractions of a row in an update.
    pub counts: FractionCounts,
    /// Where the loss turns from quadratic to linear, in units of the return; 0 for linear throughout.
    pub kappa: f32,
}

impl HeadSpec for ImplicitQuantileSpec {
    fn build(&self, rule: &dyn RuleSpec, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn ValueLoss>, HeadError> {
        shape.check()?;
        check_count("fractions", self.counts.current, 1, "at least 1")?;
        check_count("next fractions", self.counts.next, 1, "at least 1")?;
        check_kappa(self.kappa)?;
        let rule = shape.rule(rule, kernel)?;
        Ok(Box::new(ImplicitQuantileHead::new((self.counts, self.kappa), rule, shape, kernel)))
    }

    fn fractions(&self) -> FractionCounts {
        self.counts
    }
}

/// The return at any fraction given to the network: IQN (Dabney et al. 2018, "Implicit Quantile Networks"). Outputs are
/// (rows × fractions) × actions. The loss of a row is its priority in a prioritized replay, as for the categorical head.
#[derive(Debug)]
pub struct ImplicitQuantileHead {
    shape: HeadShape,
    counts: FractionCounts,
    regression: QuantileRegression,
}

impl ImplicitQuantileHead {
    /// For batches of this shape. `kappa` is where the loss turns from quadratic to linear.
    pub fn new(
        (counts, kappa): (FractionCounts, f32),
        rule: Box<dyn TdRule>,
        shape: HeadShape,
        kernel: Kernel,
    ) -> Self {
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
