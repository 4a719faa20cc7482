//! Whether a [`Config`] can be used: every key is in its range, every rule between keys holds.

use super::{Config, ConfigError, EnvConfig, Place, RULES};

/// An error in a config.
pub(super) struct Fault {
    /// The key that is wrong, then those it conflicts with.
    pub keys: &'static [&'static str],
    /// What is wrong, as the rest of a sentence that starts with the first key.
    pub reason: String,
}

impl Config {
    /// Checks a config built in code; [`Layers`](crate::config::Layers) checks those read from text.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] for the first key that is out of range or conflicts with another.
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
    /// Checks the settings of an environment, which were read from `source`.
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

/// Finds the first key that is out of range or conflicts with another.
pub(super) fn fault(config: &Config) -> Result<(), Fault> {
    config.check_ranges()?;
    match RULES.iter().find(|rule| !(rule.holds)(config)) {
        Some(rule) => Err(Fault { keys: rule.keys, reason: rule.broken(config) }),
        None => Ok(()),
    }
}
