//! requel's networks on a CUDA device, with the bits of the CPU. **Experimental: it has not run on a card yet.**
//!
//! Every sum of [`requel_nn`] has one order, which its scalar twin writes out. Here one thread of the device computes one whole sum in
//! that order, so that a network gives the same bits on the device as on the CPU, at every batch size and on every card: pieces that a
//! block of threads brings to its shared memory split a sum in time, never between threads. What a compiler could round otherwise is
//! spelled out operation by operation, and the kernels travel as PTX in which every operation says how it rounds.
//!
//! [`Driver`] is NVIDIA's driver, loaded when the program runs: where there is none, that is an error and no more. [`Card`] is one of its
//! devices. [`DeviceNetworks`] is a network there, with its slower copy, its optimiser and the passes of an update.
//!
//! The kernels are `kernels/*.cu`. `cargo xtask ptx` makes `kernels/requel.ptx` of them, which is what users need: no toolkit, no
//! cuBLAS, no cuDNN. Tests compile the same source for the host, behind a driver library of their own (`kernels/host`).
//!
//! # What this crate does not do
//!
//! No reinforcement learning: what outputs mean, targets, losses and priorities are `requel`'s, on the host. [`GpuExecutor`] is `requel`'s
//! own executor, with its networks on a device; [`Cuda`] chooses between that and the CPU, as `train.device` asks.

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
