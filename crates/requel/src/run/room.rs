//! Room on the disk, counted before training starts.

use std::path::Path;

use super::{Run, RunError};
use crate::state::State;
use crate::train::Trainer;

/// Refuses a run whose checkpoints cannot all lie on its disk.
///
/// # Errors
/// [`RunError::NoRoom`] with both figures, or what keeps the state from being looked at.
pub(super) fn check(run: &Run, trainer: &Trainer) -> Result<(), RunError> {
    let checkpoint = &trainer.config().checkpoint;
    let one = largest_state_bytes(&trainer.try_save()?, trainer.config().replay.capacity as u64);
    // Those that are kept, and one that is being written; those of a resumed run are there already.
    let there = trainer.env_steps() > 0;
    let needed = one.saturating_mul(if there { 1 } else { checkpoint.keep as u64 + 1 });
    match free_bytes(run.dir()) {
        Some(available) if needed > available => {
            Err(RunError::NoRoom { path: run.dir().to_path_buf(), needed, available })
        }
        _ => Ok(()),
    }
}

/// As [`check`], for a run whose directory may not be there yet.
pub(super) fn check_new(dir: &Path, trainer: &Trainer) -> Result<(), RunError> {
    let one = largest_state_bytes(&trainer.try_save()?, trainer.config().replay.capacity as u64);
    let needed = one.saturating_mul(trainer.config().checkpoint.keep as u64 + 1);
    match free_bytes(dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."))) {
        Some(available) if needed > available => Err(RunError::NoRoom { path: dir.to_path_buf(), needed, available }),
        _ => Ok(()),
    }
}

/// How many bytes a state comes to once its replay buffer is full.
fn largest_state_bytes(state: &State<'_>, capacity: u64) -> u64 {
    let bytes = state.tensors.iter().map(|(name, tensor)| {
        let row: u64 = tensor.shape.iter().skip(1).map(|axis| *axis as u64).product();
        let grown = capacity.saturating_mul(row).saturating_mul(tensor.dtype.bitsize() as u64 / 8);
        let grows = name.starts_with("replay/") && tensor.shape.len() > 1;
        (tensor.bytes.len() as u64).max(if grows { grown } else { 0 })
    });
    bytes.fold(0, u64::saturating_add)
}

/// Bytes that can still be written in a directory; `None` where the system does not say.
#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_counts_as_if_it_were_full() {
        let (weights, records) = ([0.0f32; 10], [0u32; 6]);
        let mut state = State::default();
        state.put_f32("network/weights", vec![2, 5], &weights);
        state.put_u32("replay/records", vec![2, 3], &records);
        assert_eq!(largest_state_bytes(&state, 1_000), 40 + 1_000 * 3 * 4);
        assert_eq!(largest_state_bytes(&state, 1), 40 + 2 * 3 * 4);
        assert_eq!(largest_state_bytes(&state, u64::MAX), u64::MAX);
    }
}
