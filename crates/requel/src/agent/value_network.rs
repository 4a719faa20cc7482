//! [`ValueNetwork`], a view of the network of an agent that has one on the CPU.

use requel_nn::Network;

use super::{AgentError, GreedyPolicy, ValueSpec, Values};

/// The value function of an agent that is a network on the CPU: used for its policy file, for showing its values, and for examining its
/// layers.
#[derive(Clone, Copy)]
pub struct ValueNetwork<'a> {
    /// Its specification.
    pub spec: &'a ValueSpec,
    /// The network.
    pub network: &'a Network,
    /// The network's parameters.
    pub parameters: &'a [f32],
}

impl ValueNetwork<'_> {
    /// Its greedy policy, for up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If the network cannot be created on this machine.
    pub fn greedy(&self, max_rows: usize) -> Result<GreedyPolicy, AgentError> {
        let values = Values::with_kernel(self.spec, max_rows, self.network.kernel())?;
        Ok(GreedyPolicy::of_values(values, self.parameters.to_vec())?)
    }
}
