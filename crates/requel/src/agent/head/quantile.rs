//! [`QuantileHead`]: network outputs as quantiles of each action's return at fixed fractions.

use requel_nn::Kernel;
use requel_policy::{QuantileReader, Reader};

use super::quantile_regression::{QuantileRegression, Strides};
use super::spec::{check_count, check_kappa};
use super::{HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate, ValueLoss};
use crate::td::{RuleSpec, TdRule, quantile_midpoints};

/// The constants of a [`QuantileHead`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileSpec {
    /// Quantiles of each action.
    pub count: usize,
    /// Where the loss turns from quadratic to linear, in units of the return; 0 for linear throughout.
    pub kappa: f32,
}

impl HeadSpec for QuantileSpec {
    fn build(&self, rule: &dyn RuleSpec, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn ValueLoss>, HeadError> {
        shape.check()?;
        check_count("quantiles", self.count, 1, "at least 1")?;
        check_kappa(self.kappa)?;
        let rule = shape.rule(rule, kernel)?;
        Ok(Box::new(QuantileHead::new((self.count, self.kappa), rule, shape, kernel)))
    }
}

/// The returns at the midpoints of equal parts of 0 to 1 for each action: QR-DQN (Dabney et al. 2018). The loss of a row is its priority
/// in a prioritized replay, as for the categorical head.
#[derive(Debug)]
pub struct QuantileHead {
    shape: HeadShape,
    fractions: Vec<f32>,
    regression: QuantileRegression,
}

impl QuantileHead {
    /// `count` quantiles per action, for batches of this shape. `kappa` is where the loss turns from quadratic to linear.
    pub fn new((count, kappa): (usize, f32), rule: Box<dyn TdRule>, shape: HeadShape, kernel: Kernel) -> Self {
        let mut fractions = vec![0.0; count];
        quantile_midpoints(&mut fractions);
        let regression = QuantileRegression::new(kappa, (rule, kernel), shape, (count, count));
        QuantileHead { shape, fractions, regression }
    }
}

impl Reader for QuantileHead {
    fn atoms(&self) -> usize {
        self.fractions.len()
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        QuantileReader { count: self.fractions.len() }.q_values(outputs, q);
    }
}

impl ValueLoss for QuantileHead {
    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        let count = self.fractions.len();
        let layout = Strides { row: self.shape.actions * count, action: count, fraction: 1 };
        self.regression.loss(update, (layout, layout), |_| &self.fractions, d_outputs)
    }

    fn td_errors(&self) -> &[f32] {
        self.regression.losses()
    }

    fn clipped_targets(&self, _: &[f32], _: &[f32]) -> Option<f64> {
        self.regression.clipped_targets()
    }
}
