//! Double Q-learning targets.

use super::argmax;
use super::q_learning::bootstrap;

/// Double DQN: `y = r + d · q_evaluator(s', argmax_a q_selector(s', a))` (van Hasselt, Guez & Silver 2016, the target of Double DQN): the
/// online network selects, the target network evaluates.
///
/// `rewards`, `discounts` and `targets` have one number per row, `selector_q` and `evaluator_q` rows × actions; where an action is
/// not allowed, the selector's value is −∞. Where the discount is 0 the target is the reward, whatever the values.
///
/// # Panics
/// If the lengths do not match.
pub fn double_q_targets(
    rewards: &[f32],
    discounts: &[f32],
    selector_q: &[f32],
    evaluator_q: &[f32],
    targets: &mut [f32],
) {
    let rows = targets.len();
    assert_eq!((rewards.len(), discounts.len()), (rows, rows), "one reward and discount per target");
    assert!(
        rows > 0 && !evaluator_q.is_empty() && evaluator_q.len().is_multiple_of(rows),
        "evaluator_q is rows × actions"
    );
    assert_eq!(selector_q.len(), evaluator_q.len(), "both networks value the same actions");
    let actions = evaluator_q.len() / rows;

    for (row, (selector, evaluator)) in
        selector_q.chunks_exact(actions).zip(evaluator_q.chunks_exact(actions)).enumerate()
    {
        targets[row] = bootstrap(rewards[row], discounts[row], evaluator[argmax(selector)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_table() {
        // Rows: choice 1, choice 0, a tie, the end of an episode.
        let rewards = [1.0, 1.0, 1.0, 1.0];
        let discounts = [0.5, 0.5, 0.5, 0.0];
        let selector = [1.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0, 1.0];
        let evaluator = [10.0, 4.0, 10.0, 4.0, 10.0, 4.0, 10.0, 4.0];
        let mut targets = [0.0; 4];
        double_q_targets(&rewards, &discounts, &selector, &evaluator, &mut targets);
        assert_eq!(targets, [3.0, 6.0, 6.0, 1.0]);
    }

    #[test]
    fn the_selector_alone_says_what_is_not_allowed() {
        const NO: f32 = f32::NEG_INFINITY;
        let mut targets = [0.0; 3];
        let (selector, evaluator) = ([NO, 2.0, NO, NO, NO, -5.0], [9.0, 4.0, NO, 3.0, 9.0, 6.0]);
        double_q_targets(&[1.0; 3], &[0.5, 0.0, 0.5], &selector, &evaluator, &mut targets);
        assert_eq!(targets, [3.0, 1.0, 4.0]);
    }

    #[test]
    fn with_one_network_it_is_q_learning() {
        let (rewards, discounts, q) = ([0.5, -1.0], [0.9, 0.8], [1.0, 3.0, 2.0, -1.0]);
        let (mut double, mut plain) = ([0.0; 2], [0.0; 2]);
        double_q_targets(&rewards, &discounts, &q, &q, &mut double);
        super::super::q_learning_targets(&rewards, &discounts, &q, &mut plain);
        assert_eq!(double, plain);
    }
}
