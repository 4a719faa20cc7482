//! [`Agent`], a policy that also learns.

use requel_envs::Step;
use requel_nn::{Network, SpecError};
use thiserror::Error;

use super::{HeadError, Statistics, ValueSpec};
use crate::replay::ReplayError;
use crate::state::{State, StateError};
use crate::transition::Batch;

/// One step of one environment, as the trainer shows it to an agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Experience<'a> {
    /// Which of the parallel environments.
    pub slot: usize,
    /// What was seen before the action.
    pub observation: &'a [f32],
    /// Which actions the environment allowed then; `None`: all.
    pub mask: Option<&'a [bool]>,
    /// The index of the action.
    pub action: usize,
    /// What the environment said: reward, terminated, truncated.
    pub step: Step,
    /// What was seen after it: at the end of an episode its true last observation.
    pub next_observation: &'a [f32],
    /// Which actions the environment allows there; `None`: all.
    pub next_mask: Option<&'a [bool]>,
}

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

/// What one or more updates came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Learned {
    /// How many updates.
    pub updates: u64,
    /// Sum over the updates of the batch's mean loss.
    pub loss_sum: f64,
    /// Sum over the updates of the batch's mean q(s, a) of the actions that were taken.
    pub q_sum: f64,
    /// What else is known of them.
    pub statistics: Statistics,
    /// What went wrong, if something did; nothing more was learned then.
    pub fault: Option<LearningFault>,
}

/// A number of learning that is NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningFault {
    /// Where: `loss`, `mean q`, `gradient` or `weight`.
    pub site: &'static str,
    /// The number.
    pub value: f32,
}

impl Learned {
    /// What one update came to, before it was made: the mean loss of its batch and the mean q(s, a).
    pub(crate) fn update(loss: f32, mean_q: f32) -> Self {
        let faulty = [("loss", loss), ("mean q", mean_q)].into_iter().find(|(_, value)| !value.is_finite());
        let fault = faulty.map(|(site, value)| LearningFault { site, value });
        let (loss_sum, q_sum) = (f64::from(loss), f64::from(mean_q));
        Learned { updates: 1, loss_sum, q_sum, fault, ..Learned::default() }
    }

    /// Adds another report to this one.
    pub fn add(&mut self, other: Learned) {
        self.updates += other.updates;
        self.loss_sum += other.loss_sum;
        self.q_sum += other.q_sum;
        if other.updates > 0 {
            self.statistics.add(&other.statistics);
        }
        self.fault = self.fault.or(other.fault);
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

/// Why an agent cannot be made.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum AgentError {
    /// The network's description is no network.
    #[error(transparent)]
    Network(#[from] SpecError),
    /// The outputs cannot be learned from as asked.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The replay buffer does not fit.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Networks and batches do not fit.
    #[error(
        "networks and batches need about {} and {} of memory are available: use smaller `network.hidden` or `replay.batch_size`",
        crate::memory::display_bytes(*needed), crate::memory::display_bytes(*available)
    )]
    OutOfMemory {
        /// Bytes that they need, about.
        needed: u64,
        /// Bytes that there are.
        available: u64,
    },
    /// `REQUEL_KERNEL` names a kernel that this machine does not have.
    #[error(transparent)]
    Kernel(#[from] requel_nn::KernelError),
    /// The network's outputs do not go with what they are to mean.
    #[error("a network of {outputs} outputs cannot be read as {head}")]
    HeadMismatch {
        /// Outputs of the network.
        outputs: usize,
        /// What they were to mean.
        head: String,
    },
    /// Numbers that are not observations of this network.
    #[error("{found} numbers are not whole observations of {expected}")]
    ObservationLength {
        /// How many numbers there are.
        found: usize,
        /// How many numbers an observation has.
        expected: usize,
    },
    /// More observations at once than a policy was made for.
    #[error("{found} observations at once are more than the {most} that this policy was made for")]
    TooManyObservations {
        /// How many there are.
        found: usize,
        /// How many it can look at.
        most: usize,
    },
    /// A mask that is not of the policy's actions.
    #[error("an action mask of {found} flags does not go with {expected} actions")]
    MaskLength {
        /// How many flags there are.
        found: usize,
        /// How many actions.
        expected: usize,
    },
    /// Parameters of another network.
    #[error("{found} parameters are not those of a network that has {expected}")]
    ParameterCount {
        /// How many there are.
        found: usize,
        /// How many the network has.
        expected: usize,
    },
    /// A policy that is to act in an environment of another shape.
    #[error(
        "a policy for observations of {} numbers and {} actions cannot act in {id}, which has {} and {}",
        policy.0, policy.1, environment.0, environment.1
    )]
    OtherShape {
        /// The environment.
        id: String,
        /// Numbers of an observation and actions of the policy.
        policy: (usize, usize),
        /// Numbers of an observation and actions of the environment.
        environment: (usize, usize),
    },
    /// The environment's actions are no finite set.
    #[error(
        "{id} has continuous actions and a value-based agent needs discrete ones: wrap it in `Discretize`, or set its option `env.options.discretize` if it has one"
    )]
    ContinuousActions {
        /// The environment.
        id: String,
    },
}

/// A policy that explores and learns from what it is shown.
///
/// The trainer calls, per step of its environments: [`Agent::act`], [`Agent::observe`] once per environment, then
/// [`Agent::learn`].
pub trait Agent: Send {
    /// Chooses an action per environment, exploring as after `env_steps` env steps. `observations` is environments ×
    /// observation length; `mask(slot)` says which actions an environment allows.
    fn act<'m>(
        &mut self,
        observations: &[f32],
        mask: &dyn Fn(usize) -> Option<&'m [bool]>,
        env_steps: u64,
        actions: &mut [usize],
    );

    /// Takes note of a step, once per environment and in the order of the slots.
    fn observe(&mut self, experience: &Experience<'_>);

    /// Takes note that a step of environment `slot` was dropped: what is shown of it next does not follow what was shown
    /// before, and no transition may span both. Called in the place of [`Agent::observe`].
    fn interrupt(&mut self, slot: usize);

    /// Learns what is due now that the count of env steps went from `before` to `after`.
    ///
    /// Stops at the first number that is not finite and reports it: the weights are of no use then.
    fn learn(&mut self, before: u64, after: u64) -> Learned;

    /// The ε in force after `env_steps` env steps.
    fn epsilon(&self, env_steps: u64) -> f64;

    /// The learning rate in force after `env_steps` env steps.
    fn learning_rate(&self, env_steps: u64) -> f64;

    /// Updates made so far.
    fn updates(&self) -> u64;

    /// Actions of the environment.
    fn actions(&self) -> usize {
        self.network().output_len() / self.value_spec().head.atoms()
    }

    /// The value function whose greedy policy is learned.
    fn value_spec(&self) -> &ValueSpec;

    /// Its network.
    fn network(&self) -> &Network;

    /// That network's parameters.
    fn parameters(&self) -> &[f32];

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

    /// Up to `most` of the transitions that it learns from, evenly from all that it keeps. Changes nothing. `None` where it
    /// keeps none, or they cannot be looked at.
    fn sample_memory(&self, _most: usize) -> Option<MemorySample> {
        None
    }

    /// Lets large networks be computed by up to `threads` threads from now on; the same bits for every number of them.
    fn set_threads(&mut self, threads: usize);

    /// Adds the complete state.
    fn save<'a>(&'a self, state: &mut State<'a>);

    /// Adds of the state what is large and written row by row, with its [`Writes`](crate::state::Writes), and nothing else: who
    /// saves can follow it from time to time.
    fn save_large<'a>(&'a self, _state: &mut State<'a>) {}

    /// Takes over a state.
    ///
    /// # Errors
    /// If it is no state of an agent with this config; the agent is of no use then.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
}
