//! Disk space, checked before training starts.

use std::path::Path;

use super::RunError;
use crate::config::Config;
use crate::state::State;
use crate::train::Trainer;

/// The total disk space that new runs will need.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    /// Checkpoints that are kept, bytes.
    kept: u64,
    /// The largest checkpoint, bytes.
    largest: u64,
}

impl Room {
    /// Adds the checkpoints that `runs` new runs with one config will leave: as many as are due, limited to the number that is kept.
    ///
    /// # Errors
    /// If the state cannot be examined.
    pub fn add(&mut self, trainer: &Trainer, runs: u64) -> Result<(), RunError> {
        let each = checkpoint_bytes(trainer)?;
        let of_all = each.saturating_mul(kept(trainer.config())).saturating_mul(runs);
        self.kept = self.kept.saturating_add(of_all);
        self.largest = self.largest.max(each);
        Ok(())
    }

    /// Compares it with the free space where `dir` is or will be, if this many runs train at once: each of them may be writing a checkpoint
    /// in addition to those that are kept.
    ///
    /// # Errors
    /// [`RunError::NoRoom`] with both figures.
    pub fn check(self, dir: &Path, at_once: usize) -> Result<(), RunError> {
        check_bytes(dir, self.kept.saturating_add(self.largest.saturating_mul(at_once as u64)))
    }
}

/// Refuses a run whose checkpoints do not fit on its disk: those that it keeps, and one that is being written.
///
/// # Errors
/// [`RunError::NoRoom`] with both figures, or if the state cannot be examined.
pub(super) fn check(dir: &Path, trainer: &Trainer) -> Result<(), RunError> {
    if trainer.env_steps() > 0 {
        // The checkpoints of a resumed run already exist.
        return check_bytes(dir, checkpoint_bytes(trainer)?);
    }
    let mut room = Room::default();
    room.add(trainer, 1)?;
    room.check(dir, 1)
}

fn check_bytes(dir: &Path, needed: u64) -> Result<(), RunError> {
    let there = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    match free_bytes(there) {
        Some(available) if needed > available => Err(RunError::NoRoom { path: dir.to_path_buf(), needed, available }),
        _ => Ok(()),
    }
}

/// The number of checkpoints that an uninterrupted training run leaves.
fn kept(config: &Config) -> u64 {
    let due = match (config.train.env_steps, config.checkpoint.every_steps) {
        // The length of training is unknown.
        (0, _) => u64::MAX,
        // The last checkpoint.
        (_, 0) => 1,
        (env_steps, every) => env_steps.div_ceil(every),
    };
    due.min(config.checkpoint.keep as u64)
}

fn checkpoint_bytes(trainer: &Trainer) -> Result<u64, RunError> {
    let config = trainer.config();
    let most = if config.train.env_steps == 0 { u64::MAX } else { config.train.env_steps };
    Ok(largest_state_bytes(&trainer.save()?, most.min(config.replay.capacity as u64)))
}

/// The size of a state once its replay buffer holds this many transitions, bytes.
fn largest_state_bytes(state: &State<'_>, transitions: u64) -> u64 {
    let bytes = state.tensors.iter().map(|(name, tensor)| {
        let row: u64 = tensor.shape.iter().skip(1).map(|axis| *axis as u64).product();
        let grown = transitions.saturating_mul(row).saturating_mul(tensor.dtype.bitsize() as u64 / 8);
        let grows = name.starts_with("replay/") && tensor.shape.len() > 1;
        (tensor.bytes.len() as u64).max(if grows { grown } else { 0 })
    });
    bytes.fold(0, u64::saturating_add)
}

/// Bytes that can still be written in a directory; `None` if the system does not say.
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
    fn no_more_checkpoints_count_than_are_due_and_kept() {
        let of = |env_steps, every_steps, keep| {
            let mut config = Config::default();
            (config.train.env_steps, config.checkpoint.every_steps, config.checkpoint.keep) =
                (env_steps, every_steps, keep);
            kept(&config)
        };
        assert_eq!([of(200, 250, 2), of(500, 250, 2), of(501, 250, 4), of(9_000, 250, 4)], [1, 2, 3, 4]);
        assert_eq!([of(200, 0, 2), of(0, 250, 3)], [1, 3], "at the end alone, and nobody knows how many");
    }

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
