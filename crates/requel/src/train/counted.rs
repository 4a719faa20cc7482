//! [`Counted`]: what [`Aggregates`] are made of; and what an agent has learned, as numbers and as their hash.

use std::borrow::Cow;

use super::returns::Returns;
use super::{Aggregates, TrainError};
use crate::agent::{Agent, Learned};

/// Statistics that the agent reports under these names are part of [`Aggregates`].
pub(super) const PARTS_OF_AGGREGATES: [&str; 2] = ["epsilon", "learning_rate"];

/// The parameters of an agent's current policy.
pub(super) fn parameters(agent: &dyn Agent) -> Result<Cow<'_, [f32]>, TrainError> {
    Ok(match agent.value_network() {
        Some(network) => Cow::Borrowed(network.parameters),
        None => Cow::Owned(agent.policy(1)?.parameters().to_vec()),
    })
}

/// BLAKE3 of the parameters of an agent's current policy as little-endian `f32`, hexadecimal.
pub(super) fn weights_blake3(agent: &dyn Agent) -> Result<String, TrainError> {
    Ok(blake3::hash(bytemuck::cast_slice(&parameters(agent)?)).to_hex().to_string())
}

/// The counts of a training run, since its start or since the last report.
pub(super) struct Counted<'a> {
    pub agent: &'a dyn Agent,
    pub env_steps: u64,
    pub updates: u64,
    pub returns: &'a Returns,
    /// The results of updates since the last report.
    pub learned: &'a Learned,
    /// Mean return and length of the latest evaluation.
    pub evaluation: Option<(f64, f64)>,
}

impl Counted<'_> {
    pub fn aggregates(&self) -> Aggregates {
        let learned = self.learned;
        let per_update = |sum: f64| (learned.updates > 0).then(|| sum / learned.updates as f64);
        let means = self.returns.means();
        let (mut epsilon, mut learning_rate) = (None, None);
        self.agent.statistics(self.env_steps, &mut |name, value| match name {
            "epsilon" => epsilon = Some(value),
            "learning_rate" => learning_rate = Some(value),
            _ => {}
        });
        Aggregates {
            env_steps: self.env_steps,
            episodes: self.returns.episodes,
            updates: self.updates,
            return_mean: means.map(|(return_, _)| return_),
            length_mean: means.map(|(_, length)| length),
            loss: per_update(learned.loss_sum),
            mean_q: per_update(learned.q_sum),
            evaluation_return: self.evaluation.map(|(return_, _)| return_),
            evaluation_length: self.evaluation.map(|(_, length)| length),
            epsilon,
            learning_rate,
            statistics: learned.statistics,
        }
    }
}
