//! [`Policy`], what acts and no longer learns.

use super::{AgentError, Masks};

/// What a policy is to act on: a row for each of some environments.
#[derive(Clone, Copy, Debug)]
pub struct PolicyInput<'a> {
    /// Rows × observation length.
    pub observations: &'a [f32],
    /// The slot of each row: which of the environments side by side it was seen in.
    pub slots: &'a [usize],
    /// Which actions the environment of each row allows.
    pub masks: Masks<'a>,
}

/// Chooses actions in several environments side by side, and does not change by it but for what it remembers of an episode.
///
/// A policy with a memory, such as a recurrent network, keeps it by slot and empties it in [`Policy::begin`]; one without has
/// nothing to do there.
pub trait Policy: Send {
    /// An action for each row.
    ///
    /// # Errors
    /// If the observations or masks are of another shape than the policy's, or whatever computes it fails.
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError>;

    /// Takes note that an episode begins in this slot.
    fn begin(&mut self, _slot: usize) {}

    /// The values of the actions by which the last [`Policy::choose`] chose, rows × actions; `None` of a policy that has none.
    fn values(&self) -> Option<&[f32]> {
        None
    }

    /// Numbers of an observation and actions that it was made for; `None` where it takes what comes.
    fn shape(&self) -> Option<(usize, usize)> {
        None
    }

    /// All that was learned, as numbers: a checkpoint keeps those of the best policy, and the hash of a training is theirs.
    fn parameters(&self) -> &[f32];

    /// Takes those of another policy of its kind.
    ///
    /// # Errors
    /// If they are not as many.
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
