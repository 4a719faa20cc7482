//! The agent without replay.

use crate::config::declare::Condition::Is;
use crate::config::declare::Range::{self, Share, Whole};
use crate::config::declare::{Scale, Tuning, section};

section! {
    /// How the parallelised Q-network learns, `agent.kind = "pqn"`: from rollouts of all environments, each used for some epochs
    /// and then discarded (Gallici et al. 2024, algorithm 1).
    pub struct PqnConfig = "pqn" {
        /// Length of a rollout.
        rollout_steps: usize = 32, in Whole(1, 1_000_000), unit "environment steps per environment",
            tune Tuning::one_of(&["16", "32", "64"]).when(&[Is("agent.kind", "pqn")]);
        /// Number of passes over each rollout.
        epochs: usize = 2, in Whole(1, 1_000), unit "passes",
            tune Tuning::whole(1, 8, Scale::Log).when(&[Is("agent.kind", "pqn")]);
        /// Number of minibatches per pass, each of which gives one update.
        ///
        /// Each pass divides the rollout into new random minibatches.
        minibatches: usize = 16, in Range::at_least(1), unit "updates per pass",
            tune Tuning::one_of(&["4", "8", "16", "32"]).when(&[Is("agent.kind", "pqn")]);
        /// Lambda of the returns (0: one step, 1: to the end of the rollout).
        lambda: f64 = 0.65, in Share,
            tune Tuning::number(0.2, 0.98, Scale::Linear).when(&[Is("agent.kind", "pqn")]);
    }
}
