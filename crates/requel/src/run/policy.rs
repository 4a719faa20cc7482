//! The policy of a run, whatever kind of agent has learned it.

use super::{Run, RunError};
use crate::agent::Policy;
use crate::registry::Registry;
use crate::storage::Storage;
use crate::train::Trainer;

impl Run {
    /// Its best policy so far, for up to `rows` observations at once, in an environment that the registry has: that of its file, or,
    /// of an agent whose policy is no network of values and so has no file, that of the newest checkpoint.
    ///
    /// # Errors
    /// If there is none yet, it cannot be read or is not what the run was sealed with, or run and policy are of another environment
    /// than the registry has.
    pub fn policy(&self, registry: &Registry, rows: usize) -> Result<Box<dyn Policy>, RunError> {
        match self.best_policy() {
            Ok(policy) => {
                let checked = policy.check_env(&*self.env(registry)?).and_then(|()| policy.into_policy(rows));
                Ok(Box::new(checked.map_err(|error| error.in_file(&self.best_policy_path()))?))
            }
            Err(error @ RunError::NoPolicy { .. }) => {
                let mut trainer = self.trainer(registry)?;
                if trainer.agent().value_network().is_some() {
                    // Its agent leaves a file, and has none yet.
                    return Err(error);
                }
                trainer.restore(&self.newest_checkpoint()?.state)?;
                Ok(trainer.policy_for(rows)?)
            }
            Err(error) => Err(error),
        }
    }
}

/// Writes the best policy of a run through the storage of whoever holds it, where its agent leaves a file of one.
pub(super) fn write_best_policy(
    storage: &dyn Storage,
    run: &Run,
    trainer: &Trainer,
    parameters: &[f32],
) -> Result<(), RunError> {
    trainer.policy_file(parameters).map_or(Ok(()), |policy| run.write_best_policy(storage, &policy).map(drop))
}
