//! The networks of `requel-nn` on the CPU.

mod networks;

pub use networks::{CpuExecutor, CpuNetworks};
