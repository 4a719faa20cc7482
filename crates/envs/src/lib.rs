//! Environments for reinforcement learning, with Gymnasium's semantics and seeding, bit for bit.
//!
//! An environment is an [`Env`]: reset it, step it, save and restore it, draw it. [`make`] creates one from the registry by the id that it
//! has in Gymnasium, and [`specs`] lists all of them:
//!
//! ```
//! use requel_envs::{Env, SpaceSampler, make};
//!
//! let mut env = make("CartPole-v1")?;
//! let mut actions = SpaceSampler::new(env.action_space(), 42)?;
//! let mut observation = vec![0.0; env.observation_len()];
//!
//! env.reset(Some(42), &mut observation)?; // the very state that Gymnasium's reset(seed=42) gives
//! let mut total = 0.0;
//! loop {
//!     let step = env.step(actions.discrete().into(), &mut observation)?;
//!     total += step.reward;
//!     if step.terminated {
//!         println!("the pole fell at {} rad after {total} steps", observation[2]);
//!         break;
//!     }
//!     if step.truncated {
//!         println!("it still stands after {total} steps: a value function should look beyond this end");
//!         break;
//!     }
//! }
//! assert!(total >= 1.0);
//! # Ok::<(), requel_envs::EnvError>(())
//! ```
//!
//! # What is in here
//!
//! - [`Env`], [`Step`] and [`Action`], the contract, and [`conformance::check`], the contract as a function for tests.
//! - [`Space`], [`EnvSpec`], [`EnvOptions`]: what can be known about an environment, and set, before it runs.
//! - [`Dynamics`] and [`Simulation`]: an environment from only its rules; [`closure::from_closures`]: from two closures.
//! - [`TimeLimit`] and the other [`wrappers`]: environments around environments.
//! - [`VectorEnv`]: several environments stepped into one contiguous batch, through their [`BatchEnv`] if they have one; [`AutoresetEnv`]:
//!   the same with Gymnasium's ways of continuing after the end of an episode.
//! - [`GymRng`] and [`SpaceSampler`]: the random numbers of numpy and Gymnasium.
//! - [`Scene`]: an environment as shapes in its own units or as pixels, for any renderer.
//! - The environments: [`classic`] control, [`tabular`] environments with few states, the [`minatar`] games, [`toy`] environments for
//!   testing agents.
//!
//! # What is not in here
//!
//! Learning: `requel` does that. Pictures: a [`Scene`] describes what is visible, and a renderer elsewhere draws it. Files, clocks, and
//! randomness without a seed: nothing in this crate uses them. Threads are only used if a [`VectorEnv`] is told to (feature `threads`), and
//! change no result. There is no `unsafe` code.
//!
//! # The same bits everywhere
//!
//! For the same seed, options and actions an environment gives the same observations, rewards and flags on every machine, and the same as
//! Gymnasium 1.4: recorded traces of the original are part of the tests. State is kept in `f64` and follows the original's order of
//! operations; sine and cosine are evaluated by this crate itself and are almost always correctly rounded.
#![forbid(unsafe_code)]

mod action_list;
mod autoreset;
mod batch;
mod divide;
mod entry;
mod env;
mod error;
mod math;
mod metrics;
mod options;
mod registry;
mod scene;
mod seeding;
mod simulation;
mod slots;
mod space;
mod spec;
mod state;
mod time_limit;
mod vector;

pub mod classic;
pub mod closure;
pub mod conformance;
pub mod minatar;
pub mod tabular;
pub mod toy;
pub mod wrappers;

pub use action_list::action_list;
pub use autoreset::{Autoreset, AutoresetEnv};
pub use batch::BatchEnv;
pub use env::{Action, Env, Step, check_description};
pub use error::{EnvError, ForeignError};
pub use metrics::{AddedUp, MetricSpec, OverEpisode};
pub use options::{OptionDefault, OptionSpec, nearest};
pub use registry::{Registry, make, make_with, option_specs, specs};
pub use scene::{Color, Pixels, Point, Scene, Shape, View};
pub use seeding::{GymRng, SpaceSampler};
pub use simulation::{Dynamics, Simulation};
pub use space::{DType, Space};
pub use spec::{EnvOptions, EnvSpec, OptionValue};
pub use state::{StateError, StateReader, StateWriter};
pub use time_limit::TimeLimit;
pub use vector::VectorEnv;

pub(crate) use env::check_observation;
