//! Learning a value function by the networks of `requel-nn` on the CPU.

mod batch;
mod bootstrap;
mod executor;
mod spec;

pub use bootstrap::Bootstrap;
pub use executor::CpuExecutor;
pub use spec::{CpuSpec, ExecutorShape};
