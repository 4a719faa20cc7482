//! The environment and how it is made.

use std::collections::BTreeMap;

use requel_envs::{EnvOptions, OptionValue};
use serde::{Deserialize, Serialize};

/// Which environment, made how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvConfig {
    /// Id in the registry, such as `CartPole-v1`.
    pub id: String,
    /// Options that the environment is made with, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, toml::Value>,
    /// The last so many observations are shown as one; 1: only the present one.
    pub frame_stack: usize,
    /// Each action is done so many times, the rewards added up; 1: once.
    pub action_repeat: u32,
    /// The probability that the environment does the last action again instead of the one chosen, 0 to 1.
    pub sticky_actions: f64,
}

impl Default for EnvConfig {
    fn default() -> Self {
        EnvConfig {
            id: "CartPole-v1".into(),
            options: BTreeMap::new(),
            frame_stack: 1,
            action_repeat: 1,
            sticky_actions: 0.0,
        }
    }
}

impl EnvConfig {
    /// The options as the registry takes them.
    ///
    /// # Errors
    /// Names the first option whose value is of a kind that no environment takes.
    pub fn env_options(&self) -> Result<EnvOptions, String> {
        let convert = |name: &String, value: &toml::Value| match value {
            toml::Value::Boolean(v) => Ok(OptionValue::Bool(*v)),
            toml::Value::Integer(v) => Ok(OptionValue::Int(*v)),
            toml::Value::Float(v) => Ok(OptionValue::Float(*v)),
            toml::Value::String(v) => Ok(OptionValue::Text(v.clone())),
            toml::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(OptionValue::List)
                .ok_or_else(|| name.clone()),
            _ => Err(name.clone()),
        };
        self.options.iter().map(|(name, value)| Ok((name.clone(), convert(name, value)?))).collect()
    }
}
