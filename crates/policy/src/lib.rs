//! Load a policy that requel trained, and act: this is what a product ships.
//!
//! `requel export --format safetensors` writes the file, as does every run (`best/policy.safetensors`). [`SavedPolicy`] is its contents,
//! [`GreedyPolicy`] acts with it.
//!
//! ```
//! use requel_policy::SavedPolicy;
//!
//! // Or `SavedPolicy::from_bytes`, where there are no files.
//! let saved = SavedPolicy::read("examples/cartpole.safetensors".as_ref())?;
//! assert_eq!(saved.env_id, "CartPole-v1");
//! let mut policy = saved.into_policy(1)?;
//!
//! let observation = [0.01, -0.02, 0.03, 0.04];
//! let action = policy.act(&observation, None)?;
//! let values = policy.q_values(&observation)?;
//! assert_eq!(values.len(), 2);
//! assert!(values.iter().all(|value| *value <= values[action]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An observation is what the network read in training: numbers in the environment's order, frames stacked as [`SavedPolicy::description`]
//! says, a discrete observation as one-hot numbers. The same observation gives the same bits on every machine, as in training.
//!
//! [`Values`] computes the values of actions without choosing one; a [`Readout`] says what a network's outputs mean, and a [`Reader`] reads
//! them accordingly. Once a policy has been created, acting allocates nothing. Whatever a file contains, the result is a policy or an
//! error, never a panic.
//!
//! # What it brings along
//!
//! At most a dozen crates, including this one, and no `unsafe` except in the kernels of `requel-nn`. It compiles for wasm32. The feature
//! `threads` lets large networks use several threads (rayon); `serde` is for programs that write policies.
//!
//! # What this crate does not do
//!
//! Training and environments: those are in `requel`, which uses this crate. Writing files: `requel`'s `PolicyFile` does that.

#![forbid(unsafe_code)]

mod argmax;
mod description;
mod error;
mod greedy;
mod load_error;
mod reader;
mod readout;
mod saved_policy;
mod support;
mod tensors;
mod unique_keys;
mod values;

pub use argmax::{argmax, argmax_allowed};
pub use error::{OutOfRange, PolicyError};
pub use greedy::GreedyPolicy;
pub use load_error::LoadError;
pub use reader::Reader;
pub use readout::{CategoricalReader, ImplicitQuantileReader, Mean, QuantileReader, Readout, ScalarReader, ValueSpec};
pub use saved_policy::SavedPolicy;
pub use support::Support;
pub use unique_keys::check_unique_keys;
pub use values::Values;
