//! Learning a value function: the definition of an update, independent of the device that computes its networks.

mod batch;
mod bootstrap;
mod executor;
mod networks;
mod saving;
mod spec;
mod update;

pub use bootstrap::Bootstrap;
pub use executor::ValueExecutor;
pub use networks::{Inputs, Lists, Look, LookRooms, LookSize, Networks, NetworksPlan, OptimizerLists, Step, StepHow};
pub use spec::{ExecutorShape, ExecutorSpec};
