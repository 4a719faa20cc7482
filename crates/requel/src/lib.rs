//! Deep Q-learning with experience replay: fast, exact, resumable.
//!
//! [`Trainer`] is the main type: created from a [`Config`], it steps environments, has an [`Agent`] act and learn, scores the greedy
//! policy, and passes events to [`Observer`]s. The result is a function of the config: the same seed gives the same bits on every machine.
//!
//! ```
//! use requel::Trainer;
//! use requel::config::Layers;
//!
//! let config = Layers::new().preset("cartpole")?.set("train.env_steps=2_000")?.resolve()?;
//! let mut trainer = Trainer::new(config)?;
//! let outcome = trainer.run(&mut ())?;
//! println!("{:.1} over {} episodes", outcome.best_evaluation.mean_return(), outcome.best_evaluation.episodes());
//!
//! let mut policy = trainer.policy()?;
//! let action = policy.act(&[0.0, 0.0, 0.05, 0.0], None)?;
//! assert!(action < 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Around it:
//! - [`config`]: presets, files and single settings in layers, with errors that say where.
//! - [`replay`], [`td`], [`agent`]: the components of an algorithm, each usable by itself.
//! - [`run`]: a directory with config, logs, best policy and checkpoints; [`run::Session`] trains in it and resumes from it.
//! - [`export`]: a policy as ONNX.
//! - [`stats`]: the interquartile mean, bootstrap intervals and the probability of improvement over seeds.
//! - [`study`]: variants × seeds on all cores, and their comparison.
//! - [`tune`]: a search for better settings.
//! - [`diagnose`]: what is wrong with a training run that does not learn.
//! - [`checkpoint`], [`state`], [`storage`]: the complete state on disk, either complete and verified or not there.
//!
//! Environments are those of [`requel_envs`], or your own: registered by id in a [`Registry`], or passed to [`Trainer::with_envs`]. You can
//! also bring your own agent, with [`Trainer::from_parts`], and your own components for a [`DqnAgent`]: what executes a network, the replay
//! buffer, the exploration.
//!
//! # What this crate does not do
//!
//! It does not print, parse arguments or draw pictures: the program, `requel-cli`, does. It does not execute networks itself: that is
//! [`requel_nn`].
#![forbid(unsafe_code)]

pub mod agent;
pub mod checkpoint;
pub mod config;
pub mod diagnose;
mod experience;
mod exploration;
pub mod export;
mod finite;
mod identity;
mod log;
mod machine;
mod masks;
pub mod memory;
pub mod policy_file;
mod protobuf;
mod registry;
pub mod replay;
mod rng;
pub mod run;
mod schedule;
pub mod state;
pub mod stats;
pub mod storage;
pub mod study;
mod suggest;
pub mod td;
pub mod train;
mod transition;
pub mod tune;
mod unique_keys;

pub use agent::{Agent, DqnAgent, GreedyPolicy, Policy};
pub use config::Config;
pub use experience::{Experience, ExperienceBatch, OwnedExperience};
pub use exploration::{Boltzmann, Choice, EpsilonGreedy, Explorer};
pub use machine::Machine;
pub use masks::Masks;
pub use registry::Registry;
pub use rng::{Stream, StreamRng};
pub use schedule::{Schedule, ScheduleFunction};
pub use suggest::{nearest, unknown_env_hint};
pub use train::{Observer, Outcome, TrainEvent, Trainer};
pub use transition::{Batch, BatchMut, ElementType, ObservationsMut, Transition, mask_words};
