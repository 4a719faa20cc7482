//! [`ScalarHead`]: network outputs as the expected return of each action.

use requel_nn::{Kernel, Loss};
use requel_policy::{Reader, ScalarReader};

use super::spec::check;
use super::{HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate, ValueLoss};
use crate::td::{Backup, NextPolicy, RuleSpec, TdRule, clip_bootstrapped, double_q_targets, expected_targets};

/// The constants of a [`ScalarHead`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScalarSpec {
    /// The loss of an error.
    pub loss: Loss,
}

impl HeadSpec for ScalarSpec {
    fn build(&self, rule: &dyn RuleSpec, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn ValueLoss>, HeadError> {
        shape.check()?;
        if let Loss::Huber { delta } = self.loss {
            let is_valid = delta > 0.0 && delta.is_finite();
            check(is_valid, "delta", delta.into(), "a finite number above 0")?;
        }
        let rule = shape.rule(rule, kernel)?;
        Ok(Box::new(ScalarHead::new(self.loss, rule, shape)))
    }
}

/// One output per action, its expected return (Mnih et al. 2015).
#[derive(Debug)]
pub struct ScalarHead {
    loss: Loss,
    shape: HeadShape,
    rule: Box<dyn TdRule>,
    targets: Vec<f32>,
    /// How many of them were clipped; `None` without clipping.
    clipped: Option<usize>,
    errors: Vec<f32>,
    td_errors: Vec<f32>,
    d_errors: Vec<f32>,
}

impl ScalarHead {
    /// For batches of this shape.
    pub fn new(loss: Loss, rule: Box<dyn TdRule>, shape: HeadShape) -> Self {
        let room = || vec![0.0; shape.rows];
        ScalarHead {
            loss,
            shape,
            rule,
            targets: room(),
            clipped: None,
            errors: room(),
            td_errors: room(),
            d_errors: room(),
        }
    }

    /// The loss against `self.targets`.
    fn loss_of_targets(
        &mut self,
        outputs: &[f32],
        actions: &[u32],
        weights: Option<&[f32]>,
        d_outputs: &mut [f32],
    ) -> HeadLoss {
        let HeadShape { rows, actions: width } = self.shape;
        assert_eq!(actions.len(), rows, "one action taken per row");
        assert!(actions.iter().all(|action| (*action as usize) < width), "actions are below {width}");
        assert_eq!((outputs.len(), d_outputs.len()), (rows * width, rows * width), "outputs are rows × actions");

        let mut q_sum = 0.0f32;
        for (row, (action, target)) in actions.iter().zip(&self.targets).enumerate() {
            let q = outputs[row * width + *action as usize];
            q_sum += q;
            self.errors[row] = q - target;
            self.td_errors[row] = self.errors[row].abs();
        }
        let loss = match weights {
            None => self.loss.mean(&self.errors, &mut self.d_errors),
            Some(weights) => self.loss.weighted_mean(&self.errors, weights, &mut self.d_errors),
        };
        d_outputs.fill(0.0);
        for (row, action) in actions.iter().enumerate() {
            d_outputs[row * width + *action as usize] = self.d_errors[row];
        }
        HeadLoss { loss, mean_q: q_sum / rows as f32 }
    }
}

impl Reader for ScalarHead {
    fn atoms(&self) -> usize {
        ScalarReader.atoms()
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        ScalarReader.q_values(outputs, q);
    }
}

impl ValueLoss for ScalarHead {
    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        let &HeadUpdate { discounts, next_q, next_outputs, .. } = update;
        let Backup { rewards, next } = self.rule.backup(&update.for_rule());
        match next {
            NextPolicy::Greedy => double_q_targets(rewards, discounts, next_q, next_outputs, &mut self.targets),
            NextPolicy::Weighted { probabilities, offsets } => {
                expected_targets(rewards, discounts, next_outputs, (probabilities, offsets), &mut self.targets);
            }
        }
        self.clipped = update.bounds.map(|bounds| clip_bootstrapped(update.discounts, bounds, &mut self.targets));
        self.loss_of_targets(update.outputs, update.actions, update.weights, d_outputs)
    }

    fn td_errors(&self) -> &[f32] {
        &self.td_errors
    }

    fn clipped_targets(&self, _: &[f32], _: &[f32]) -> Option<f64> {
        self.clipped.map(|clipped| clipped as f64 / self.targets.len() as f64)
    }

    fn d_errors(&self) -> Option<&[f32]> {
        Some(&self.d_errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::td::QLearning;

    const OUTPUTS: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

    fn head(loss: Loss) -> ScalarHead {
        ScalarHead::new(loss, Box::new(QLearning), HeadShape { rows: 2, actions: 3 })
    }

    #[test]
    fn hand_worked_table() {
        let mut d_outputs = [9.0; 6];
        // errors: 2 − 1 = 1 and 4 − 6 = −2; loss (1 + 4)/2; gradient 2·error/2.
        let against = |head: &mut ScalarHead, d_outputs: &mut [f32]| {
            head.targets.copy_from_slice(&[1.0, 6.0]);
            head.loss_of_targets(&OUTPUTS, &[1, 0], None, d_outputs)
        };
        let mut mse = head(Loss::Mse);
        let loss = against(&mut mse, &mut d_outputs);
        assert_eq!(loss, HeadLoss { loss: 2.5, mean_q: 3.0 });
        assert_eq!(d_outputs, [0.0, 1.0, 0.0, -2.0, 0.0, 0.0]);
        assert_eq!(mse.td_errors(), [1.0, 2.0]);
        // Huber: ½·1² and 1·(2 − ½); gradients 1/2 and −1/2.
        let loss = against(&mut head(Loss::Huber { delta: 1.0 }), &mut d_outputs);
        assert_eq!(loss.loss, 1.0);
        assert_eq!(d_outputs, [0.0, 0.5, 0.0, -0.5, 0.0, 0.0]);
    }

    #[test]
    fn weights_scale_the_loss_and_not_the_surprise() {
        let mut d_outputs = [9.0; 6];
        let mut head = head(Loss::Mse);
        // Targets 1 + ½·0 = 1 and 2 + ½·8 = 6: as above.
        let update = HeadUpdate {
            actions: &[1, 0],
            rewards: &[1.0, 2.0],
            discounts: &[0.5, 0.5],
            weights: Some(&[1.0, 0.25]),
            outputs: &OUTPUTS,
            next_outputs: &[7.0, 0.0, 7.0, 8.0, 7.0, 7.0],
            next_q: &[0.0, 1.0, f32::NEG_INFINITY, 2.0, 1.0, 0.0],
            next_q_is_fresh: false,
            current_q: None,
            bounds: None,
            fractions: &[],
        };
        let loss = head.loss(&update, &mut d_outputs);
        assert_eq!(loss, HeadLoss { loss: 1.0, mean_q: 3.0 });
        assert_eq!(d_outputs, [0.0, 1.0, 0.0, -0.5, 0.0, 0.0]);
        assert_eq!((head.td_errors(), head.d_errors()), (&[1.0, 2.0][..], Some(&[1.0, -0.5][..])));
    }
}
