//! What is wrong with a training run that does not learn: checks of its config, its logs, its network and its replay buffer.
//!
//! [`Evidence`] is the input, as plain numbers; each check in [`checks`] is a pure function of it that names its sources, and [`findings`]
//! runs all of them. [`Watch`] runs those that only need events during training.
//!
//! ```
//! use requel::config::Layers;
//! use requel::diagnose::{Evidence, findings};
//! use requel_envs::EnvSpec;
//!
//! let config = Layers::new().preset("dqn")?.set("replay.start=70_000")?.set("train.env_steps=20_000")?.resolve()?;
//! let evidence = Evidence::new(config, EnvSpec::new("CartPole-v1"), 2);
//! assert!(findings(&evidence).iter().any(|finding| finding.check == "updates"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod all;
pub mod checks;
mod evidence;
mod gather;
mod health;
mod logs;
#[cfg(test)]
mod sick;
mod thinning;
mod watch;
mod words;

pub use all::{CHECKS, Check, findings};
pub use evidence::{Counts, EndOfTraining, Evidence, MemoryEvidence, ScorePoint};
pub use health::{LayerHealth, effective_rank, layer_health};
pub use thinning::Thinning;
pub use watch::Watch;

pub use crate::train::{Finding, Severity};
