//! The CUDA driver: its library, a device, memory, and programs that run on it. The only place with `unsafe`.

mod api;
mod card;
mod kernel;
mod launch;
mod memory;
mod program;
mod span;

pub use card::{Card, Driver};
pub(crate) use launch::{Conv2d, FACTORS, REPORT_BYTES, Shape};
pub(crate) use memory::{Memory, Staging};
pub use program::Launching;
pub(crate) use program::{Program, Runner, Taken};
pub(crate) use span::{Layout, Numbers, OnDevice, OnHost, Staged};
