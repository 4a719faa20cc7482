//! Room on the disk, counted before training starts.

use std::path::Path;

use super::RunError;
use crate::state::State;
use crate::train::Trainer;

/// What new runs will take of a disk, added up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    needed: u64,
}

impl Room {
    /// Counts the checkpoints of `runs` new runs of one training: those that are kept, and one that is being written.
    ///
    /// # Errors
    /// What keeps the state from being looked at.
    pub fn add(&mut self, trainer: &Trainer, runs: u64) -> Result<(), RunError> {
        let checkpoints = (trainer.config().checkpoint.keep as u64).saturating_add(1);
        let each = checkpoint_bytes(trainer)?.saturating_mul(checkpoints);
        self.needed = self.needed.saturating_add(each.saturating_mul(runs));
        Ok(())
    }

    /// Holds it against what is free where `dir` is or will be.
    ///
    /// # Errors
    /// [`RunError::NoRoom`] with both figures.
    pub fn check(self, dir: &Path) -> Result<(), RunError> {
        let there = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
        match free_bytes(there) {
            Some(available) if self.needed > available => {
                Err(RunError::NoRoom { path: dir.to_path_buf(), needed: self.needed, available })
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a run whose checkpoints cannot all lie on its disk.
///
/// # Errors
/// [`RunError::NoRoom`] with both figures, or what keeps the state from being looked at.
pub(super) fn check(dir: &Path, trainer: &Trainer) -> Result<(), RunError> {
    let mut room = Room::default();
    match trainer.env_steps() {
        0 => room.add(trainer, 1)?,
        // The checkpoints of a resumed run are there already.
        _ => room.needed = checkpoint_bytes(trainer)?,
    }
    room.check(dir)
}

fn checkpoint_bytes(trainer: &Trainer) -> Result<u64, RunError> {
    Ok(largest_state_bytes(&trainer.save()?, trainer.config().replay.capacity as u64))
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
