//! [`Rule`]: how what comes next is valued.

use crate::td::Munchausen;

/// How a reward and the values of the next state become a target.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rule {
    /// The value of the best next action: Q-learning, and double Q-learning where another network chooses than values.
    #[default]
    QLearning,
    /// The value of a softmax policy with its entropy, and a share of its log-probability beside the reward (Vieillard et al.
    /// 2020). Not for the categorical head.
    Munchausen(Munchausen),
}
