//! [`ValueNetwork`], a look at the network of an agent that has one here.

use requel_nn::Network;

use super::{AgentError, GreedyPolicy, ValueSpec, Values};

/// The value function of an agent that is a network on the CPU: what its policy file is made of, and what shows its values and
/// looks into its layers.
#[derive(Clone, Copy)]
pub struct ValueNetwork<'a> {
    /// What it is.
    pub spec: &'a ValueSpec,
    /// The network.
    pub network: &'a Network,
    /// The network's parameters.
    pub parameters: &'a [f32],
}

impl ValueNetwork<'_> {
    /// Its greedy policy, which can look at up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If the network cannot be made on this machine.
    pub fn greedy(&self, max_rows: usize) -> Result<GreedyPolicy, AgentError> {
        let values = Values::with_kernel(self.spec, max_rows, self.network.kernel())?;
        Ok(GreedyPolicy::of_values(values, self.parameters.to_vec())?)
    }
}
