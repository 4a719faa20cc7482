//! Continuing a run, with its own settings or with others.

use super::RunError;
use crate::config::Change;
use crate::train::{Termination, Trainer};

/// Whether a run continues with its existing settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settings {
    /// With its own.
    Kept,
    /// With those of the trainer.
    Changed,
}

/// Refuses a budget that is used up, and one that has no effect because training ended for another reason.
pub(super) fn check_goes_on(trainer: &Trainer, changes: &[Change]) -> Result<(), RunError> {
    let is_changed = |key: &str| changes.iter().any(|change| change.key == key);
    let budgets = ["train.env_steps", "train.episodes"];
    let (true, Some(termination)) = (budgets.into_iter().any(is_changed), trainer.termination()) else { return Ok(()) };
    let (train, made) = (&trainer.config().train, trainer.aggregates());
    let reason = match termination {
        Termination::BudgetUsed if train.env_steps > 0 && made.env_steps >= train.env_steps => {
            format!("`train.env_steps` is {}, but {} env steps have been made", train.env_steps, made.env_steps)
        }
        Termination::BudgetUsed => {
            format!("`train.episodes` is {}, but {} are finished", train.episodes, made.episodes)
        }
        _ => "its greedy policy has already reached the return that stops training: set `evaluation.stop_after` to 0 \
              as well"
            .into(),
    };
    Err(RunError::StaysOver { reason })
}
