//! Training in environments that are Python objects: the link between `requel`'s traits and Gymnasium's methods.

mod agent_loop;
mod blocks;
mod choice;
mod config;
mod env;
mod errors;
mod events;
mod in_memory;
mod numbers;
mod run;
mod source;
mod training;
mod vector;

pub use agent_loop::AgentLoop;
pub use blocks::{Collector, Learner};
pub use config::{Config, config_sections, is_own_env, preset_settings, presets};
pub use run::{program_in, run_record, run_saves_envs};
pub use training::Training;
