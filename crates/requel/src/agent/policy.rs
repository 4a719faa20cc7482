//! [`GreedyPolicy`], what remains when learning is over.

use requel_nn::Network;

use super::{AgentError, ValueSpec, Values};
use crate::td::argmax_allowed;

/// Acts by the greatest Q-value, and does nothing else. Small enough to ship.
///
/// Noisy layers take the means of their weights.
#[derive(Debug)]
pub struct GreedyPolicy {
    values: Values,
    parameters: Vec<f32>,
}

impl GreedyPolicy {
    /// A policy that can look at up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If `spec` is no value function.
    ///
    /// # Panics
    /// If `parameters` has not as many numbers as the network has parameters.
    pub fn new(spec: &ValueSpec, parameters: Vec<f32>, max_rows: usize) -> Result<Self, AgentError> {
        let values = Values::new(spec, max_rows)?;
        assert_eq!(parameters.len(), values.network().parameter_count(), "one number per parameter");
        Ok(GreedyPolicy { values, parameters })
    }

    /// The action for one observation, among those that `mask` allows.
    ///
    /// # Panics
    /// If the observation has another length than the network's input.
    pub fn act(&mut self, observation: &[f32], mask: Option<&[bool]>) -> usize {
        argmax_allowed(self.q_values(observation), mask)
    }

    /// The value of each action, observations × actions.
    ///
    /// # Panics
    /// If `observations` is no whole number of observations, or of more than the policy was made for.
    pub fn q_values(&mut self, observations: &[f32]) -> &[f32] {
        self.values.q_values(&self.parameters, observations)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.values.network()
    }

    /// Its parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Takes other parameters, for the same network.
    ///
    /// # Panics
    /// If there are not as many as the network has.
    pub fn set_parameters(&mut self, parameters: &[f32]) {
        self.parameters.copy_from_slice(parameters);
    }

    /// How many actions it chooses from.
    pub fn actions(&self) -> usize {
        self.values.actions()
    }
}
