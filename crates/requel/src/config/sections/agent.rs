//! The agent and its learning rule.

use crate::config::ValueClip;
use crate::config::declare::Condition::{Is, IsNot};
use crate::config::declare::Range::{Between, NotAboveZero, Share, UpTo, Whole, ZeroOr};
use crate::config::declare::{LARGE, LARGE_SQUARED, SMALL, Scale, Tuning, choice, section};

choice! {
    /// The agent.
    pub enum AgentKind {
        /// Learns from each transition once, as it arrives, without a replay buffer.
        "naive" => Naive,
        /// Deep Q-learning with experience replay.
        "dqn" => Dqn,
        /// Parallelised Q-network: lambda-returns over parallel environments, without a replay buffer or a target network (Gallici
        /// et al. 2024).
        "pqn" => Pqn,
    }
}

choice! {
    /// Where the gradient of the Bellman error flows.
    pub enum BellmanGradient {
        /// Through `q(s, a)` alone; the target counts as a constant (Sutton & Barto 2018, on semi-gradient methods).
        "semi" => Semi,
        /// Through the target too: residual-gradient Q-learning (Baird 1995).
        "residual" => Residual,
    }
}

section! {
    /// The agent and its learning rule.
    pub struct AgentConfig = "agent" {
        /// Agent to train.
        kind: AgentKind = AgentKind::Dqn;
        /// Name of an agent of your own, registered by the program, in place of `kind` (empty: none).
        #[serde(skip_serializing_if = "String::is_empty")]
        name: String = String::new();
        /// Name of an executor of your own, registered by the program, in place of requel's own networks (empty: none).
        #[serde(skip_serializing_if = "String::is_empty")]
        executor: String = String::new();
        /// Name of a TD rule of your own, registered by the program, in place of Q-learning's (empty: none).
        #[serde(skip_serializing_if = "String::is_empty")]
        rule: String = String::new();
        /// Discount factor.
        gamma: f64 = 0.99, in Share, unit "per environment step", tune Tuning::number(0.9, 0.999, Scale::Horizon);
        /// Where the gradient of the Bellman error flows.
        bellman_gradient: BellmanGradient = BellmanGradient::Semi;
        /// Select the next action with the online network and evaluate it with the target network.
        ///
        /// Double Q-learning (van Hasselt 2016).
        double: bool = false,
            tune Tuning::one_of(&["false", "true"])
                .when(&[Is("agent.kind", "dqn"), Is("agent.munchausen", "false"), IsNot("target.kind", "none")]);
        /// Use the Munchausen update instead of Q-learning's.
        ///
        /// Vieillard et al. 2020; its terms are in section `munchausen`.
        munchausen: bool = false;
        /// Number of rewards summed before bootstrapping.
        n_step: usize = 1, in Whole(1, 1_000), unit "environment steps",
            tune Tuning::whole(1, 10, Scale::Log).when(&[Is("agent.kind", "dqn")]);
        /// Factor applied to rewards before learning.
        ///
        /// Returns are reported as the environment gives them.
        reward_scale: f64 = 1.0, in Between(SMALL, LARGE_SQUARED);
        /// Clip rewards to plus or minus this before learning (0: no clipping).
        ///
        /// Rewards are scaled first.
        reward_clip: f64 = 0.0, in ZeroOr(SMALL, LARGE_SQUARED);
        /// Clip bootstrapped targets (auto: to what the rewards allow).
        value_clip: ValueClip = ValueClip::OFF, in UpTo(LARGE), unit "units of return",
            tune Tuning::one_of(&[r#""off""#, r#""auto""#])
                .when(&[Is("agent.kind", "dqn"), IsNot("head.kind", "categorical"), Is("agent.bellman_gradient", "semi")]);
    }
}

section! {
    /// The terms of the Munchausen update, used where `agent.munchausen` is true (Vieillard, Pietquin & Geist 2020).
    pub struct MunchausenConfig = "munchausen" {
        /// Share of the scaled log-probability that is added to the reward.
        alpha: f64 = 0.9, in Share, may change,
            tune Tuning::number(0.5, 0.99, Scale::Linear).when(&[Is("agent.munchausen", "true")]);
        /// Temperature of the softmax policy.
        temperature: f64 = 0.03, in Between(SMALL, LARGE_SQUARED), unit "units of return", may change,
            tune Tuning::number(0.003, 0.3, Scale::Log).when(&[Is("agent.munchausen", "true")]);
        /// Lower bound of the scaled log-probability.
        clip: f64 = -1.0, in NotAboveZero(-LARGE), unit "units of return", may change;
    }
}
