//! [`Policies`], the room in which Munchausen's terms are worked out.

use requel_nn::Kernel;

use super::{HeadShape, HeadUpdate};
use crate::td::{Munchausen, SoftPolicy, munchausen_rewards, soft_policy};

/// The policies at s and s' and the rewards with their bonus. Rows × actions, or rows × 1.
#[derive(Clone, Debug)]
pub(super) struct Policies {
    constants: Munchausen,
    kernel: Kernel,
    probabilities: Vec<f32>,
    scaled_logs: Vec<f32>,
    log_sums: Vec<f32>,
    rewards: Vec<f32>,
}

impl Policies {
    pub(super) fn new(constants: Munchausen, shape: HeadShape, kernel: Kernel) -> Self {
        let HeadShape { rows, actions } = shape;
        Policies {
            constants,
            kernel,
            probabilities: vec![0.0; rows * actions],
            scaled_logs: vec![0.0; rows * actions],
            log_sums: vec![0.0; rows],
            rewards: vec![0.0; rows],
        }
    }

    /// The rewards with their bonus, and the policy at the next states.
    ///
    /// # Panics
    /// If the update has no values for the present states.
    pub(super) fn work_out(&mut self, update: &HeadUpdate<'_>) -> (&[f32], SoftPolicy<'_>) {
        let current_q = update.current_q.expect("Munchausen needs the values at s");
        let mut policy = SoftPolicy {
            probabilities: &mut self.probabilities,
            scaled_logs: &mut self.scaled_logs,
            log_sums: &mut self.log_sums,
        };
        // One room for both: of the first nothing but the bonus is needed.
        soft_policy(self.kernel, self.constants.tau, current_q, &mut policy);
        munchausen_rewards(self.constants, update.rewards, update.actions, policy.scaled_logs, &mut self.rewards);
        soft_policy(self.kernel, self.constants.tau, update.next_q, &mut policy);
        (&self.rewards, policy)
    }
}
