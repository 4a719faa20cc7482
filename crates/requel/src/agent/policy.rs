//! [`GreedyPolicy`], what remains when learning is over.

use requel_nn::{Network, NetworkSpec, Workspace};

use super::AgentError;
use crate::td::argmax_allowed;

/// Acts by the greatest Q-value, and does nothing else. Small enough to ship.
#[derive(Debug)]
pub struct GreedyPolicy {
    network: Network,
    parameters: Vec<f32>,
    workspace: Workspace,
}

impl GreedyPolicy {
    /// A policy that can look at up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If `spec` is no network.
    ///
    /// # Panics
    /// If `parameters` has not as many numbers as the network has parameters.
    pub fn new(spec: &NetworkSpec, parameters: Vec<f32>, max_rows: usize) -> Result<Self, AgentError> {
        let network = Network::with_kernel(spec, requel_nn::kernel::select()?)?;
        assert_eq!(parameters.len(), network.parameter_count(), "one number per parameter");
        let workspace = Workspace::new(&network, max_rows);
        Ok(GreedyPolicy { network, parameters, workspace })
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
        let rows = observations.len() / self.network.input_len();
        assert_eq!(rows * self.network.input_len(), observations.len(), "a whole number of observations");
        self.workspace.input_mut(rows).copy_from_slice(observations);
        self.network.forward(&self.parameters, rows, &mut self.workspace)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
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
        self.network.output_len()
    }
}
