//! [`AgentError`], why an agent cannot go on.

use requel_nn::SpecError;
use requel_policy::PolicyError;
use thiserror::Error;

use super::{HeadError, LearningFault};
use crate::replay::ReplayError;

/// Why a device that networks are computed on cannot be used, or not any more. What it is says who brings it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceFault {
    /// It is not there, or does not take what is asked of it: another device does, such as the CPU.
    #[error("{reason}")]
    Unusable {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// It failed while it was in use. What was saved before is whole.
    #[error("{reason}")]
    Lost {
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// Why an agent or a policy cannot be made, or cannot go on.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum AgentError {
    /// A number of learning is NaN or infinite: the weights are of no use.
    #[error(transparent)]
    NotFinite(#[from] LearningFault),
    /// What an agent or a policy of another crate fails with.
    #[error("{reason}")]
    Failed {
        /// What went wrong, and what to do.
        reason: String,
    },
    /// A part that the config names is not registered.
    #[error("`{key}` is `{name}`, which this program has not registered{}", known(registered, suggestion.as_deref()))]
    UnknownPart {
        /// The key of the config that names it.
        key: &'static str,
        /// The name.
        name: String,
        /// The nearest one that is registered, if one is near.
        suggestion: Option<String>,
        /// All that are registered for the key, by name.
        registered: Vec<String>,
    },
    /// A part that is registered has its name already.
    #[error("a part named `{name}` is registered for `{key}` already, or the name is empty")]
    NameTaken {
        /// The key of the config that names such parts.
        key: &'static str,
        /// The name.
        name: String,
    },
    /// The replay buffer does not say how probable the transitions that it draws were, which importance weights are made of.
    #[error(
        "`replay.kind` is \"prioritized\", so updates are weighted by how probable each transition was to be drawn, and this replay \
         buffer does not say that: set `replay.kind=uniform`, or have the buffer give probabilities"
    )]
    NoProbabilities,
    /// There is no network on the CPU to look at.
    #[error("the agent has no value network on the CPU: its policy has no policy file, and its values are not shown")]
    NoValueNetwork,
    /// The device that networks are computed on.
    #[error(transparent)]
    Device(#[from] DeviceFault),
    /// The network's description is no network.
    #[error(transparent)]
    Network(#[from] SpecError),
    /// The outputs cannot be learned from as asked.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The replay buffer does not fit.
    #[error("{}{}", key_of(.0), .0)]
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
    /// The policy cannot be made, or not act on what it is given.
    #[error(transparent)]
    Policy(PolicyError),
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
    /// An agent that learns from unbroken rows of steps, and environments that break them.
    #[error(
        "{id} begins a new episode in the place of a step, and this agent learns from rows of steps of which none is missing: have it reset within the step, or use an agent with a replay buffer"
    )]
    BrokenRows {
        /// The environment.
        id: String,
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

/// What there is in the place of a part that is not registered.
fn known(registered: &[String], suggestion: Option<&str>) -> String {
    let all = || registered.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match suggestion {
        Some(name) => format!(": did you mean `{name}`?"),
        None if registered.is_empty() => ", and it has registered no other".into(),
        None => format!("; it has {}", all()),
    }
}

/// The key of the config that a replay buffer cannot be made by.
fn key_of(error: &ReplayError) -> &'static str {
    match error {
        ReplayError::OutOfMemory { .. } | ReplayError::TooLarge { .. } => "`replay.capacity`: ",
        ReplayError::NoPictures { .. } => "`replay.augmentation`: ",
        _ => "",
    }
}

impl From<PolicyError> for AgentError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Network(error) => AgentError::Network(error),
            PolicyError::OutOfRange(error) => AgentError::Head(error.into()),
            error => AgentError::Policy(error),
        }
    }
}
