//! [`AgentError`], why an agent cannot continue.

use requel_nn::SpecError;
use requel_policy::PolicyError;
use thiserror::Error;

use super::{HeadError, LearningFault};
use crate::replay::ReplayError;

/// Why a device that networks are computed on cannot be used, or can no longer be used. The text comes from the crate that provides the
/// device.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceFault {
    /// It does not exist, or cannot do what is requested: use another device, such as the CPU.
    #[error("{reason}")]
    Unusable {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// It failed while in use. What was saved before is intact.
    #[error("{reason}")]
    Lost {
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// Why an agent or a policy cannot be created, or cannot continue.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum AgentError {
    /// A number in learning is NaN or infinite: the weights are useless.
    #[error(transparent)]
    NotFinite(#[from] LearningFault),
    /// An error of an agent or policy from another crate.
    #[error("{reason}")]
    Failed {
        /// What went wrong, and what to do.
        reason: String,
    },
    /// A component named in the config is not registered.
    #[error("`{key}` is `{name}`, but this program has not registered it{}", known(registered, suggestion.as_deref()))]
    UnknownPart {
        /// The key of the config that names it.
        key: &'static str,
        /// The name.
        name: String,
        /// The most similar registered name, if there is one.
        suggestion: Option<String>,
        /// All names registered for the key.
        registered: Vec<String>,
    },
    /// A registered component already has this name.
    #[error("a component named `{name}` is already registered for `{key}`, or the name is empty")]
    NameTaken {
        /// The key of the config that names such components.
        key: &'static str,
        /// The name.
        name: String,
    },
    /// The replay buffer does not return the probabilities of the transitions it draws, which importance weights need.
    #[error(
        "`replay.kind` is \"prioritized\", so updates need the probability with which each transition was drawn, and \
         this replay buffer does not give it: set `replay.kind=uniform`, or have the buffer return probabilities"
    )]
    NoProbabilities,
    /// There is no network on the CPU to inspect.
    #[error(
        "the agent has no value network on the CPU: its policy cannot be written to a policy file, and its values \
             cannot be shown"
    )]
    NoValueNetwork,
    /// The device that networks are computed on.
    #[error(transparent)]
    Device(#[from] DeviceFault),
    /// The description of the network is invalid.
    #[error(transparent)]
    Network(#[from] SpecError),
    /// The outputs cannot be learned in the requested way.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The replay buffer does not fit.
    #[error("{}{}", key_of(.0), .0)]
    Replay(#[from] ReplayError),
    /// Networks and batches do not fit.
    #[error(
        "networks and batches need about {}, but only {} of memory are available: use a smaller `network.hidden` or \
         `replay.batch_size`",
        crate::memory::display_bytes(*needed), crate::memory::display_bytes(*available)
    )]
    OutOfMemory {
        /// Bytes that they need, approximately.
        needed: u64,
        /// Bytes available.
        available: u64,
    },
    /// The policy cannot be created, or cannot act on its input.
    #[error(transparent)]
    Policy(PolicyError),
    /// A policy used in an environment of another shape.
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
    /// An agent that needs uninterrupted sequences of steps, in environments that interrupt them.
    #[error(
        "{id} spends a step on starting a new episode, and this agent needs every step: have the environment reset \
         within the step, or use an agent with a replay buffer"
    )]
    BrokenRows {
        /// The environment.
        id: String,
    },
    /// The environment's actions are not a finite set.
    #[error(
        "{id} has continuous actions, but a value-based agent needs discrete ones: wrap it in `Discretize`, or set its \
         option `env.options.discretize` if it has one"
    )]
    ContinuousActions {
        /// The environment.
        id: String,
    },
}

/// What is registered instead of a missing component.
fn known(registered: &[String], suggestion: Option<&str>) -> String {
    let all = || registered.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match suggestion {
        Some(name) => format!(": did you mean `{name}`?"),
        None if registered.is_empty() => ", nor any other".into(),
        None => format!("; it has {}", all()),
    }
}

/// The key of the config that prevents a replay buffer from being created.
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
