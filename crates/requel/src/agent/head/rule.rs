//! [`Rule`]: how what comes next is valued.

use requel_nn::Kernel;

use super::policies::Policies;
use super::spec::check;
use super::{HeadError, HeadShape};
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

impl Rule {
    /// Whether it asks for the values at the present observations too.
    pub(in crate::agent) fn looks_back(self) -> bool {
        matches!(self, Rule::Munchausen(_))
    }

    /// What works out the policy that the next state is valued by, where that is not the greedy one.
    pub(super) fn policies(self, shape: HeadShape, kernel: Kernel) -> Option<Policies> {
        match self {
            Rule::QLearning => None,
            Rule::Munchausen(constants) => Some(Policies::new(constants, shape, kernel)),
        }
    }

    /// Looks whether its constants are in their ranges.
    pub(super) fn check(self) -> Result<(), HeadError> {
        let Rule::Munchausen(constants) = self else { return Ok(()) };
        let (alpha, tau, clip) = (constants.alpha, constants.tau, constants.clip);
        check((0.0..=1.0).contains(&alpha), "munchausen alpha", alpha.into(), "from 0 to 1")?;
        check(tau.is_finite() && tau > 0.0, "munchausen tau", tau.into(), "a finite number above 0")?;
        check(clip <= 0.0, "munchausen clip", clip.into(), "a number of at most 0")
    }
}
