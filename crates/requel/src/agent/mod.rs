//! Agents: policies that act, and learners that improve them.

mod actor;
mod agent_trait;
mod cpu;
mod device;
mod dqn;
mod error;
mod executor;
mod head;
mod learned;
mod learner;
mod measure;
mod memory;
#[cfg(test)]
pub(crate) mod poison;
mod policy;
mod policy_trait;
mod pqn;
mod statistics;
mod target;
mod value_executor;
mod value_network;

pub use actor::{Actor, Situation};
pub use agent_trait::{Actions, Agent, MemorySample};
pub use cpu::{CpuExecutor, CpuNetworks};
pub use device::{Accelerator, DeviceName, DeviceUse, NoSuchName};
pub use dqn::{DqnAgent, DqnParts, DqnSpec, LearnsFrom};
pub use error::{AgentError, DeviceFault};
pub use executor::Executor;
pub use head::{
    CategoricalHead, CategoricalSpec, FractionCounts, HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate,
    ImplicitQuantileHead, ImplicitQuantileSpec, QuantileHead, QuantileSpec, ScalarHead, ScalarSpec, ValueLoss,
};
pub use learned::{Learned, LearningFault};
pub use learner::LearnerSpec;
pub use policy_trait::{Policy, PolicyInput};
pub use pqn::{PqnAgent, PqnSpec};
pub use requel_policy::{
    CategoricalReader, GreedyPolicy, ImplicitQuantileReader, LoadError, Mean, PolicyError, QuantileReader, Reader,
    Readout, SavedPolicy, ScalarReader, ValueSpec, Values,
};
pub use statistics::{Statistic, Statistics, dormant_share, dormant_units};
pub use target::TargetSpec;
pub use value_executor::{
    Bootstrap, ExecutorShape, ExecutorSpec, Inputs, Lists, Look, LookRooms, LookSize, Networks, NetworksPlan,
    OptimizerLists, Step, StepHow, ValueExecutor,
};
pub use value_network::ValueNetwork;

pub use crate::experience::Experience;
pub use crate::masks::Masks;
