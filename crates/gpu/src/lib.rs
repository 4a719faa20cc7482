//! requel's networks on a CUDA device, with the bits of the CPU. **Experimental: it has not run on a card yet.**
//!
//! Every sum of [`requel_nn`] has one order, which its scalar twin writes out. Here one thread of the device computes one whole sum in
//! that order, so that a network gives the same bits on the device as on the CPU, at every batch size and on every card: pieces that a
//! block of threads brings to its shared memory split a sum in time, never between threads. What a compiler could round otherwise is
//! spelled out operation by operation, and the kernels travel as PTX in which every operation says how it rounds.
//!
//! [`Driver`] is NVIDIA's driver, loaded at run time: if there is none, that is only an error. [`Card`] is one of its devices.
//! [`DeviceNetworks`] is a network there, with its slower copy, its optimiser and the passes of an update.
//!
//! The kernels are `kernels/*.cu`. `cargo xtask ptx` compiles them to `kernels/requel.ptx`, which is all that users need: no toolkit, no
//! cuBLAS, no cuDNN. Tests compile the same source for the host, behind their own driver library (`kernels/host`).
//!
//! # What this crate does not do
//!
//! Reinforcement learning: the meaning of outputs, targets, losses and priorities are in `requel`, on the host. [`GpuExecutor`] is
//! `requel`'s own executor with its networks on a device; [`Cuda`] chooses between that and the CPU, according to `train.device`.

#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

#[allow(unsafe_code)]
mod driver;
mod error;
mod executor;
mod network;
mod networks;
#[cfg(feature = "twin")]
pub mod twin;

pub use driver::{Card, Driver, Launching};
pub use error::DeviceError;
pub use executor::{Cuda, GpuExecutor, GpuNetworks, WORTH_A_CARD};
pub use networks::{DeviceNetworks, Look, MOST_LOOKS, NetworksSpec, Numbers, Step};
