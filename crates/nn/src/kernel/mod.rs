//! The kernels: the few routines that all the time goes into, one set for each instruction set.
//!
//! Every set gives the same bits as [`crate::reference`]. This module and those below it are the only place in the
//! project where `unsafe` is allowed.

mod routine;
mod select;

pub use select::{Kernel, KernelError, select};
