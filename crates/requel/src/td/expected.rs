//! Targets that value the next state by a policy.

use super::q_learning::bootstrap;

/// The expected value of each next state under a policy: `r + d·Σ_a π(a|s')·(q(s', a) − offset(a))`. With offsets of 0 it is the target of
/// Expected SARSA (van Seijen et al. 2009); with offsets of τ·ln π(a|s') that of Soft-DQN, and with the rewards of
/// [`munchausen_rewards`](super::munchausen_rewards) that of Munchausen-DQN (Vieillard et al. 2020). The sum runs over the actions in
/// increasing order; an action of probability 0 adds nothing, nor does the next state where the discount is 0.
///
/// `rewards`, `discounts` and `targets` have one number per row; `next_q`, the probabilities and the offsets are rows × actions.
///
/// # Panics
/// If the lengths do not match.
///
/// ```
/// let mut targets = [0.0];
/// // 1 + ½·(¼·8 + ¾·(4 − 1))
/// requel::td::expected_targets(&[1.0], &[0.5], &[8.0, 4.0], (&[0.25, 0.75], &[0.0, 1.0]), &mut targets);
/// assert_eq!(targets, [1.0 + 0.5 * (2.0 + 2.25)]);
/// ```
pub fn expected_targets(
    rewards: &[f32],
    discounts: &[f32],
    next_q: &[f32],
    (probabilities, offsets): (&[f32], &[f32]),
    targets: &mut [f32],
) {
    let rows = targets.len();
    assert_eq!((rewards.len(), discounts.len()), (rows, rows), "one reward and discount per target");
    assert!(rows > 0 && !next_q.is_empty() && next_q.len().is_multiple_of(rows), "next_q is rows × actions");
    assert_eq!((probabilities.len(), offsets.len()), (next_q.len(), next_q.len()), "the policy is rows × actions");
    let actions = next_q.len() / rows;

    for (row, next_q) in next_q.chunks_exact(actions).enumerate() {
        let mut value = 0.0;
        for (action, q) in next_q.iter().enumerate() {
            let probability = probabilities[row * actions + action];
            if probability > 0.0 {
                value += probability * (q - offsets[row * actions + action]);
            }
        }
        targets[row] = bootstrap(rewards[row], discounts[row], value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: f32 = f32::NEG_INFINITY;

    #[test]
    fn hand_worked_table() {
        let rewards = [1.0, -1.0, 0.5, 2.0];
        let discounts = [0.5, 1.0, 0.5, 0.0];
        let next_q = [4.0, 8.0, NO, 3.0, 2.0, 2.0, NO, NO];
        // Half of each; one action allowed; an offset of 1 for both; the end of an episode.
        let probabilities = [0.5, 0.5, 0.0, 1.0, 0.5, 0.5, 0.0, 0.0];
        let offsets = [0.0, 0.0, NO, 0.0, 1.0, 1.0, NO, NO];
        let mut targets = [9.0; 4];
        expected_targets(&rewards, &discounts, &next_q, (&probabilities, &offsets), &mut targets);
        assert_eq!(targets, [4.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn of_a_greedy_policy_it_is_q_learning() {
        let (rewards, discounts, q) = ([0.5, -1.0], [0.9, 0.8], [1.0, 3.0, 2.0, -1.0]);
        let (mut expected, mut greedy) = ([0.0; 2], [0.0; 2]);
        expected_targets(&rewards, &discounts, &q, (&[0.0, 1.0, 1.0, 0.0], &[0.0; 4]), &mut expected);
        crate::td::q_learning_targets(&rewards, &discounts, &q, &mut greedy);
        assert_eq!(expected, greedy);
    }
}
