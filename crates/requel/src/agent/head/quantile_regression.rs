//! [`QuantileRegression`]: what the two quantile heads share, whatever the layout of their outputs.

use requel_nn::kernel::Task;
use requel_nn::{Kernel, lanes};

use super::{HeadLoss, HeadShape, HeadUpdate};
use crate::td::{Backup, TdRule, clip_bootstrapped, quantile_huber, quantile_targets};

/// Where a number lies in the outputs: `row·row + action·action + fraction·fraction`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strides {
    pub(super) row: usize,
    pub(super) action: usize,
    pub(super) fraction: usize,
}

/// The outputs of a network with their layout.
#[derive(Clone, Copy, Debug)]
struct Quantiles<'a> {
    values: &'a [f32],
    strides: Strides,
}

impl Quantiles<'_> {
    fn at(&self, row: usize, action: usize, fraction: usize) -> f32 {
        let Strides { row: per_row, action: per_action, fraction: per_fraction } = self.strides;
        self.values[row * per_row + action * per_action + fraction * per_fraction]
    }
}

/// The quantile Huber loss of a batch. The priority of a row is its loss.
#[derive(Debug)]
pub(super) struct QuantileRegression {
    kappa: f32,
    kernel: Kernel,
    shape: HeadShape,
    rule: Box<dyn TdRule>,
    /// The numbers of one row, contiguous: the quantiles of the action taken, their gradient, and the targets.
    predictions: Vec<f32>,
    d_predictions: Vec<f32>,
    targets: Vec<f32>,
    losses: Vec<f32>,
    /// How many targets of the batch were clipped; `None` without clipping.
    clipped: Option<usize>,
}

impl QuantileRegression {
    /// For batches of this shape, with the numbers of fractions to learn and to learn from.
    pub(super) fn new(
        kappa: f32,
        (rule, kernel): (Box<dyn TdRule>, Kernel),
        shape: HeadShape,
        fractions: (usize, usize),
    ) -> Self {
        QuantileRegression {
            kappa,
            kernel,
            shape,
            rule,
            predictions: vec![0.0; fractions.0],
            d_predictions: vec![0.0; fractions.0],
            targets: vec![0.0; fractions.1],
            losses: vec![0.0; shape.rows],
            clipped: None,
        }
    }

    pub(super) fn losses(&self) -> &[f32] {
        &self.losses
    }

    /// The share of targets that was clipped.
    pub(super) fn clipped_targets(&self) -> Option<f64> {
        self.clipped.map(|clipped| clipped as f64 / (self.shape.rows * self.targets.len()) as f64)
    }

    /// The mean loss of the batch and its gradient. `layouts` are those of the outputs and of the next outputs; `fractions_of`
    /// gives the fractions of a row.
    pub(super) fn loss<'f>(
        &mut self,
        update: &HeadUpdate<'_>,
        layouts: (Strides, Strides),
        fractions_of: impl Fn(usize) -> &'f [f32],
        d_outputs: &mut [f32],
    ) -> HeadLoss {
        let HeadShape { rows, actions } = self.shape;
        let (count, next_count) = (self.predictions.len(), self.targets.len());
        assert_eq!(update.outputs.len(), rows * actions * count, "outputs are rows × actions × fractions");
        assert_eq!(
            update.next_outputs.len(),
            rows * actions * next_count,
            "next outputs are, with their own fractions"
        );
        assert_eq!((update.next_q.len(), d_outputs.len()), (rows * actions, update.outputs.len()), "rows × actions");
        assert_eq!((update.rewards.len(), update.discounts.len()), (rows, rows), "one reward and discount per row");
        assert!(update.weights.is_none_or(|weights| weights.len() == rows), "one weight per row");
        assert!(update.actions.len() == rows, "one action per row");
        assert!(update.actions.iter().all(|action| (*action as usize) < actions), "actions are below {actions}");

        let outputs = Quantiles { values: update.outputs, strides: layouts.0 };
        let next = Quantiles { values: update.next_outputs, strides: layouts.1 };
        let Backup { rewards, next: policy } = self.rule.backup(&update.for_rule());
        d_outputs.fill(0.0);
        let share = 1.0 / rows as f32;
        let (mut loss_sum, mut q_sum) = (0.0f64, 0.0f32);
        self.clipped = update.bounds.map(|_| 0);
        for row in 0..rows {
            let discount = update.discounts[row];
            let policy = policy.at(row, actions, update.next_q);
            let next = |action, fraction| next.at(row, action, fraction);
            quantile_targets(rewards[row], discount, policy, next, &mut self.targets);
            if let Some(bounds) = update.bounds {
                let clipped = clip_bootstrapped(&[discount], bounds, &mut self.targets);
                self.clipped = self.clipped.map(|before| before + clipped);
            }

            let taken = update.actions[row] as usize;
            for (fraction, prediction) in self.predictions.iter_mut().enumerate() {
                *prediction = outputs.at(row, taken, fraction);
            }
            let loss = self.kernel.run(RowTask {
                kappa: self.kappa,
                predictions: (&self.predictions, fractions_of(row)),
                targets: &self.targets,
                d_predictions: &mut self.d_predictions,
            });
            self.losses[row] = loss;
            let weight = update.weights.map_or(1.0, |weights| weights[row]);
            loss_sum += f64::from(weight * loss);
            let start = row * layouts.0.row + taken * layouts.0.action;
            for (fraction, d) in self.d_predictions.iter().enumerate() {
                d_outputs[start + fraction * layouts.0.fraction] = weight * share * d;
            }
            q_sum += lanes::sum(&self.predictions) / count as f32;
        }
        HeadLoss { loss: (loss_sum / rows as f64) as f32, mean_q: q_sum / rows as f32 }
    }
}

/// [`quantile_huber`] of a row, compiled for every instruction set.
struct RowTask<'a> {
    kappa: f32,
    predictions: (&'a [f32], &'a [f32]),
    targets: &'a [f32],
    d_predictions: &'a mut [f32],
}

impl Task for RowTask<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        quantile_huber(self.kappa, self.predictions, self.targets, self.d_predictions)
    }
}
