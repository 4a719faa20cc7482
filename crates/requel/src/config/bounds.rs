//! The bounds of values that the rewards of an environment allow, and the numbers that `"auto"` stands for.

use requel_envs::EnvSpec;
use serde::{Deserialize, Serialize};

use super::declare::{KeyValue, Range, ValueType, choice};
use super::{Config, ConfigError, Place};
use crate::td::{RuleSpec, ValueBounds};

/// One end of a distribution's support.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SupportEnd {
    /// A return.
    At(f64),
    /// The bound of the values, see [`Config::value_bounds`].
    Auto(Auto),
}

choice! {
    /// The word `"auto"`.
    pub enum Auto {
        /// What the rewards of the environment allow.
        "auto" => Auto,
    }
}

impl KeyValue for SupportEnd {
    const TYPE: ValueType = ValueType::Either(&[ValueType::Number, Auto::TYPE]);

    fn check(&self, range: Range) -> Result<(), String> {
        self.number().check(range)
    }
}

impl SupportEnd {
    /// The return, unless it is `"auto"`.
    pub fn number(self) -> Option<f64> {
        if let SupportEnd::At(number) = self { Some(number) } else { None }
    }
}

/// Whether bootstrapped targets are clipped, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ValueClip {
    /// To these, the lowest and the highest return, in units of the rewards that are learned from.
    To([f64; 2]),
    /// By a word.
    Word(ValueClipWord),
}

choice! {
    /// A word that says whether bootstrapped targets are clipped.
    pub enum ValueClipWord {
        /// They are not clipped.
        "off" => Off,
        /// To what the rewards of the environment allow.
        "auto" => Auto,
    }
}

impl KeyValue for ValueClip {
    const TYPE: ValueType =
        ValueType::Either(&[ValueClipWord::TYPE, ValueType::Tuple { names: &["low", "high"], of: &ValueType::Number }]);

    fn check(&self, range: Range) -> Result<(), String> {
        self.numbers().into_iter().flat_map(<[f64; 2]>::from).try_for_each(|number| number.check(range))
    }
}

impl ValueClip {
    /// Not at all.
    pub const OFF: Self = ValueClip::Word(ValueClipWord::Off);
    /// To the bounds of the values.
    pub const AUTO: Self = ValueClip::Word(ValueClipWord::Auto);

    /// The lowest and the highest target, unless a word stands for them.
    pub fn numbers(self) -> Option<(f64, f64)> {
        if let ValueClip::To([low, high]) = self { Some((low, high)) } else { None }
    }

    /// The same in single precision, as they are used.
    pub(crate) fn bounds(self) -> Option<(f32, f32)> {
        self.numbers().map(|(low, high)| (low as f32, high as f32))
    }
}

impl Config {
    /// The bounds of every correct value in a training with this config, in units of the rewards that are learned from:
    /// [`ValueBounds::of_rewards`] of the environment's rewards after scaling and clipping, with what the rule adds to them
    /// ([`RuleSpec::bonus`]).
    ///
    /// `None` if rewards are unbounded, or the sum of rewards is.
    pub fn value_bounds(&self, env: &EnvSpec, actions: usize) -> Option<ValueBounds> {
        self.value_bounds_by(&*self.rule(), env, actions)
    }

    fn value_bounds_by(&self, rule: &dyn RuleSpec, env: &EnvSpec, actions: usize) -> Option<ValueBounds> {
        let agent = &self.agent;
        let learned = |reward: f64| {
            let scaled = reward * agent.reward_scale;
            if agent.reward_clip > 0.0 { scaled.clamp(-agent.reward_clip, agent.reward_clip) } else { scaled }
        };
        let (low, high) = env.reward_range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let (least, most) = rule.bonus(agent.gamma, actions);
        ValueBounds::of_rewards((learned(low) + least, learned(high) + most), agent.gamma, env.max_episode_steps)
    }

    /// This config with the numbers that every `"auto"` stands for in an environment.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] with the key, if the values of this environment have no bounds, or the support is empty.
    pub fn with_value_bounds(&self, env: &EnvSpec, actions: usize) -> Result<Config, ConfigError> {
        self.with_value_bounds_by(&*self.rule(), env, actions)
    }

    /// As [`Config::with_value_bounds`], where it is this rule that the agent learns by.
    ///
    /// # Errors
    /// As [`Config::with_value_bounds`].
    pub fn with_value_bounds_by(
        &self,
        rule: &dyn RuleSpec,
        env: &EnvSpec,
        actions: usize,
    ) -> Result<Config, ConfigError> {
        let bounds = self.value_bounds_by(rule, env, actions);
        let known = |key: &str| bounds.ok_or_else(|| self.unbounded(key, env));
        let mut config = self.clone();
        if config.agent.value_clip == ValueClip::AUTO {
            let ValueBounds { low, high } = known("agent.value_clip")?;
            config.agent.value_clip = ValueClip::To([low, high]);
        }
        if config.head.uses_support() {
            if config.head.v_min.number().is_none() {
                config.head.v_min = SupportEnd::At(known("head.v_min")?.low);
            }
            if config.head.v_max.number().is_none() {
                config.head.v_max = SupportEnd::At(known("head.v_max")?.high);
            }
        }
        config.check()?;
        Ok(config)
    }

    fn unbounded(&self, key: &str, env: &EnvSpec) -> ConfigError {
        if env.reward_range.is_none() {
            return ConfigError::NoRewardRange { key: key.into(), env_id: env.id.clone() };
        }
        let why = format!("with `agent.gamma` = 1 and no time limit, nothing bounds the values of {}", env.id);
        let reason = format!("is \"auto\", but {why}: give a number");
        ConfigError::InvalidValue { key: key.into(), reason, place: Place { source: "the config".into(), line: None } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    fn config(settings: &[&str]) -> Config {
        settings.iter().try_fold(Layers::new(), |layers, s| layers.set(s)).unwrap().resolve().unwrap()
    }

    fn bounds(settings: &[&str], rewards: Option<(f64, f64)>, limit: Option<u32>) -> Option<(f64, f64)> {
        let env = EnvSpec { reward_range: rewards, max_episode_steps: limit, ..EnvSpec::new("Own-v0") };
        config(settings).value_bounds(&env, 2).map(|bounds| (bounds.low, bounds.high))
    }

    #[test]
    fn rewards_count_as_they_are_learned_from() {
        let half = "agent.gamma=0.5";
        assert_eq!(bounds(&[half], Some((-1.0, 3.0)), None), Some((-2.0, 6.0)));
        assert_eq!(bounds(&[half, "agent.reward_scale=10"], Some((-1.0, 3.0)), None), Some((-20.0, 60.0)));
        let clipped = &[half, "agent.reward_scale=10", "agent.reward_clip=1"];
        assert_eq!(bounds(clipped, Some((0.0, 3.0)), None), Some((0.0, 2.0)));
        assert_eq!(
            bounds(clipped, None, None),
            Some((-2.0, 2.0)),
            "what is clipped is bounded, whatever the environment gives"
        );
        assert_eq!(bounds(&[half], None, None), None);
        assert_eq!(bounds(&["agent.gamma=1"], Some((-1.0, 0.0)), Some(500)), Some((-500.0, 0.0)));
        assert_eq!(bounds(&["agent.gamma=1"], Some((-1.0, 0.0)), None), None);
    }

    #[test]
    fn munchausens_terms_widen_them() {
        let settings = ["agent.gamma=0.5", "agent.munchausen=true", "munchausen.alpha=0.9", "munchausen.clip=-1"];
        let (low, high) = bounds(&settings, Some((0.0, 1.0)), None).unwrap();
        assert!((low + 1.8).abs() < 1e-12, "{low}");
        assert!((high - 2.0 * (1.0 + 0.5 * 0.03 * 2f64.ln())).abs() < 1e-12, "{high}");
    }

    #[test]
    fn auto_becomes_numbers_or_is_refused_with_its_key() {
        let env = EnvSpec { reward_range: Some((0.0, 1.0)), ..EnvSpec::new("Own-v0") };
        let auto = config(&["head.kind=categorical", "head.v_min=auto", "head.v_max=auto", "agent.gamma=0.75"]);
        let resolved = auto.with_value_bounds(&env, 2).unwrap();
        assert_eq!((resolved.head.v_min, resolved.head.v_max), (SupportEnd::At(0.0), SupportEnd::At(4.0)));
        let clipped = config(&["agent.value_clip=auto", "agent.gamma=0.75"]).with_value_bounds(&env, 2).unwrap();
        assert_eq!(clipped.agent.value_clip.numbers(), Some((0.0, 4.0)));
        for (config, key) in [(auto, "head.v_min"), (config(&["agent.value_clip=auto"]), "agent.value_clip")] {
            let error = config.with_value_bounds(&EnvSpec::new("Own-v0"), 2).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("Own-v0"), "{error}");
        }
    }

    #[test]
    fn the_words_and_the_numbers_are_read_back() {
        let text = toml::to_string(&config(&["agent.value_clip=[-1, 2.5]", "head.v_max=auto"])).unwrap();
        assert!(text.contains("value_clip = [-1.0, 2.5]") && text.contains("v_max = \"auto\""), "{text}");
        let error = Layers::new().set("agent.value_clip=sometimes").and_then(|layers| layers.resolve()).unwrap_err();
        assert!(error.to_string().contains("agent.value_clip"), "{error}");
    }
}
