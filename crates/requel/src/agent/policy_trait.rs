//! [`Policy`], which acts but no longer learns.

use super::{AgentError, Masks};

/// The input of a policy: one row for each of some environments.
#[derive(Clone, Copy, Debug)]
pub struct PolicyInput<'a> {
    /// Rows × observation length.
    pub observations: &'a [f32],
    /// The slot of each row: which of the parallel environments it comes from.
    pub slots: &'a [usize],
    /// Which actions the environment of each row allows.
    pub masks: Masks<'a>,
}

/// Chooses actions in several parallel environments. Choosing changes nothing except what the policy remembers of an episode.
///
/// A policy with memory, such as a recurrent network, keeps it per slot and clears it in [`Policy::begin`]; a policy without memory does
/// nothing there.
pub trait Policy: Send {
    /// An action for each row.
    ///
    /// # Errors
    /// If the observations or masks do not fit the policy, or the computation fails.
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError>;

    /// Called when an episode starts in this slot.
    fn begin(&mut self, _slot: usize) {}

    /// The values of the actions in the last [`Policy::choose`], rows × actions; `None` if the policy has no values.
    fn values(&self) -> Option<&[f32]> {
        None
    }

    /// The numbers of an observation and the actions that it was created for; `None` if it accepts any.
    fn shape(&self) -> Option<(usize, usize)> {
        None
    }

    /// Everything that was learned, as numbers: a checkpoint stores those of the best policy, and the hash of a training run is computed
    /// from them.
    fn parameters(&self) -> &[f32];

    /// Takes the numbers of another policy of its kind.
    ///
    /// # Errors
    /// If their number is wrong.
    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError>;

    /// The action for one observation of slot 0, among those that `mask` allows.
    ///
    /// # Errors
    /// As [`Policy::choose`].
    fn act(&mut self, observation: &[f32], mask: Option<&[bool]>) -> Result<usize, AgentError> {
        let mut action = [0];
        let input = PolicyInput { observations: observation, slots: &[0], masks: mask.into() };
        self.choose(&input, &mut action)?;
        Ok(action[0])
    }
}
