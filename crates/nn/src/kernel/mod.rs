//! The kernels: the few routines that use nearly all the time, one set for each instruction set.
//!
//! Every set gives the same bits as [`crate::reference`]. This module and those below it are the only place in the
//! project where `unsafe` is allowed.

// Where there are no vector registers, such as on wasm32, the scalar twin does everything.
#![cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code, unused))]

mod array;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod conv2d;
mod dense;
mod dense_block;
mod elementwise;
mod engine;
mod entry;
mod join;
mod layer_norm;
pub mod limit;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
mod product;
mod routine;
mod rows;
pub(crate) mod scalar_fma;
pub(crate) mod scalar_math;
mod select;
mod simd;
mod task;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use conv2d::conv2d_scratch_len;
pub(crate) use dense_block::DenseBlock;
pub(crate) use engine::Engine;
pub use select::{Kernel, KernelError, select};
pub use task::Task;
