//! [`EnvSpec`], what is known about an environment without running it, and [`EnvOptions`], the options for creating one.

use std::collections::BTreeMap;

use crate::{EnvError, MetricSpec};

/// What is known about an environment without running it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvSpec {
    /// The id in the registry, such as `CartPole-v1`.
    pub id: String,
    /// The number of steps after which an episode is truncated; `None`: never.
    pub max_episode_steps: Option<u32>,
    /// The mean return over 100 episodes at which the environment counts as solved; `None` if it has no such goal, or if an option changed
    /// the meaning of a return.
    pub reward_threshold: Option<f64>,
    /// The lowest and the highest reward of a single step; `None` if unknown.
    pub reward_range: Option<(f64, f64)>,
    /// Environment steps per second at which it looks natural.
    pub frames_per_second: f32,
    /// What each discrete action does, in a word or two, in the order of the actions; may be empty.
    pub action_names: Vec<String>,
    /// What each number of an observation is, in a word or two, in order; may be empty.
    pub observation_names: Vec<String>,
    /// The metrics that the environment reports with each step; see [`Env::metrics`](crate::Env::metrics).
    pub metrics: Vec<MetricSpec>,
    /// Whether a seed determines everything that follows, as the contract of an [`Env`](crate::Env) requires. Training in an environment
    /// with `false` is not repeatable, and its determinism is not checked.
    pub heeds_seeds: bool,
}

/// The maximum length of an id: it is part of directory names, which file systems truncate or refuse above 255 bytes.
const MOST_CHARACTERS: usize = 128;

impl EnvSpec {
    /// An environment with this id and nothing else known: no time limit, no goal, any reward, 10 steps per second, no names.
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
            action_names: Vec::new(),
            observation_names: Vec::new(),
            metrics: Vec::new(),
            heeds_seeds: true,
        }
    }

    /// Checks the specification: the id is not empty, has at most 128 characters, and has only characters that a name can have in a log, a
    /// file and a page (no control characters, no quotes, none of `<`, `>`, `&` and `\\`); an episode has at least one step; the threshold
    /// and the ends of the range of rewards are numbers, in order; the rate is above 0; and the names of actions and observations are not
    /// empty and have no control characters. Names of metrics follow the rules of ids, without commas, and no two are equal.
    ///
    /// # Errors
    /// [`EnvError::Contract`] with what is wrong.
    pub fn check(&self) -> Result<(), EnvError> {
        let breach = |breach: String| Err(EnvError::Contract { id: self.id.escape_debug().to_string(), breach });
        let is_odd = |c: &char| c.is_control() || "<>&\"'`\\".contains(*c);
        if self.id.trim().is_empty() {
            return breach("its id is empty".into());
        }
        let length = self.id.chars().count();
        if length > MOST_CHARACTERS {
            return breach(format!("its id has {length} characters, more than the {MOST_CHARACTERS} of the longest"));
        }
        if let Some(odd) = self.id.chars().find(is_odd) {
            return breach(format!("{odd:?} is not allowed in its id, which is used in file names and pages"));
        }
        if self.max_episode_steps == Some(0) {
            return breach("its episodes have 0 steps".into());
        }
        if let Some(threshold) = self.reward_threshold.filter(|threshold| !threshold.is_finite()) {
            return breach(format!("its `reward_threshold` is {threshold}"));
        }
        if let Some((low, high)) = self.reward_range
            && !(low <= high && low.is_finite() && high.is_finite())
        {
            return breach(format!("its `reward_range` is from {low} to {high}"));
        }
        if !(self.frames_per_second > 0.0 && self.frames_per_second.is_finite()) {
            return breach(format!("its `frames_per_second` is {}", self.frames_per_second));
        }
        let is_no_name = |name: &&String| name.trim().is_empty() || name.chars().any(char::is_control);
        for (which, names) in [("action_names", &self.action_names), ("observation_names", &self.observation_names)] {
            if let Some(name) = names.iter().find(is_no_name) {
                return breach(format!("{name:?} in its `{which}` is not a valid name"));
            }
        }
        for (at, MetricSpec { name, .. }) in self.metrics.iter().enumerate() {
            if name.trim().is_empty() || name.contains(|c: char| is_odd(&c) || c == ',') {
                return breach(format!(
                    "{name:?} is not a valid name for a metric, which becomes the name of a column"
                ));
            }
            if self.metrics[..at].iter().any(|other| other.name == *name) {
                return breach(format!("it has two metrics called {name:?}"));
            }
        }
        Ok(())
    }
}

/// The lowest and the highest of an environment's rewards, of which there is at least one.
pub(crate) fn range_of(rewards: &[f64]) -> (f64, f64) {
    rewards.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), r| (low.min(*r), high.max(*r)))
}

/// The value of an option of an environment.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A string.
    Text(String),
    /// A list of strings (the rows of a map).
    List(Vec<String>),
}

/// The options that an environment is created with, by name (Gymnasium's keyword arguments).
pub type EnvOptions = BTreeMap<String, OptionValue>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_that_cannot_be_are_told_by_what_is_wrong() {
        let sound = crate::specs().remove(0);
        crate::specs().iter().for_each(|spec| spec.check().unwrap());
        let metric = |name: &str| MetricSpec::new(name, crate::OverEpisode::Sum);
        let with_id = |id: &str| EnvSpec { id: id.into(), ..sound.clone() };
        with_id("Mein Gärtchen (2 × 2)/v1.0_b:3").check().unwrap();
        for (unsound, expected) in [
            (with_id(""), "id is empty"),
            (with_id(" "), "id is empty"),
            (with_id("a\nb"), "a\\nb breaks the contract of an environment: '\\n' is not allowed in its id"),
            (with_id("a\0"), "'\\0'"),
            (with_id("<script>"), "'<'"),
            (EnvSpec { max_episode_steps: Some(0), ..sound.clone() }, "0 steps"),
            (EnvSpec { reward_threshold: Some(f64::NAN), ..sound.clone() }, "`reward_threshold` is NaN"),
            (EnvSpec { reward_range: Some((1.0, 0.0)), ..sound.clone() }, "`reward_range` is from 1 to 0"),
            (EnvSpec { reward_range: Some((0.0, f64::NAN)), ..sound.clone() }, "`reward_range` is from 0 to NaN"),
            (EnvSpec { frames_per_second: 0.0, ..sound.clone() }, "`frames_per_second` is 0"),
            (
                EnvSpec { action_names: vec!["left".into(), " ".into()], ..sound.clone() },
                "`action_names` is not a valid name",
            ),
            (EnvSpec { metrics: vec![metric("a,b")], ..sound.clone() }, "\"a,b\" is not a valid name for a metric"),
            (EnvSpec { metrics: vec![metric("a"), metric("a")], ..sound.clone() }, "two metrics called \"a\""),
            (
                EnvSpec { observation_names: vec!["\n".into()], ..sound.clone() },
                "`observation_names` is not a valid name",
            ),
        ] {
            let found = unsound.check().unwrap_err().to_string();
            assert!(found.contains(expected), "{found}");
        }
    }
}
