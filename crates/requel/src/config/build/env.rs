//! The options of the environment that a config describes.

use requel_envs::{EnvOptions, OptionValue};

use crate::config::EnvConfig;

impl EnvConfig {
    /// The options in the registry's form.
    ///
    /// # Errors
    /// Names the first option whose value has a type that environments do not accept.
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
