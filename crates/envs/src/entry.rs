//! [`Entry`], one line of the registry, declared in the file of an environment.

use crate::options::{OptionSpec, Options};
use crate::{Env, EnvError, EnvSpec, MetricSpec, OverEpisode};

/// The result of creating an environment.
pub(crate) type MadeEnv = Result<Box<dyn Env>, EnvError>;

/// One line of the registry.
pub(crate) struct Entry {
    pub id: &'static str,
    pub max_episode_steps: Option<u32>,
    pub reward_threshold: Option<f64>,
    /// The lowest and the highest reward of a step with the default options, if known.
    pub reward_range: Option<(f64, f64)>,
    pub frames_per_second: f32,
    /// A word for each action with the default options; empty if there is none, or if the options determine it.
    pub action_names: &'static [&'static str],
    /// A word for each number of an observation; empty if there is none, or if the options determine it.
    pub observation_names: &'static [&'static str],
    /// The metrics of each step, and how those of an episode are combined.
    pub metrics: &'static [(&'static str, OverEpisode)],
    pub options: &'static [OptionSpec],
    /// Creates the environment without its time limit.
    pub build: fn(EnvSpec, &Options<'_>) -> MadeEnv,
}

impl Entry {
    /// Its specification.
    pub fn spec(&self) -> EnvSpec {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        EnvSpec {
            id: self.id.into(),
            max_episode_steps: self.max_episode_steps,
            reward_threshold: self.reward_threshold,
            reward_range: self.reward_range,
            frames_per_second: self.frames_per_second,
            action_names: owned(self.action_names),
            observation_names: owned(self.observation_names),
            metrics: self.metrics.iter().map(|(name, over_episode)| MetricSpec::new(*name, *over_episode)).collect(),
            heeds_seeds: true,
        }
    }
}
