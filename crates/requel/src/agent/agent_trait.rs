//! [`Agent`], a policy that also learns.

use super::{AgentError, DeviceUse, Experience, Learned, Masks, Policy, ValueNetwork};
use crate::state::{State, StateError};
use crate::transition::Batch;

/// The actions of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions {
    /// How many there are.
    pub count: usize,
    /// Whether some are not allowed at times.
    pub masked: bool,
}

impl From<usize> for Actions {
    /// So many actions, all allowed always.
    fn from(count: usize) -> Self {
        Actions { count, masked: false }
    }
}

/// Some of the transitions that an agent learns from, for a look at them.
#[derive(Clone, Debug, PartialEq)]
pub struct MemorySample {
    /// Rows × observation length.
    pub observations: Vec<f32>,
    /// Actions, rewards, discounts and the like of the same rows.
    pub columns: Batch,
}

/// What acts, explores and learns from what it is shown. It need be no network, nor compute on this machine.
///
/// Its owner, such as the [`Trainer`](crate::Trainer), calls per step of its environments: [`Agent::act`], [`Agent::observe`] once
/// per environment, then [`Agent::learn`]. An agent whose work failed is of no use any more.
pub trait Agent: Send {
    /// Chooses an action for each environment after `env_steps` env steps. `observations` is environments ×
    /// observation length; `masks` says which actions the environments allow.
    ///
    /// # Errors
    /// If whatever computes it fails.
    fn act(
        &mut self,
        observations: &[f32],
        masks: Masks<'_>,
        env_steps: u64,
        actions: &mut [usize],
    ) -> Result<(), AgentError>;

    /// Takes note of a step, once per environment and in the order of the slots.
    fn observe(&mut self, experience: &Experience<'_>);

    /// Takes note that a step of environment `slot` was dropped: what is shown of it next does not follow what was shown
    /// before, and no transition may span both. Called in the place of [`Agent::observe`].
    fn interrupt(&mut self, slot: usize);

    /// Whether it learns from rows of steps of which none is missing, so that each [`Agent::interrupt`] costs all that it has
    /// collected. It is not trained in environments that begin episodes in the place of a step
    /// ([`BatchEnv::resets_in_next_step`](requel_envs::BatchEnv::resets_in_next_step)).
    fn needs_unbroken_rows(&self) -> bool {
        false
    }

    /// Learns what is due now that the count of env steps went from `before` to `after`.
    ///
    /// # Errors
    /// [`AgentError::NotFinite`] at the first number that is not finite, or whatever else keeps it from learning.
    fn learn(&mut self, before: u64, after: u64) -> Result<Learned, AgentError>;

    /// Makes so many updates from what it has been shown, whether they are due or not, as after `env_steps` env steps: learning from
    /// a data set, or from what others collect.
    ///
    /// # Errors
    /// If there is not enough to learn from, or the agent learns only as it acts; else as [`Agent::learn`].
    fn update(&mut self, _updates: u64, _env_steps: u64) -> Result<Learned, AgentError> {
        Err(AgentError::Failed { reason: "this agent learns only as it acts, not from what is stored".into() })
    }

    /// What it has learned so far, as a policy of its own for up to `rows` observations at once. It does not explore and does not
    /// change when the agent goes on to learn.
    ///
    /// # Errors
    /// If the policy cannot be made.
    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError>;

    /// Reports how learning stands after `env_steps` env steps in numbers by name. Logs have places of their own for `epsilon` and
    /// `learning_rate`; the others are logged as `agent/NAME`.
    fn statistics(&self, _env_steps: u64, _report: &mut dyn FnMut(&str, f64)) {}

    /// The network of values that it learns, where there is one on the CPU. The policy file, values to look at and the layers that
    /// `diagnose` examines come from it; all else goes without.
    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        None
    }

    /// On which device it computes, where networks of this crate or of its accelerators do.
    fn device(&self) -> Option<DeviceUse> {
        None
    }

    /// Takes other weights in place of those that it began with; all else is as new. Called before the first step.
    ///
    /// # Errors
    /// If there are not as many as it has, or it has none to take.
    fn begin_from(&mut self, _parameters: &[f32]) -> Result<(), StateError> {
        Err(StateError::new("agent", "cannot begin from other weights"))
    }

    /// Takes the replay buffer of a saved state. Called before the first step.
    ///
    /// # Errors
    /// If it has no such buffer, or the state has none that fits.
    fn begin_with_replay(&mut self, _state: &State<'_>) -> Result<(), StateError> {
        Err(StateError::new("replay", "is not used: the agent has no replay buffer"))
    }

    /// Adds the state of what it has learned: all that [`Agent::save`] adds but what it has stored to learn from.
    fn save_learned<'a>(&'a self, state: &mut State<'a>) {
        self.save(state);
    }

    /// Takes over what [`Agent::save_learned`] added, and begins with nothing stored. Called before the first step.
    ///
    /// # Errors
    /// If it is not the state of an agent like this one, which is of no use then; or it can begin with none.
    fn begin_with_learned(&mut self, _state: &State<'_>) -> Result<(), StateError> {
        Err(StateError::new("agent", "cannot begin with what another one has learned"))
    }

    /// How many transitions its replay buffer holds; `None` where it has none.
    fn stored(&self) -> Option<usize> {
        None
    }

    /// Up to `most` of the transitions that it learns from, evenly from all that it keeps. Changes nothing. `None` where it
    /// keeps none, or they cannot be looked at.
    fn sample_memory(&self, _most: usize) -> Option<MemorySample> {
        None
    }

    /// Lets what is large be computed by up to `threads` threads from now on; the same bits for every number of them.
    fn set_threads(&mut self, _threads: usize) {}

    /// Brings what it has learned to where [`Agent::save`] finds it, before that is called. What learns on another device than the one
    /// that saves does it here, where that can fail.
    ///
    /// # Errors
    /// If it is not to be had any more.
    fn prepare_save(&self) -> Result<(), AgentError> {
        Ok(())
    }

    /// Adds the complete state.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Takes over a state.
    ///
    /// # Errors
    /// If it is no state of an agent like this one; the agent is of no use then.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
