//! Agents: policies that act, and learners that improve them.

mod agent_trait;
mod dqn;
mod head;
mod policy;
mod policy_file;
mod target;

pub use agent_trait::{Agent, AgentError, Experience, Learned};
pub use dqn::DqnAgent;
pub use head::{
    CategoricalHead, FractionCounts, Head, HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate, ImplicitQuantileHead,
    QuantileHead, Rule, ScalarHead,
};
pub use policy::GreedyPolicy;
pub use policy_file::{PolicyFile, PolicyFileError};
pub use target::TargetNetwork;
