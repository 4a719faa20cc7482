//! [`EnvSpec`], what is known of a world without running it, and [`EnvOptions`], what can be set when making one.

use std::collections::BTreeMap;

/// What is known of a world without running it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvSpec {
    /// The id in the registry, such as `CartPole-v1`.
    pub id: String,
    /// After how many steps an episode is truncated; `None`: never.
    pub max_episode_steps: Option<u32>,
    /// The mean return over 100 episodes at which the environment counts as solved; `None` where it has no such goal, or where an
    /// option changed what a return means.
    pub reward_threshold: Option<f64>,
    /// The lowest and the highest reward that one step can give; `None` where that is not known.
    pub reward_range: Option<(f64, f64)>,
    /// Environment steps per second at which it looks natural.
    pub frames_per_second: f32,
}

impl EnvSpec {
    /// An environment of this id of which nothing else is known: no time limit, no goal, any reward, 10 steps per second.
    ///
    /// ```
    /// use requel_envs::EnvSpec;
    ///
    /// let spec = EnvSpec { reward_range: Some((0.0, 1.0)), ..EnvSpec::new("Maze-v0") };
    /// assert_eq!((spec.id.as_str(), spec.max_episode_steps), ("Maze-v0", None));
    /// ```
    pub fn new(id: impl Into<String>) -> Self {
        EnvSpec {
            id: id.into(),
            max_episode_steps: None,
            reward_threshold: None,
            reward_range: None,
            frames_per_second: 10.0,
        }
    }
}

/// The lowest and the highest of the rewards that an environment gives, of which there is at least one.
pub(crate) fn range_of(rewards: &[f64]) -> (f64, f64) {
    rewards.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), r| (low.min(*r), high.max(*r)))
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
