//! Checks whether an agent fits into memory; the replay buffer checks that itself.

use requel_nn::{Network, Workspace};

use super::AgentError;
use crate::memory::Memory;

/// Refuses an executor that needs `parts` bytes in addition to its network's parameters if that much is not available.
pub(super) fn check(network: &Network, parts: &[u64], memory: Memory) -> Result<(), AgentError> {
    // The online and the target parameters, the gradient, the optimiser's two averages.
    let parameters = 5 * 4 * network.parameter_count() as u64;
    check_bytes(parts.iter().fold(parameters, |sum, part| sum.saturating_add(*part)), memory)
}

/// Refuses to allocate this many bytes if that much is not available.
pub(super) fn check_bytes(needed: u64, memory: Memory) -> Result<(), AgentError> {
    match memory.short_of(needed) {
        Some(available) => Err(AgentError::OutOfMemory { needed, available }),
        None => Ok(()),
    }
}

/// Bytes of a workspace for this many rows, with this many fractions each.
pub(super) fn workspace(network: &Network, rows: usize, fractions: usize) -> u64 {
    Workspace::bytes_needed_with_fractions(network, rows, fractions).map_or(u64::MAX, |bytes| bytes as u64)
}
