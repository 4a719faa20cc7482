//! λ-returns.

/// A rollout of several environments; every slice is steps × environments, with one step of all environments after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rollout<'a> {
    /// Rewards.
    pub rewards: &'a [f32],
    /// γ, or 0 where the step terminated its episode.
    pub discounts: &'a [f32],
    /// max_a q(s', a) of the observation that really followed: if an episode was truncated, its own last observation and not the first of
    /// the next episode. If the discount is 0 it may be anything.
    pub next_values: &'a [f32],
    /// Whether the next step belongs to another episode: after a termination or a truncation.
    pub cuts: &'a [bool],
}

/// Peng's Q(λ): `G_t = r_t + d_t·(λ·G_{t+1} + (1 − λ)·max_a q(s_{t+1}, a))`, from the end backwards (Peng & Williams 1994;
/// Gallici et al. 2024, "Simplifying Deep Temporal Difference Learning", algorithm 1). After a cut, and after the last step,
/// the target bootstraps from `max_a q` only: no return crosses from one episode into another.
///
/// `returns` is steps × environments.
///
/// # Panics
/// If the lengths do not match, or λ is not from 0 to 1.
///
/// ```
/// use requel::td::{Rollout, lambda_returns};
///
/// // One environment, two steps: the second return is 1 + 0.5·8, the first 1 + 0.5·(½·5 + ½·4).
/// let (rewards, discounts, next_values) = (&[1.0, 1.0], &[0.5, 0.5], &[4.0, 8.0]);
/// let mut returns = [0.0; 2];
/// lambda_returns(0.5, 1, &Rollout { rewards, discounts, next_values, cuts: &[false, false] }, &mut returns);
/// assert_eq!(returns, [3.25, 5.0]);
/// ```
pub fn lambda_returns(lambda: f32, envs: usize, rollout: &Rollout<'_>, returns: &mut [f32]) {
    assert!((0.0..=1.0).contains(&lambda), "lambda is {lambda}, not from 0 to 1");
    let len = returns.len();
    let Rollout { rewards, discounts, next_values, cuts } = *rollout;
    assert!(envs > 0 && len.is_multiple_of(envs), "returns are steps × environments");
    assert_eq!((rewards.len(), discounts.len()), (len, len), "one reward and discount per step");
    assert_eq!((next_values.len(), cuts.len()), (len, len), "one next value and cut per step");

    for index in (0..len).rev() {
        let value = next_values[index];
        let follows = index + envs;
        let ahead = if follows >= len || cuts[index] { value } else { value + lambda * (returns[follows] - value) };
        returns[index] = super::q_learning::bootstrap(rewards[index], discounts[index], ahead);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hand_worked_table() {
        // Two environments, three steps. Environment 0 terminates at step 1, environment 1 is truncated there.
        let rollout = Rollout {
            rewards: &[1.0, 1.0, 2.0, 2.0, 4.0, 4.0],
            discounts: &[0.5, 0.5, 0.0, 0.5, 0.5, 0.5],
            next_values: &[8.0, 8.0, f32::NEG_INFINITY, 16.0, 2.0, 2.0],
            cuts: &[false, false, true, true, false, false],
        };
        let mut returns = [0.0; 6];
        lambda_returns(0.75, 2, &rollout, &mut returns);
        // The last step bootstraps: 4 + ½·2. Terminated: 2. Truncated: 2 + ½·16.
        // First step: 1 + ½·(¾·2 + ¼·8) and 1 + ½·(¾·10 + ¼·8).
        assert_eq!(returns, [2.75, 5.75, 2.0, 10.0, 5.0, 5.0]);
    }

    #[test]
    fn lambda_0_is_one_step_and_lambda_1_the_whole_stretch() {
        let rollout = Rollout {
            rewards: &[1.0, 1.0, 1.0],
            discounts: &[0.5, 0.5, 0.5],
            next_values: &[4.0, 4.0, 4.0],
            cuts: &[false; 3],
        };
        let mut returns = [0.0; 3];
        lambda_returns(0.0, 1, &rollout, &mut returns);
        assert_eq!(returns, [3.0, 3.0, 3.0]);
        lambda_returns(1.0, 1, &rollout, &mut returns);
        assert_eq!(returns, [2.25, 2.5, 3.0]);
    }

    proptest! {
        /// The definition: a weighted mean of all n-step returns up to the cut or the end, in f64.
        #[test]
        fn the_naive_twin(
            steps in prop::collection::vec((-1.0f32..1.0, -2.0f32..2.0, 0u8..6), 1..12),
            lambda in 0.0f32..1.0,
        ) {
            let rewards: Vec<f32> = steps.iter().map(|s| s.0).collect();
            let next_values: Vec<f32> = steps.iter().map(|s| s.1).collect();
            // 0 terminates, 1 truncates.
            let discounts: Vec<f32> = steps.iter().map(|s| if s.2 == 0 { 0.0 } else { 0.9 }).collect();
            let cuts: Vec<bool> = steps.iter().map(|s| s.2 < 2).collect();
            let rollout =
                Rollout { rewards: &rewards, discounts: &discounts, next_values: &next_values, cuts: &cuts };
            let mut returns = vec![0.0; steps.len()];
            lambda_returns(lambda, 1, &rollout, &mut returns);
            let lambda = f64::from(lambda);
            for (first, ours) in returns.iter().enumerate() {
                let (mut exact, mut so_far, mut product, mut weight) = (0.0, 0.0, 1.0, 1.0);
                for step in first..steps.len() {
                    so_far += product * f64::from(rewards[step]);
                    product *= f64::from(discounts[step]);
                    let n_step = so_far + product * f64::from(next_values[step]);
                    if cuts[step] || step + 1 == steps.len() {
                        exact += weight * n_step;
                        break;
                    }
                    exact += weight * (1.0 - lambda) * n_step;
                    weight *= lambda;
                }
                prop_assert!((f64::from(*ours) - exact).abs() < 1e-5, "{ours} against {exact}");
            }
        }
    }
}
