//! Hyperparameters of other libraries as a config: YAML of RL Baselines3 Zoo, and YAML or JSON objects of the names of
//! Stable-Baselines3 and CleanRL.

mod defaults;
mod given;
mod imported;
mod python;
mod translation;
mod yaml;

pub use imported::import;
