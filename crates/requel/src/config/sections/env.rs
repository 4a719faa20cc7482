//! The environment and how it is created.

use std::collections::BTreeMap;

use crate::config::declare::Range::{Share, Whole};
use crate::config::declare::section;

section! {
    /// The environment and the wrappers around it.
    pub struct EnvConfig = "env" {
        /// Id of the environment (see `requel envs`).
        id: String = "CartPole-v1".into();
        /// Number of frames to stack (1: no stacking).
        frame_stack: usize = 1, in Whole(1, 1_000);
        /// Number of times that each action is applied, with the rewards summed (1: once).
        action_repeat: u32 = 1, in Whole(1, 1_000);
        /// Probability that the previous action is applied instead of the chosen one.
        sticky_actions: f64 = 0.0, in Share, unit "per frame";
    }
    also {
        /// Options of the environment, by name.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        options: BTreeMap<String, toml::Value> = BTreeMap::new();
    }
}
