//! Munchausen targets.

use requel_nn::{Kernel, math};

/// The constants of Munchausen reinforcement learning, with the values of the paper for Atari as default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Munchausen {
    /// α: the share of the scaled log-probability that is added to the reward, 0 to 1.
    pub alpha: f32,
    /// τ: the temperature of the policy softmax(q/τ), above 0; in units of the return.
    pub tau: f32,
    /// l₀: the scaled log-probability is held above this, below 0.
    pub clip: f32,
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

/// The policy softmax(q/τ) and its scaled logarithm, `τ·ln π = q − max q − τ·ln Σ exp((q − max q)/τ)` (Vieillard et al. 2020,
/// appendix B.1), which loses nothing where q/τ is large. Sums run over the actions in increasing order. A value of −∞ is an
/// action that is not allowed; a row of nothing else has no policy: probability 0 everywhere.
///
/// `q` is rows × actions.
///
/// # Panics
/// If the lengths do not go together.
pub fn soft_policy(kernel: Kernel, tau: f32, q: &[f32], policy: &mut SoftPolicy<'_>) {
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

/// The reward with its bonus, `r + α·[τ·ln π(a|s)]` held between l₀ and 0 (Vieillard et al. 2020, eq. 2 and §3.1 on clipping).
///
/// `rewards`, `actions` and `augmented` have one number per row; `scaled_logs` is rows × actions, from [`soft_policy`] at s.
///
/// # Panics
/// If the lengths do not go together.
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

    for (row, logs) in scaled_logs.chunks_exact(width).enumerate() {
        let log = logs[actions[row] as usize].clamp(constants.clip, 0.0);
        augmented[row] = rewards[row] + constants.alpha * log;
    }
}

/// The soft value of each next state times its discount, upon the reward: `r̃ + d·Σ_a π(a|s')·(q(s', a) − τ·ln π(a|s'))`
/// (Vieillard et al. 2020, eq. 1). With r̃ from [`munchausen_rewards`] it is the target of Munchausen-DQN (eq. 2), with the plain
/// reward that of Soft-DQN. The sum runs over the actions in increasing order; an action of probability 0 adds nothing, nor does
/// the next state where the discount is 0.
///
/// `rewards`, `discounts` and `targets` have one number per row, `next_q` rows × actions; `next_policy` comes from
/// [`soft_policy`] at s'.
///
/// # Panics
/// If the lengths do not go together.
pub fn soft_targets(
    rewards: &[f32],
    discounts: &[f32],
    next_q: &[f32],
    next_policy: &SoftPolicy<'_>,
    targets: &mut [f32],
) {
    let rows = targets.len();
    assert_eq!((rewards.len(), discounts.len()), (rows, rows), "one reward and discount per target");
    assert!(rows > 0 && next_q.len().is_multiple_of(rows), "next_q is rows × actions");
    let lengths = (next_policy.probabilities.len(), next_policy.scaled_logs.len());
    assert_eq!(lengths, (next_q.len(), next_q.len()), "the policy is rows × actions");
    let actions = next_q.len() / rows;

    for (row, next_q) in next_q.chunks_exact(actions).enumerate() {
        let mut value = 0.0;
        for (action, q) in next_q.iter().enumerate() {
            let probability = next_policy.probabilities[row * actions + action];
            if probability > 0.0 {
                value += probability * (q - next_policy.scaled_logs[row * actions + action]);
            }
        }
        targets[row] = if discounts[row] == 0.0 { rewards[row] } else { rewards[row] + discounts[row] * value };
    }
}
