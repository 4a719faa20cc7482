//! Munchausen's rule: its policy, its bonus, and [`Munchausen`], the rule with its constants.

use requel_nn::{Kernel, math};

use super::{Backup, NextPolicy, OutOfRange, RuleBatch, RuleSpec, TdRule};

/// Munchausen's rule by its constants, with the values of the paper for Atari as default: a next state has the value of a softmax
/// policy with its entropy, and a share of the policy's log-probability is added to the reward (Vieillard et al. 2020). It cannot be
/// combined with the categorical head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Munchausen {
    /// α: the share of the scaled log-probability that is added to the reward, 0 to 1.
    pub alpha: f64,
    /// τ: the temperature of the policy softmax(q/τ), above 0; in units of the return.
    pub tau: f64,
    /// l₀: the scaled log-probability is held above this, below 0.
    pub clip: f64,
}

impl Default for Munchausen {
    fn default() -> Self {
        Munchausen { alpha: 0.9, tau: 0.03, clip: -1.0 }
    }
}

/// The policy π = softmax(q/τ) of rows × actions values: where [`soft_policy`] writes it.
#[derive(Debug)]
pub struct SoftPolicy<'a> {
    /// Rows × actions: π(a|s), 0 where the value is −∞.
    pub probabilities: &'a mut [f32],
    /// Rows × actions: τ·ln π(a|s), −∞ where the value is.
    pub scaled_logs: &'a mut [f32],
    /// Rows × 1: τ·ln Σ exp((q − max q)/τ).
    pub log_sums: &'a mut [f32],
}

/// The policy softmax(q/τ) and its scaled logarithm, `τ·ln π = q − max q − τ·ln Σ exp((q − max q)/τ)` (Vieillard et al. 2020),
/// which loses nothing where q/τ is large. Sums run over the actions in increasing order. A value of −∞ is an
/// action that is not allowed; a row of nothing else has no policy: probability 0 everywhere.
///
/// `q` is rows × actions.
///
/// # Panics
/// If the lengths do not match, or τ is not a finite number above 0.
pub fn soft_policy(kernel: Kernel, tau: f32, q: &[f32], policy: &mut SoftPolicy<'_>) {
    assert!(tau > 0.0 && tau.is_finite(), "the temperature is {tau}, not a finite number above 0");
    let rows = policy.log_sums.len();
    assert!(rows > 0 && q.len().is_multiple_of(rows) && !q.is_empty(), "q is rows × actions");
    let lengths = (policy.probabilities.len(), policy.scaled_logs.len());
    assert_eq!(lengths, (q.len(), q.len()), "one probability and logarithm per value");
    let actions = q.len() / rows;

    for (row, q) in q.chunks_exact(actions).enumerate() {
        let max = q.iter().copied().fold(f32::NEG_INFINITY, |max, q| if q > max { q } else { max });
        // Nothing is allowed: −∞ less −∞ would be NaN.
        let max = if max == f32::NEG_INFINITY { 0.0 } else { max };
        let places = row * actions..(row + 1) * actions;
        let logs = policy.scaled_logs[places.clone()].iter_mut();
        for ((log, exponent), q) in logs.zip(&mut policy.probabilities[places]).zip(q) {
            *log = q - max;
            *exponent = *log / tau;
        }
    }
    math::exp_all(kernel, policy.probabilities);
    for (sum, row) in policy.log_sums.iter_mut().zip(policy.probabilities.chunks_exact_mut(actions)) {
        *sum = row.iter().fold(0.0, |sum, p| sum + p);
        let scale = if *sum > 0.0 { 1.0 / *sum } else { 0.0 };
        row.iter_mut().for_each(|p| *p *= scale);
    }
    math::ln_all(kernel, policy.log_sums);
    for (log_sum, logs) in policy.log_sums.iter_mut().zip(policy.scaled_logs.chunks_exact_mut(actions)) {
        *log_sum *= tau;
        // Without an allowed action the sum is 0 and its logarithm −∞; the logarithms stay −∞.
        let log_sum = if log_sum.is_finite() || log_sum.is_nan() { *log_sum } else { 0.0 };
        logs.iter_mut().for_each(|log| *log -= log_sum);
    }
}

/// The reward with its bonus, `r + α·[τ·ln π(a|s)]` held between l₀ and 0 (Vieillard et al. 2020).
///
/// `rewards`, `actions` and `augmented` have one number per row; `scaled_logs` is rows × actions, from [`soft_policy`] at s.
///
/// # Panics
/// If the lengths do not match, an action is none, or α or l₀ is out of range.
pub fn munchausen_rewards(
    constants: Munchausen,
    rewards: &[f32],
    actions: &[u32],
    scaled_logs: &[f32],
    augmented: &mut [f32],
) {
    let rows = augmented.len();
    assert_eq!((rewards.len(), actions.len()), (rows, rows), "one reward and action per row");
    assert!(rows > 0 && scaled_logs.len().is_multiple_of(rows), "scaled_logs is rows × actions");
    let width = scaled_logs.len() / rows;
    assert!(actions.iter().all(|action| (*action as usize) < width), "actions are below {width}");
    let (alpha, clip) = (constants.alpha as f32, constants.clip as f32);
    assert!((0.0..=1.0).contains(&alpha), "alpha is {alpha}, not from 0 to 1");
    assert!(clip <= 0.0, "the scaled log-probability is held above {clip}, which is not below 0");

    for (row, logs) in scaled_logs.chunks_exact(width).enumerate() {
        let log = logs[actions[row] as usize].clamp(clip, 0.0);
        augmented[row] = rewards[row] + alpha * log;
    }
}

impl RuleSpec for Munchausen {
    fn build(&self, (rows, actions): (usize, usize), kernel: Kernel) -> Result<Box<dyn TdRule>, OutOfRange> {
        let Munchausen { alpha, tau, clip } = *self;
        check((0.0..=1.0).contains(&alpha), "munchausen alpha", alpha, "from 0 to 1")?;
        // As it is used: in single precision it could be 0.
        let is_positive = (tau as f32).is_finite() && tau as f32 > 0.0;
        check(is_positive, "munchausen tau", tau, "a finite number above 0")?;
        check(clip <= 0.0, "munchausen clip", clip, "a number of at most 0")?;
        Ok(Box::new(MunchausenRule {
            constants: *self,
            kernel,
            probabilities: vec![0.0; rows * actions],
            scaled_logs: vec![0.0; rows * actions],
            log_sums: vec![0.0; rows],
            rewards: vec![0.0; rows],
        }))
    }

    fn reads_current_values(&self) -> bool {
        true
    }

    /// The bonus of the action taken, and the entropy of the policy over the next actions, which is discounted.
    fn bonus(&self, gamma: f64, actions: usize) -> (f64, f64) {
        (self.alpha * self.clip, gamma * self.tau * libm::log(actions as f64))
    }
}

fn check(is_valid: bool, field: &'static str, value: f64, expected: &'static str) -> Result<(), OutOfRange> {
    if is_valid { Ok(()) } else { Err(OutOfRange { field, value, expected }) }
}

/// [`Munchausen`] with its buffers: rows × actions, or rows × 1.
#[derive(Debug)]
struct MunchausenRule {
    constants: Munchausen,
    kernel: Kernel,
    probabilities: Vec<f32>,
    scaled_logs: Vec<f32>,
    log_sums: Vec<f32>,
    rewards: Vec<f32>,
}

impl TdRule for MunchausenRule {
    /// # Panics
    /// If the batch has no values of the present states.
    fn backup<'a>(&'a mut self, batch: &RuleBatch<'a>) -> Backup<'a> {
        let current_q = batch.current_q.expect("Munchausen's rule reads the values of the present states");
        let mut policy = SoftPolicy {
            probabilities: &mut self.probabilities,
            scaled_logs: &mut self.scaled_logs,
            log_sums: &mut self.log_sums,
        };
        // Both policies use the same buffers: only the bonus is needed of the first.
        let tau = self.constants.tau as f32;
        soft_policy(self.kernel, tau, current_q, &mut policy);
        munchausen_rewards(self.constants, batch.rewards, batch.actions, policy.scaled_logs, &mut self.rewards);
        soft_policy(self.kernel, tau, batch.next_q, &mut policy);
        let next = NextPolicy::Weighted { probabilities: &self.probabilities, offsets: &self.scaled_logs };
        Backup { rewards: &self.rewards, next }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::td::expected_targets;

    const NO: f32 = f32::NEG_INFINITY;

    /// Probabilities and scaled logarithms.
    fn policy(tau: f32, q: &[f32], rows: usize) -> (Vec<f32>, Vec<f32>) {
        let (mut probabilities, mut scaled_logs) = (vec![9.0; q.len()], vec![9.0; q.len()]);
        let mut policy = SoftPolicy {
            probabilities: &mut probabilities,
            scaled_logs: &mut scaled_logs,
            log_sums: &mut vec![9.0; rows],
        };
        soft_policy(Kernel::fastest(), tau, q, &mut policy);
        (probabilities, scaled_logs)
    }

    fn targets(constants: Munchausen, batch: (&[f32], &[f32], &[u32]), q: &[f32], next_q: &[f32]) -> Vec<f32> {
        let (rewards, discounts, actions) = batch;
        let rows = rewards.len();
        let tau = constants.tau as f32;
        let (_, scaled_logs) = policy(tau, q, rows);
        let mut augmented = vec![0.0; rows];
        munchausen_rewards(constants, rewards, actions, &scaled_logs, &mut augmented);
        let (probabilities, scaled_logs) = policy(tau, next_q, rows);
        let mut targets = vec![0.0; rows];
        expected_targets(&augmented, discounts, next_q, (&probabilities, &scaled_logs), &mut targets);
        // The rule gives the same.
        let mut rule = constants.build((rows, q.len() / rows), Kernel::fastest()).unwrap();
        let backup = rule.backup(&RuleBatch { actions, rewards, next_q, current_q: Some(q) });
        let NextPolicy::Weighted { probabilities, offsets } = backup.next else { panic!("{backup:?}") };
        let mut by_rule = vec![0.0; rows];
        expected_targets(backup.rewards, discounts, next_q, (probabilities, offsets), &mut by_rule);
        assert_eq!(targets, by_rule);
        targets
    }

    #[test]
    fn hand_worked_table() {
        let ln2 = std::f32::consts::LN_2;
        let constants = Munchausen { alpha: 0.5, tau: 2.0, clip: -1.0 };
        // Equal values: π = ½ each, τ·ln π = −2 ln 2 ≈ −1.386, clipped to −1; soft next value 3 + 2 ln 2.
        // Values 2·ln 3 apart: π = ¾ and ¼; the bonus of the first action is ½·2·ln ¾; the next state ends the episode.
        // One action allowed: π = 1, no bonus, no entropy.
        let ln3 = 3f32.ln();
        let q = [1.0, 1.0, 2.0 * ln3, 0.0, NO, 5.0];
        let next_q = [3.0, 3.0, NO, NO, 4.0, NO];
        let got = targets(constants, (&[1.0, 1.0, 1.0], &[0.5, 0.0, 0.5], &[0, 0, 1]), &q, &next_q);
        let expected = [1.0 - 0.5 + 0.5 * (3.0 + 2.0 * ln2), 1.0 + 0.75f32.ln(), 1.0 + 0.5 * 4.0];
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got} against {expected}");
        }
    }

    #[test]
    fn a_row_without_an_allowed_action_has_no_policy_and_no_nan() {
        assert_eq!(policy(0.03, &[NO, NO, 1.0, NO], 2), (vec![0.0, 0.0, 1.0, 0.0], vec![NO, NO, 0.0, NO]));
    }

    #[test]
    fn a_cold_policy_overflows_nothing() {
        let (probabilities, scaled_logs) = policy(1e-3, &[1000.0, 0.0, 999.999], 1);
        assert!(probabilities.iter().chain(&scaled_logs).all(|x| x.is_finite()));
        // The logarithm keeps what the probability lost: −1000, not −∞.
        assert!((scaled_logs[1] + 1000.0).abs() < 1e-2 && probabilities[1] == 0.0);
    }

    #[test]
    fn constants_out_of_range_are_refused() {
        for (wrong, field) in [
            (Munchausen { alpha: 1.5, ..Munchausen::default() }, "munchausen alpha"),
            (Munchausen { tau: 0.0, ..Munchausen::default() }, "munchausen tau"),
            (Munchausen { tau: 1e-50, ..Munchausen::default() }, "munchausen tau"),
            (Munchausen { tau: f64::INFINITY, ..Munchausen::default() }, "munchausen tau"),
            (Munchausen { clip: f64::NAN, ..Munchausen::default() }, "munchausen clip"),
        ] {
            assert_eq!(wrong.build((4, 2), Kernel::SCALAR).unwrap_err().field, field, "{wrong:?}");
        }
    }

    proptest! {
        /// The definition, in f64 and without the shift by the maximum.
        #[test]
        fn the_naive_twin(
            q in prop::collection::vec(-2.0f32..2.0, 12),
            next_q in prop::collection::vec(-2.0f32..2.0, 12),
            actions in prop::collection::vec(0u32..3, 4),
            tau in 0.05f32..1.0,
        ) {
            let constants = Munchausen { alpha: 0.9, tau: tau.into(), clip: -1.0 };
            let (rewards, discounts) = ([0.5, -0.25, 0.0, 1.0], [0.99, 0.0, 0.5, 0.97]);
            let got = targets(constants, (&rewards, &discounts, &actions), &q, &next_q);
            let tau = f64::from(tau);
            let policy = |q: &[f32]| -> Vec<f64> {
                let powers: Vec<f64> = q.iter().map(|q| (f64::from(*q) / tau).exp()).collect();
                powers.iter().map(|power| power / powers.iter().sum::<f64>()).collect()
            };
            for row in 0..4 {
                let (q, next_q) = (&q[row * 3..][..3], &next_q[row * 3..][..3]);
                let bonus = 0.9f32 as f64 * (tau * policy(q)[actions[row] as usize].ln()).clamp(-1.0, 0.0);
                let soft: f64 = policy(next_q).iter().zip(next_q).map(|(p, q)| p * (f64::from(*q) - tau * p.ln())).sum();
                let expected = f64::from(rewards[row]) + bonus + f64::from(discounts[row]) * soft;
                prop_assert!((f64::from(got[row]) - expected).abs() < 4e-6, "{} against {expected}", got[row]);
            }
        }
    }
}
