//! [`ConfigError`], and [`Place`], where something was written.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use toml::de::DeTable;

use super::{Key, algorithms, names};

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A file's path, `preset NAME`, or `--set`.
    pub source: String,
    /// Line number from 1 and the line itself, if there are lines.
    pub line: Option<(usize, String)>,
}

impl Place {
    /// The place at a byte offset of a text.
    pub(crate) fn at(source: &str, text: &str, offset: usize) -> Self {
        let offset = offset.min(text.len());
        let number = text.as_bytes()[..offset].iter().filter(|b| **b == b'\n').count() + 1;
        let line = text.lines().nth(number - 1).unwrap_or("").to_owned();
        Place { source: source.into(), line: Some((number, line)) }
    }

    /// The place of a key in a table of a text; the start of the text if it is not there.
    pub(crate) fn of_key(source: &str, text: &str, (table, name): (&DeTable<'_>, &str)) -> Self {
        let at = table.iter().find(|(key, _)| key.get_ref() == name);
        Self::at(source, text, at.map_or(0, |(key, _)| key.span().start))
    }
}

/// Maximum length of the part of a line that is shown, characters.
const SHOWN: usize = 100;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some((number, text)) => write!(f, "{}, line {number}: `{}`", self.source, shortened(text.trim(), SHOWN)),
            None => write!(f, "{}", self.source),
        }
    }
}

/// The text, truncated after `most` characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Why a config cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No preset has this name.
    #[error("unknown preset `{name}`{}", place.as_ref().map(|place| format!(" in {place}")).unwrap_or_default())]
    UnknownPreset {
        /// The name that was given.
        name: String,
        /// Where, unless a program requested it directly.
        place: Option<Place>,
        /// The most similar name, if there is one.
        suggestion: Option<String>,
    },
    /// No algorithm has this name.
    #[error("unknown algorithm `{name}`{}", place.as_ref().map(|place| format!(" in {place}")).unwrap_or_default())]
    UnknownAlgorithm {
        /// The name that was given.
        name: String,
        /// Where, unless a program requested it directly.
        place: Option<Place>,
        /// The most similar name, if there is one.
        suggestion: Option<String>,
    },
    /// There is no such key.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// Dotted path.
        key: String,
        /// Where it was written.
        place: Place,
        /// The key that was probably meant.
        suggestion: Option<String>,
    },
    /// A value of the wrong type, or out of range.
    #[error("`{key}` {reason}, in {place}")]
    InvalidValue {
        /// Dotted path.
        key: String,
        /// What is wrong, as the rest of a sentence that starts with the key.
        reason: String,
        /// Where it was written.
        place: Place,
    },
    /// A bound that should come from the environment, which does not declare its range of rewards.
    #[error("`{key}` is \"auto\", but {env_id} does not declare a reward range: give a number in the config")]
    NoRewardRange {
        /// Dotted path.
        key: String,
        /// The environment.
        env_id: String,
    },
    /// A key that cannot change when a run is resumed.
    #[error("`{key}` cannot change when a run is resumed: it {reason}")]
    Fixed {
        /// Dotted path.
        key: String,
        /// Why, as the rest of a sentence.
        reason: String,
    },
    /// Text that is not TOML, or a `--set` that is not `key=value`.
    #[error("{reason}, in {place}")]
    Syntax {
        /// What is wrong.
        reason: String,
        /// Where.
        place: Place,
    },
    /// A file that cannot be read.
    #[error("cannot read config file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
}

impl ConfigError {
    /// What to try next, if there is anything to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownPreset { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            ConfigError::UnknownPreset { .. } => Some("`requel presets` lists them".into()),
            ConfigError::UnknownAlgorithm { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            ConfigError::UnknownAlgorithm { .. } => {
                let names: Vec<&str> = algorithms::all().iter().map(|algorithm| algorithm.name).collect();
                Some(format!("there are {}", names.join(", ")))
            }
            ConfigError::UnknownKey { key, suggestion: Some(near), .. } => Some(match names::note(key) {
                Some(note) => format!("did you mean `{near}`? ({note})"),
                None => format!("did you mean `{near}`?"),
            }),
            ConfigError::UnknownKey { .. } => Some("`requel config show` lists all keys".into()),
            ConfigError::InvalidValue { key, .. } => Key::of(key).map(|key| format!("{}: {}", key.path, key.help())),
            ConfigError::Fixed { .. } => {
                Some("`requel train --from RUN` starts a new run from the weights of this one".into())
            }
            ConfigError::Syntax { place, .. } if place.source == "--set" => {
                Some("write it as `--set section.key=value`".into())
            }
            _ => None,
        }
    }
}
