//! [`EnvSpec`], what is known of a world without running it, and [`EnvOptions`], what can be set when making one.

use std::collections::BTreeMap;

/// What is known of a world without running it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvSpec {
    /// The id in the registry, such as `CartPole-v1`.
    pub id: String,
    /// After how many steps an episode is truncated; `None`: never.
    pub max_episode_steps: Option<u32>,
    /// The mean return over 100 episodes at which the world counts as solved.
    pub reward_threshold: Option<f64>,
    /// World steps per second at which it looks natural.
    pub frames_per_second: f32,
}

/// The value of an option of a world.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list of texts (the rows of a map).
    List(Vec<String>),
}

/// The options that a world is made with, by name (Gymnasium's keyword arguments).
pub type EnvOptions = BTreeMap<String, OptionValue>;
