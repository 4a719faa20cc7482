//! [`GpuExecutor`].

use requel::Machine;
use requel::agent::{AgentError, ExecutorShape, ExecutorSpec, NetworksPlan, ValueExecutor};

use super::GpuNetworks;
use crate::{Card, Launching};

/// A value function learned by networks on a device: the executor of `requel`, with its networks there. The meaning of an update stays on
/// the host and is the same for every device, and so is what is saved.
pub type GpuExecutor = ValueExecutor<GpuNetworks>;

impl GpuNetworks {
    /// An executor for updates of this shape on a card.
    ///
    /// # Errors
    /// As [`requel::agent::CpuExecutor::new`], and if the card cannot be used.
    pub fn executor(
        card: &Card,
        spec: &ExecutorSpec,
        shape: ExecutorShape,
        machine: &Machine,
    ) -> Result<GpuExecutor, AgentError> {
        let make = |plan: NetworksPlan| GpuNetworks::new(card, plan, Launching::Graph);
        ValueExecutor::with_networks(spec, shape, machine, make)
    }
}
