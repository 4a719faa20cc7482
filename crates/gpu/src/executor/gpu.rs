//! [`GpuExecutor`].

use requel::Machine;
use requel::agent::{AgentError, ExecutorShape, ExecutorSpec, NetworksPlan, ValueExecutor};

use super::GpuNetworks;
use crate::{Card, Launching};

/// A value function that networks on a device learn: the executor of `requel`, with its networks there. What an update means stays on the
/// host, and is the same for every device; so is what is saved.
pub type GpuExecutor = ValueExecutor<GpuNetworks>;

impl GpuNetworks {
    /// An executor of updates of this shape on a card.
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
