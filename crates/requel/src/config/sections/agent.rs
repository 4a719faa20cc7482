//! The learner and its rule.

use serde::{Deserialize, Serialize};

use crate::config::ValueClip;

/// The learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentKind {
    /// Learns from each transition as it comes, once, without replay.
    Naive,
    /// Deep Q-learning with experience replay.
    Dqn,
    /// Parallelised Q-network: λ-returns over parallel environments, without replay and target network (Gallici et al. 2024).
    Pqn,
}

/// Where the gradient of the Bellman error flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BellmanGradient {
    /// Through `q(s, a)` alone; the target counts as a constant (Sutton & Barto 2018, on semi-gradient methods).
    Semi,
    /// Through the target too: residual-gradient Q-learning (Baird 1995).
    Residual,
}

/// The learning rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentConfig {
    /// The learner.
    pub kind: AgentKind,
    /// Discount per env step, 0 to 1.
    pub gamma: f64,
    /// Where the gradient flows.
    pub bellman_gradient: BellmanGradient,
    /// The online network chooses the next action, the target network values it (van Hasselt 2016).
    pub double: bool,
    /// Munchausen's rule in place of Q-learning's (Vieillard 2020); see [`MunchausenConfig`].
    pub munchausen: bool,
    /// Rewards that a target adds up before it relies on the network's value, env steps.
    pub n_step: usize,
    /// What rewards are multiplied by before they are learned from; returns are told as the environment gives them.
    pub reward_scale: f64,
    /// Rewards are cut to ± this before they are learned from, after scaling; 0: not.
    pub reward_clip: f64,
    /// Whether targets that rely on the network's own values are clipped, and to what.
    pub value_clip: ValueClip,
}

impl Default for AgentConfig {
    fn default() -> Self {
        AgentConfig {
            kind: AgentKind::Dqn,
            gamma: 0.99,
            bellman_gradient: BellmanGradient::Semi,
            double: false,
            munchausen: false,
            n_step: 1,
            reward_scale: 1.0,
            reward_clip: 0.0,
            value_clip: ValueClip::OFF,
        }
    }
}

/// Munchausen's terms (Vieillard, Pietquin & Geist 2020).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MunchausenConfig {
    /// Share of the scaled log-probability that is added to the reward, 0 to 1.
    pub alpha: f64,
    /// Temperature τ of the softmax policy, in units of return.
    pub temperature: f64,
    /// The scaled log-probability is cut off below this, at most 0.
    pub clip: f64,
}

impl Default for MunchausenConfig {
    fn default() -> Self {
        MunchausenConfig { alpha: 0.9, temperature: 0.03, clip: -1.0 }
    }
}
