//! Whether a [`Config`] can be used: every key is in its range, every rule between keys holds.

use super::{Config, ConfigError, EnvConfig, Place, RULES};

/// What is wrong with a config.
pub(super) struct Fault {
    /// The key that is wrong, then those that it is at odds with.
    pub keys: &'static [&'static str],
    /// What is wrong, as the rest of a sentence that the first key begins.
    pub reason: String,
}

impl Config {
    /// Checks a config that was put together in code; [`Layers`](crate::config::Layers) checks those from text.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] with the first key that is out of range or at odds with another.
    pub fn check(&self) -> Result<(), ConfigError> {
        let place = || Place { source: "the config".into(), line: None };
        fault(self).map_err(|Fault { keys, reason }| ConfigError::InvalidValue {
            key: keys[0].into(),
            reason,
            place: place(),
        })
    }
}

impl EnvConfig {
    /// Checks how an environment is to be made, which was read from `source`.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] with the first key that is out of range.
    pub(crate) fn check(&self, source: &str) -> Result<(), ConfigError> {
        self.check_ranges().map_err(|Fault { keys, reason }| ConfigError::InvalidValue {
            key: keys[0].into(),
            reason,
            place: Place { source: source.into(), line: None },
        })
    }
}

/// Names the first key that is out of range, or at odds with another.
pub(super) fn fault(config: &Config) -> Result<(), Fault> {
    config.check_ranges()?;
    match RULES.iter().find(|rule| !(rule.holds)(config)) {
        Some(rule) => Err(Fault { keys: rule.keys, reason: rule.broken(config) }),
        None => Ok(()),
    }
}
