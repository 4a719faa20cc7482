//! The scales of scores: which return counts as 0 and which as 1.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{RandomPlay, Study, StudyError, Task};
use crate::config::{Config, Layers};
use crate::registry::Registry;

/// The known scale of an environment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct KnownScale {
    /// Its id.
    pub env: String,
    /// The return that counts as 0: that of random actions, the mean over [`RANDOM_EPISODES`] episodes.
    pub zero: f64,
    /// The return that counts as 1.
    pub one: f64,
    /// A description of that return.
    pub is: String,
}

/// The number of episodes over which random actions are scored.
pub const RANDOM_EPISODES: usize = 1000;

const TEXT: &str = include_str!("../../scales.toml");

#[derive(Deserialize)]
struct Scales {
    scale: Vec<KnownScale>,
}

static SCALES: LazyLock<Vec<KnownScale>> =
    LazyLock::new(|| toml::from_str::<Scales>(TEXT).expect("a test reads the file").scale);

/// The scales of the environments that come with requel.
pub fn known_scales() -> &'static [KnownScale] {
    &SCALES
}

/// The scale of one of them.
pub fn known_scale(env: &str) -> Option<&'static KnownScale> {
    SCALES.iter().find(|scale| scale.env == env)
}

/// The return of random actions in an environment, with the wrappers of its own preset.
///
/// # Errors
/// If the environment cannot be created or played.
pub fn random_return(env: &str, registry: &Registry) -> Result<Option<f64>, StudyError> {
    Ok(RandomPlay::of(&own_config(env)?, registry, RANDOM_EPISODES)?.map(|play| play.mean))
}

fn own_config(env: &str) -> Result<Config, StudyError> {
    let of = || Layers::new().set(&format!("env.id={env:?}"))?.for_env()?.resolve();
    of().map_err(|source| StudyError::Setting { variant: env.into(), source: Box::new(source) })
}

impl Study {
    /// The environments with the scales of their scores, if there are several: from the study, or else the known scale, or else from the
    /// return of random actions to the environment's reward threshold.
    ///
    /// # Errors
    /// If there is no such threshold, or the two are equal.
    pub fn scales(&self, registry: &Registry) -> Result<Vec<Task>, StudyError> {
        let mut scales = Vec::new();
        for task in &self.tasks {
            let known = known_scale(&task.env);
            let zero = match task.zero.or(known.map(|known| known.zero)) {
                Some(zero) => zero,
                None => random_return(&task.env, registry)?
                    .ok_or_else(|| StudyError::NoScale { env: task.env.clone(), which: "zero" })?,
            };
            let one = match task.one.or(known.map(|known| known.one)) {
                Some(one) => one,
                None => (registry.envs().make(&task.env)?.spec().reward_threshold)
                    .ok_or_else(|| StudyError::NoScale { env: task.env.clone(), which: "one" })?,
            };
            if zero == one {
                return Err(StudyError::FlatScale { env: task.env.clone(), value: zero });
            }
            scales.push(Task { env: task.env.clone(), zero, one });
        }
        Ok(scales)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::presets;

    /// Run `cargo run --release -p requel --example score_scales > crates/requel/scales.toml` where this fails for a reason.
    #[test]
    fn random_actions_return_what_the_file_says() {
        let registry = Registry::built_in();
        for scale in known_scales() {
            let measured = random_return(&scale.env, &registry).unwrap().unwrap();
            assert_eq!(scale.zero, measured, "{}", scale.env);
        }
    }

    #[test]
    fn every_environment_with_a_goal_or_a_preset_has_a_scale() {
        for spec in requel_envs::specs() {
            let is_aimed_at = spec.reward_threshold.is_some() || presets::default_for(&spec.id).is_some();
            assert!(!is_aimed_at || known_scale(&spec.id).is_some(), "{}", spec.id);
        }
        for scale in known_scales() {
            let threshold = requel_envs::make(&scale.env).unwrap().spec().reward_threshold;
            assert!(threshold.is_none_or(|threshold| scale.one >= threshold), "{scale:?}");
            assert!(scale.one > scale.zero && !scale.is.is_empty(), "{scale:?}");
        }
    }

    fn scales(tasks: &str) -> Result<Vec<Task>, StudyError> {
        let text = format!("name = \"s\"\n{tasks}\n[[variant]]\nname = \"a\"\n");
        Study::parse("s.toml", &text).unwrap().scales(&Registry::built_in())
    }

    #[test]
    fn what_a_study_gives_comes_before_what_is_known() {
        let known = known_scale("CartPole-v1").unwrap();
        let all = scales(
            "[[task]]\nenv = \"CartPole-v1\"\n[[task]]\nenv = \"CartPole-v0\"\nzero = 1.0\n[[task]]\nenv = \"Acrobot-v1\"\none = -50.0",
        )
        .unwrap();
        assert_eq!((all[0].zero, all[0].one), (known.zero, known.one));
        assert_eq!((all[1].zero, all[1].one), (1.0, known_scale("CartPole-v0").unwrap().one));
        assert_eq!((all[2].zero, all[2].one), (known_scale("Acrobot-v1").unwrap().zero, -50.0));
    }

    #[test]
    fn a_scale_that_is_not_known_or_has_no_length_is_refused_by_name() {
        let flat =
            scales(&format!("[[task]]\nenv = \"CartPole-v1\"\none = {:?}", known_scale("CartPole-v1").unwrap().zero));
        let error = flat.unwrap_err();
        assert!(error.to_string().contains("`CartPole-v1`") && error.hint().is_some(), "{error}");
    }

    #[test]
    fn an_environment_of_ones_own_is_measured_and_needs_a_goal() {
        use requel_envs::{Step, closure::from_closures};
        let mut registry = Registry::built_in();
        let corridor = || {
            from_closures(
                "Corridor-v0",
                2,
                |_| [0.0],
                |[x], _, _| {
                    *x += 1.0;
                    Step { reward: 1.0, terminated: *x >= 3.0, truncated: false }
                },
            )
        };
        registry.register_env(move || Ok(Box::new(corridor()))).unwrap();
        let study = |more: &str| {
            let text = format!("name = \"s\"\n[[task]]\nenv = \"Corridor-v0\"\n{more}\n[[variant]]\nname = \"a\"\n");
            Study::parse("s.toml", &text).unwrap().scales(&registry)
        };
        let error = study("").unwrap_err();
        assert!(error.to_string().contains("`Corridor-v0`"), "{error}");
        assert!(error.hint().unwrap().contains("`one = "), "{error}");
        // Three steps of 1, whatever is done.
        assert_eq!(study("one = 10.0").unwrap()[0], Task { env: "Corridor-v0".into(), zero: 3.0, one: 10.0 });
    }
}
