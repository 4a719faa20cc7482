//! [`Agent`], a policy that also learns.

use super::{AgentError, DeviceUse, Experience, Learned, Masks, Policy, ValueNetwork};
use crate::state::{State, StateError};
use crate::transition::Batch;

/// The actions of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions {
    /// The number of actions.
    pub count: usize,
    /// Whether some of them are not allowed at times.
    pub masked: bool,
}

impl From<usize> for Actions {
    /// This many actions, all of them always allowed.
    fn from(count: usize) -> Self {
        Actions { count, masked: false }
    }
}

/// A sample of the transitions that an agent learns from, for inspection.
#[derive(Clone, Debug, PartialEq)]
pub struct MemorySample {
    /// Rows × observation length.
    pub observations: Vec<f32>,
    /// Actions, rewards, discounts and so on of the same rows.
    pub columns: Batch,
}

/// Acts, explores, and learns from what it observes. It need not be a network, nor compute on this machine.
///
/// Its owner, such as the [`Trainer`](crate::Trainer), calls for each step of its environments: [`Agent::act`], [`Agent::observe`] once per
/// environment, then [`Agent::learn`]. An agent whose work has failed must not be used any more.
pub trait Agent: Send {
    /// Chooses an action for each environment after `env_steps` env steps. `observations` is environments ×
    /// observation length; `masks` says which actions the environments allow.
    ///
    /// # Errors
    /// If the computation fails.
    fn act(
        &mut self,
        observations: &[f32],
        masks: Masks<'_>,
        env_steps: u64,
        actions: &mut [usize],
    ) -> Result<(), AgentError>;

    /// Observes a step; called once per environment, in the order of the slots.
    fn observe(&mut self, experience: &Experience<'_>);

    /// Records that a step of environment `slot` was dropped: the next step of that environment does not follow the previous one, and no
    /// transition may span the gap. Called instead of [`Agent::observe`].
    fn interrupt(&mut self, slot: usize);

    /// Whether it learns from uninterrupted sequences of steps, so that each [`Agent::interrupt`] costs it everything collected so far.
    /// Such an agent is not trained in environments that spend a step on starting an episode
    /// ([`BatchEnv::resets_in_next_step`](requel_envs::BatchEnv::resets_in_next_step)).
    fn needs_unbroken_rows(&self) -> bool {
        false
    }

    /// Makes the updates that are due now that the count of env steps has gone from `before` to `after`.
    ///
    /// # Errors
    /// [`AgentError::NotFinite`] at the first number that is not finite, or any other reason why it cannot learn.
    fn learn(&mut self, before: u64, after: u64) -> Result<Learned, AgentError>;

    /// Makes this many updates from what it has observed, whether they are due or not, as of `env_steps` env steps: for learning from a
    /// data set, or from what others collect.
    ///
    /// # Errors
    /// If there is not enough data, or the agent learns only while it acts; otherwise as for [`Agent::learn`].
    fn update(&mut self, _updates: u64, _env_steps: u64) -> Result<Learned, AgentError> {
        Err(AgentError::Failed { reason: "this agent learns only while it acts, not from stored transitions".into() })
    }

    /// What it has learned so far, as an independent policy for up to `rows` observations at once. The policy does not explore, and does
    /// not change when the agent continues to learn.
    ///
    /// # Errors
    /// If the policy cannot be created.
    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError>;

    /// Reports the state of learning after `env_steps` env steps as named numbers. Logs have dedicated places for `epsilon` and
    /// `learning_rate`; the others are logged as `agent/NAME`.
    fn statistics(&self, _env_steps: u64, _report: &mut dyn FnMut(&str, f64)) {}

    /// Its value network, if it has one on the CPU. The policy file, the display of values and the layers that `diagnose` examines come
    /// from it; everything else works without it.
    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        None
    }

    /// The device it computes on, if it uses networks of this crate or of its accelerators.
    fn device(&self) -> Option<DeviceUse> {
        None
    }

    /// Replaces its initial weights; everything else stays new. Called before the first step.
    ///
    /// # Errors
    /// If the number of weights is wrong, or it cannot take any.
    fn begin_from(&mut self, _parameters: &[f32]) -> Result<(), StateError> {
        Err(StateError::new("agent", "cannot start from other weights"))
    }

    /// Takes the replay buffer from a saved state. Called before the first step.
    ///
    /// # Errors
    /// If it has no replay buffer, or the state contains none that fits.
    fn begin_with_replay(&mut self, _state: &State<'_>) -> Result<(), StateError> {
        Err(StateError::new("replay", "is not used: the agent has no replay buffer"))
    }

    /// Adds the state of what it has learned: everything that [`Agent::save`] adds except the stored transitions.
    fn save_learned<'a>(&'a self, state: &mut State<'a>) {
        self.save(state);
    }

    /// Restores what [`Agent::save_learned`] added, and starts with nothing stored. Called before the first step.
    ///
    /// # Errors
    /// If the state is not that of an agent like this one, which must then not be used any more; or if the agent cannot start from such a
    /// state.
    fn begin_with_learned(&mut self, _state: &State<'_>) -> Result<(), StateError> {
        Err(StateError::new("agent", "cannot start from what another agent has learned"))
    }

    /// How many transitions its replay buffer holds; `None` if it has no replay buffer.
    fn stored(&self) -> Option<usize> {
        None
    }

    /// Up to `most` of the transitions it learns from, spread evenly over all that it keeps. Changes nothing. `None` if it keeps none, or
    /// they cannot be inspected.
    fn sample_memory(&self, _most: usize) -> Option<MemorySample> {
        None
    }

    /// Allows up to `threads` threads for large computations from now on; the bits are the same for every number of threads.
    fn set_threads(&mut self, _threads: usize) {}

    /// Moves what it has learned to where [`Agent::save`] can read it; called before that. An agent that learns on another device copies
    /// its state here, since the copy can fail.
    ///
    /// # Errors
    /// If the state can no longer be read.
    fn prepare_save(&self) -> Result<(), AgentError> {
        Ok(())
    }

    /// Adds the complete state.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Restores a state.
    ///
    /// # Errors
    /// If the state is not that of an agent like this one; the agent must then not be used any more.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
