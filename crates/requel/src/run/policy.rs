//! The policy of a run, whatever kind of agent learned it.

use super::{Run, RunError};
use crate::agent::Policy;
use crate::registry::Registry;
use crate::storage::Storage;
use crate::train::Trainer;

impl Run {
    /// Its best policy so far, for up to `rows` observations at once, in an environment of the registry: from its file or, if its agent's
    /// policy is not a value network and so has no file, from the newest checkpoint.
    ///
    /// # Errors
    /// If there is none yet, it cannot be read or differs from what the run was sealed with, or run and policy belong to an environment
    /// other than the registry's.
    pub fn policy(&self, registry: &Registry, rows: usize) -> Result<Box<dyn Policy>, RunError> {
        match self.best_policy() {
            Ok(policy) => {
                let checked = policy.check_env(&*self.env(registry)?).and_then(|()| policy.into_policy(rows));
                Ok(Box::new(checked.map_err(|error| error.in_file(&self.best_policy_path()))?))
            }
            Err(error @ RunError::NoPolicy { .. }) => {
                let mut trainer = self.trainer(registry)?;
                if trainer.agent().value_network().is_some() {
                    // Its agent writes a file, but has not done so yet.
                    return Err(error);
                }
                trainer.restore(&self.newest_checkpoint()?.state)?;
                Ok(trainer.policy_for(rows)?)
            }
            Err(error) => Err(error),
        }
    }
}

/// Writes the best policy of a run through the storage of the process that has it, if its agent writes a policy file.
pub(super) fn write_best_policy(
    storage: &dyn Storage,
    run: &Run,
    trainer: &Trainer,
    parameters: &[f32],
) -> Result<(), RunError> {
    trainer.policy_file(parameters).map_or(Ok(()), |policy| run.write_best_policy(storage, &policy).map(drop))
}
