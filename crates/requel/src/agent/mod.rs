//! Agents: policies that act, and learners that improve them.

mod actor;
mod agent_trait;
mod dqn;
mod head;
mod learner;
mod measure;
mod memory;
mod policy;
mod policy_file;
mod pqn;
mod pytorch_import;
mod statistics;
mod target;
mod values;

pub use actor::{Actor, Situation};
pub use agent_trait::{Actions, Agent, AgentError, Experience, Learned, LearningFault, MemorySample};
pub use dqn::DqnAgent;
pub use head::{
    CategoricalHead, FractionCounts, Head, HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate, ImplicitQuantileHead,
    QuantileHead, Rule, ScalarHead,
};
#[cfg(test)]
pub(crate) use learner::poison;
pub use policy::GreedyPolicy;
pub use policy_file::{PolicyFile, PolicyFileError};
pub use pqn::PqnAgent;
pub use pytorch_import::{PytorchError, PytorchMlp};
pub use statistics::{Statistic, Statistics, dormant_units};
pub use target::TargetNetwork;
pub use values::{ValueHead, ValueSpec, Values};
