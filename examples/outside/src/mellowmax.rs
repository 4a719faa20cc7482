//! [`Mellowmax`], a TD rule of your own: a softer maximum over the next actions.

use requel::td::{Backup, NextPolicy, OutOfRange, RuleBatch, RuleSpec, SoftPolicy, TdRule, soft_policy};
use requel_nn::{Kernel, math};

/// Values a next state by the mellowmax of its actions, `ln(mean exp(ω·q)) / ω`, in place of their maximum (Asadi & Littman 2017, "An
/// Alternative Softmax Operator for Reinforcement Learning"): near the mean for a small ω, near the maximum for a large one.
#[derive(Clone, Copy, Debug)]
pub struct Mellowmax {
    /// ω, above 0, in units of 1/return.
    pub omega: f32,
}

impl RuleSpec for Mellowmax {
    fn build(&self, (rows, actions): (usize, usize), kernel: Kernel) -> Result<Box<dyn TdRule>, OutOfRange> {
        let temperature = 1.0 / self.omega;
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(OutOfRange { field: "omega", value: self.omega.into(), expected: "a finite number above 0" });
        }
        Ok(Box::new(MellowmaxRule {
            temperature,
            kernel,
            probabilities: vec![0.0; rows * actions],
            offsets: vec![0.0; rows * actions],
            log_sums: vec![0.0; rows],
            log_counts: vec![0.0; rows],
        }))
    }
}

#[derive(Debug)]
struct MellowmaxRule {
    temperature: f32,
    kernel: Kernel,
    probabilities: Vec<f32>,
    offsets: Vec<f32>,
    log_sums: Vec<f32>,
    log_counts: Vec<f32>,
}

impl TdRule for MellowmaxRule {
    /// With π = softmax(ω·q), `Σ π·(q − ln π / ω)` is `ln(Σ exp(ω·q)) / ω`; the mean over n allowed actions is less by `ln n / ω`.
    fn backup<'a>(&'a mut self, batch: &RuleBatch<'a>) -> Backup<'a> {
        let mut policy = SoftPolicy {
            probabilities: &mut self.probabilities,
            scaled_logs: &mut self.offsets,
            log_sums: &mut self.log_sums,
        };
        soft_policy(self.kernel, self.temperature, batch.next_q, &mut policy);
        let actions = batch.next_q.len() / batch.rewards.len();
        for (count, next_q) in self.log_counts.iter_mut().zip(batch.next_q.chunks_exact(actions)) {
            *count = next_q.iter().filter(|q| **q > f32::NEG_INFINITY).count().max(1) as f32;
        }
        math::ln_all(self.kernel, &mut self.log_counts);
        for (log_count, offsets) in self.log_counts.iter().zip(self.offsets.chunks_exact_mut(actions)) {
            offsets.iter_mut().for_each(|offset| *offset += self.temperature * log_count);
        }
        let next = NextPolicy::Weighted { probabilities: &self.probabilities, offsets: &self.offsets };
        Backup { rewards: batch.rewards, next }
    }
}

#[cfg(test)]
mod tests {
    use requel::td::expected_targets;

    use super::*;

    const NO: f32 = f32::NEG_INFINITY;

    /// The value of each next state.
    fn values(omega: f32, next_q: &[f32], rows: usize) -> Vec<f32> {
        let mut rule = Mellowmax { omega }.build((rows, next_q.len() / rows), Kernel::SCALAR).unwrap();
        let (zeros, ones) = (vec![0.0; rows], vec![1.0; rows]);
        let batch = RuleBatch { actions: &vec![0; rows], rewards: &zeros, next_q, current_q: None };
        let Backup { rewards, next } = rule.backup(&batch);
        let NextPolicy::Weighted { probabilities, offsets } = next else { panic!("{next:?}") };
        let mut targets = vec![9.0; rows];
        expected_targets(rewards, &ones, next_q, (probabilities, offsets), &mut targets);
        targets
    }

    #[test]
    fn hand_worked_table() {
        // ω = 2: ln((e² + e⁶ + e²)/3)/2; equal values; one allowed action.
        let found = values(2.0, &[1.0, 3.0, 1.0, 5.0, 5.0, 5.0, NO, -2.0, NO], 3);
        let expected = ((2.0 * 2f64.exp() + 6f64.exp()) / 3.0).ln() / 2.0;
        for (found, expected) in found.iter().zip([expected as f32, 5.0, -2.0]) {
            assert!((found - expected).abs() < 1e-5, "{found} against {expected}");
        }
    }

    #[test]
    fn it_lies_between_the_mean_and_the_maximum() {
        let q = [1.0, 2.0, 6.0];
        let [soft, middle, hard] = [0.001, 1.0, 1000.0].map(|omega| values(omega, &q, 1)[0]);
        assert!((soft - 3.0).abs() < 0.01 && (hard - 6.0).abs() < 0.01, "{soft} and {hard}");
        assert!(soft < middle && middle < hard, "{middle}");
    }

    #[test]
    fn an_omega_out_of_range_is_refused() {
        for omega in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(Mellowmax { omega }.build((1, 2), Kernel::SCALAR).unwrap_err().field, "omega", "{omega}");
        }
    }
}
