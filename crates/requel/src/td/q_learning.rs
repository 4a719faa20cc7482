//! Q-learning targets, and [`QLearning`], the rule.

use requel_nn::Kernel;

use super::{Backup, NextPolicy, OutOfRange, RuleBatch, RuleSpec, TdRule, argmax};

/// The rule of Q-learning (Watkins & Dayan 1992): a next state has the value of its best action. If another network chooses that action
/// than values it, it is double Q-learning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QLearning;

impl RuleSpec for QLearning {
    fn build(&self, _: (usize, usize), _: Kernel) -> Result<Box<dyn TdRule>, OutOfRange> {
        Ok(Box::new(QLearning))
    }

    fn is_greedy(&self) -> bool {
        true
    }
}

impl TdRule for QLearning {
    fn backup<'a>(&'a mut self, batch: &RuleBatch<'a>) -> Backup<'a> {
        Backup { rewards: batch.rewards, next: NextPolicy::Greedy }
    }
}

/// Q-learning: `y = r + d · max_a q(s', a)` (Watkins & Dayan 1992; Mnih et al. 2015, the loss, with `d` = γ, 0 at the end).
///
/// `rewards`, `discounts` and `targets` have one number per row, `next_q` rows × actions, −∞ where an action is not allowed.
/// Where the discount is 0 the target is the reward, whatever the values.
///
/// # Panics
/// If the lengths do not match.
///
/// ```
/// let mut targets = [0.0; 2];
/// requel::td::q_learning_targets(&[1.0, 1.0], &[0.5, 0.0], &[2.0, 4.0, 8.0, 6.0], &mut targets);
/// assert_eq!(targets, [3.0, 1.0]);
/// ```
pub fn q_learning_targets(rewards: &[f32], discounts: &[f32], next_q: &[f32], targets: &mut [f32]) {
    let rows = targets.len();
    assert_eq!((rewards.len(), discounts.len()), (rows, rows), "one reward and discount per target");
    assert!(rows > 0 && !next_q.is_empty() && next_q.len().is_multiple_of(rows), "next_q is rows × actions");
    let actions = next_q.len() / rows;

    for (row, next_q) in next_q.chunks_exact(actions).enumerate() {
        targets[row] = bootstrap(rewards[row], discounts[row], next_q[argmax(next_q)]);
    }
}

/// `reward + discount · value`, where a discount of 0 silences even an infinite value.
pub(super) fn bootstrap(reward: f32, discount: f32, value: f32) -> f32 {
    if discount == 0.0 { reward } else { reward + discount * value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_table() {
        // reward, discount, q(s', ·), target
        let table: [(f32, f32, [f32; 3], f32); 5] = [
            (1.0, 0.5, [1.0, 2.0, 3.0], 2.5),
            (1.0, 0.0, [1.0, 2.0, 3.0], 1.0),
            (-1.0, 1.0, [-4.0, -2.0, -3.0], -3.0),
            (0.0, 0.25, [8.0, 8.0, 8.0], 2.0),
            (2.0, 0.5, [0.0, -1.0, 0.0], 2.0),
        ];
        let rewards: Vec<f32> = table.iter().map(|row| row.0).collect();
        let discounts: Vec<f32> = table.iter().map(|row| row.1).collect();
        let next_q: Vec<f32> = table.iter().flat_map(|row| row.2).collect();
        let mut targets = vec![0.0; table.len()];
        q_learning_targets(&rewards, &discounts, &next_q, &mut targets);
        assert_eq!(targets, table.iter().map(|row| row.3).collect::<Vec<_>>());
    }

    #[test]
    fn an_action_that_is_not_allowed_is_never_chosen() {
        const NO: f32 = f32::NEG_INFINITY;
        let mut targets = [0.0; 3];
        let next_q = [NO, -7.0, NO, -3.0, NO, NO];
        q_learning_targets(&[1.0, 1.0, 1.0], &[0.5, 0.5, 0.0], &next_q, &mut targets);
        assert_eq!(targets, [-2.5, -0.5, 1.0]);
    }

    #[test]
    #[should_panic(expected = "one reward and discount per target")]
    fn checks_shapes() {
        q_learning_targets(&[1.0], &[1.0, 1.0], &[1.0, 1.0], &mut [0.0, 0.0]);
    }
}
