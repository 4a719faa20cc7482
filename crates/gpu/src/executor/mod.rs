//! `requel`'s executor on a device.

mod cuda;
mod gpu;
mod networks;

pub use cuda::{Cuda, WORTH_A_CARD};
pub use gpu::GpuExecutor;
pub use networks::GpuNetworks;
