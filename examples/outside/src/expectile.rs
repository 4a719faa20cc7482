//! [`Expectile`], your own head: values that are learned as expectiles of the return instead of its mean.

use requel::agent::{HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate, Reader, ValueLoss};
use requel::td::{Backup, NextPolicy, RuleSpec, TdRule, double_q_targets, expected_targets};
use requel_nn::Kernel;

/// The squared error, where a value that was too low counts `tau` and one that was too high 1 − `tau`: the expectile of the return,
/// its mean with `tau` = ½ (Newey & Powell 1987). Above ½ values are hopeful, below it careful.
#[derive(Clone, Copy, Debug)]
pub struct Expectile {
    /// From 0 to 1, neither of them.
    pub tau: f32,
}

impl HeadSpec for Expectile {
    fn build(&self, rule: &dyn RuleSpec, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn ValueLoss>, HeadError> {
        if !(self.tau > 0.0 && self.tau < 1.0) {
            return Err(HeadError::OutOfRange { field: "tau", value: self.tau.into(), expected: "between 0 and 1" });
        }
        let rule = rule.build((shape.rows, shape.actions), kernel)?;
        let room = || vec![0.0; shape.rows];
        Ok(Box::new(ExpectileHead { tau: self.tau, rule, shape, targets: room(), td_errors: room() }))
    }
}

#[derive(Debug)]
struct ExpectileHead {
    tau: f32,
    rule: Box<dyn TdRule>,
    shape: HeadShape,
    targets: Vec<f32>,
    td_errors: Vec<f32>,
}

impl Reader for ExpectileHead {
    fn atoms(&self) -> usize {
        1
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        q.copy_from_slice(outputs);
    }
}

impl ValueLoss for ExpectileHead {
    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        let HeadShape { rows, actions } = self.shape;
        // The rule says how a next state is valued: by its best action, or by a policy.
        let &HeadUpdate { discounts, next_q, next_outputs, .. } = update;
        let Backup { rewards, next } = self.rule.backup(&update.for_rule());
        match next {
            NextPolicy::Greedy => double_q_targets(rewards, discounts, next_q, next_outputs, &mut self.targets),
            NextPolicy::Weighted { probabilities, offsets } => {
                expected_targets(rewards, discounts, next_outputs, (probabilities, offsets), &mut self.targets);
            }
        }
        let (mut loss, mut q_sum) = (0.0, 0.0);
        d_outputs.fill(0.0);
        for row in 0..rows {
            let taken = row * actions + update.actions[row] as usize;
            let error = update.outputs[taken] - self.targets[row];
            let share = if error < 0.0 { self.tau } else { 1.0 - self.tau };
            let weight = update.weights.map_or(1.0, |weights| weights[row]) / rows as f32;
            loss += weight * share * error * error;
            q_sum += update.outputs[taken];
            d_outputs[taken] = 2.0 * weight * share * error;
            self.td_errors[row] = error.abs();
        }
        HeadLoss { loss, mean_q: q_sum / rows as f32 }
    }

    fn td_errors(&self) -> &[f32] {
        &self.td_errors
    }
}

#[cfg(test)]
mod tests {
    use requel::td::QLearning;

    use super::*;

    #[test]
    fn hand_worked_table() {
        let shape = HeadShape { rows: 2, actions: 2 };
        let mut head = Expectile { tau: 0.75 }.build(&QLearning, shape, Kernel::SCALAR).unwrap();
        let update = HeadUpdate {
            actions: &[0, 1],
            rewards: &[1.0, 0.5],
            discounts: &[0.5, 0.0],
            weights: None,
            outputs: &[1.0, 9.0, 9.0, 1.5],
            next_outputs: &[2.0, 4.0, f32::NAN, f32::NAN],
            next_q: &[2.0, 4.0, 0.0, 0.0],
            next_q_is_fresh: false,
            current_q: None,
            bounds: None,
            fractions: &[],
        };
        let mut d_outputs = [9.0; 4];
        // Targets 3 and ½; errors −2, which counts ¾, and 1, which counts ¼: (3 + ¼)/2; gradients −3/2 and ¼.
        let loss = head.loss(&update, &mut d_outputs);
        assert_eq!(loss, HeadLoss { loss: 1.625, mean_q: 1.25 });
        assert_eq!((d_outputs, head.td_errors()), ([-1.5, 0.0, 0.0, 0.25], &[2.0, 1.0][..]));
        for tau in [0.0, 1.0, f32::NAN] {
            assert!(Expectile { tau }.build(&QLearning, shape, Kernel::SCALAR).is_err());
        }
    }
}
