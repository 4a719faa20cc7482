//! [`Entry`], one line of the registry, as the file of an environment declares it.

use crate::options::{OptionSpec, Options};
use crate::{Env, EnvError, EnvSpec, MetricSpec, OverEpisode};

/// What making an environment gives.
pub(crate) type MadeEnv = Result<Box<dyn Env>, EnvError>;

/// One line of the registry.
pub(crate) struct Entry {
    pub id: &'static str,
    pub max_episode_steps: Option<u32>,
    pub reward_threshold: Option<f64>,
    /// The lowest and the highest reward of a step with the standard options, where they are known.
    pub reward_range: Option<(f64, f64)>,
    pub frames_per_second: f32,
    /// A word for each action with the standard options; empty where there is none, or the options decide.
    pub action_names: &'static [&'static str],
    /// A word for each number of an observation; empty where there is none, or the options decide.
    pub observation_names: &'static [&'static str],
    /// What it reports of each step, and what an episode's come to.
    pub metrics: &'static [(&'static str, OverEpisode)],
    pub options: &'static [OptionSpec],
    /// Makes the environment without its time limit.
    pub build: fn(EnvSpec, &Options<'_>) -> MadeEnv,
}

impl Entry {
    /// What is known of it.
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
