//! All checks of a [`Config`], one after the other.

use super::{combinations, counts, floats};
use crate::config::{Config, ConfigError, Place};

/// The first key that is wrong, with the rest of a sentence that the key begins.
pub(in crate::config) type Fault = (&'static str, String);

impl Config {
    /// Checks a config that was put together in code; [`Layers`](crate::config::Layers) checks those from text.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] with the first key that is out of range or at odds with another.
    pub fn check(&self) -> Result<(), ConfigError> {
        let place = || Place { source: "the config".into(), line: None };
        check(self).map_err(|(key, reason)| ConfigError::InvalidValue { key: key.into(), reason, place: place() })
    }
}

/// Names the first key that is out of range, or at odds with another.
pub(in crate::config) fn check(config: &Config) -> Result<(), Fault> {
    floats::check(config)?;
    counts::check(config)?;
    combinations::check(config)
}
