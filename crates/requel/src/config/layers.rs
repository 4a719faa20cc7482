//! Putting a [`Config`] together from layers: preset, then file, then `--set`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::Value;
use toml::de::{DeTable, DeValue};

use super::{Config, KEYS, algorithms, presets, validate};
use crate::suggest::nearest;

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A file's path, `preset NAME`, or `--set`.
    pub source: String,
    /// Line number from 1 and the line itself, where there are lines.
    pub line: Option<(usize, String)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some((number, text)) => write!(f, "{}, line {number}: `{}`", self.source, text.trim()),
            None => write!(f, "{}", self.source),
        }
    }
}

/// Why a config cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No preset has this name.
    #[error("unknown preset `{name}`")]
    UnknownPreset {
        /// What was asked for.
        name: String,
        /// The nearest name, if one is near.
        suggestion: Option<String>,
    },
    /// No algorithm has this name.
    #[error("unknown algorithm `{name}`")]
    UnknownAlgorithm {
        /// What was asked for.
        name: String,
        /// The nearest name, if one is near.
        suggestion: Option<String>,
    },
    /// A key that means nothing.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// Dotted path.
        key: String,
        /// Where it stands.
        place: Place,
        /// The nearest key, if one is near.
        suggestion: Option<String>,
    },
    /// A value of the wrong type, or out of range.
    #[error("`{key}` {reason}, in {place}")]
    InvalidValue {
        /// Dotted path.
        key: String,
        /// What is wrong, as the rest of a sentence that the key begins.
        reason: String,
        /// Where it stands.
        place: Place,
    },
    /// A key that a run cannot go on with another value of.
    #[error("`{key}` cannot change on the way: it {reason}")]
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
        /// What the system says.
        source: std::io::Error,
    },
}

impl ConfigError {
    /// What to try, if something is worth trying.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownPreset { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            ConfigError::UnknownPreset { .. } => Some("`requel presets` lists them".into()),
            ConfigError::UnknownAlgorithm { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            ConfigError::UnknownAlgorithm { .. } => {
                let names: Vec<&str> = algorithms::all().iter().map(|algorithm| algorithm.name).collect();
                Some(format!("there are {}", names.join(", ")))
            }
            ConfigError::UnknownKey { suggestion: Some(key), .. } => Some(format!("did you mean `{key}`?")),
            ConfigError::UnknownKey { .. } => Some("`requel config show` lists all keys".into()),
            ConfigError::InvalidValue { key, .. } => {
                KEYS.iter().find(|k| k.path == key).map(|k| format!("{}: {}", k.path, k.meaning))
            }
            ConfigError::Fixed { .. } => {
                Some("`requel train --from RUN` begins a new run from the weights of this one".into())
            }
            ConfigError::Syntax { place, .. } if place.source == "--set" => {
                Some("write it as `--set section.key=value`".into())
            }
            _ => None,
        }
    }
}

/// A config in the making: later layers win, each key remembers where it was written.
///
/// ```
/// use requel::config::Layers;
///
/// let config = Layers::new().preset("notebook")?.set("train.seed=7")?.resolve()?;
/// assert_eq!(config.agent.gamma, 0.9);
/// assert_eq!(config.train.seed, 7);
///
/// let error = Layers::new().set("replay.capcity=10").unwrap_err();
/// assert_eq!(error.hint().as_deref(), Some("did you mean `replay.capacity`?"));
/// # Ok::<(), requel::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Value, place, and the number of the layer, by key.
    settings: BTreeMap<String, (Value, Place, usize)>,
    layers: usize,
}

impl Layers {
    /// No layer: all keys at their defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the preset called `name`.
    ///
    /// # Errors
    /// [`ConfigError::UnknownPreset`].
    pub fn preset(self, name: &str) -> Result<Self, ConfigError> {
        let preset = presets::get(name).ok_or_else(|| ConfigError::UnknownPreset {
            name: name.into(),
            suggestion: nearest(name, presets::all().iter().map(|p| p.name)),
        })?;
        let mut layers = self.text(&format!("preset {name}"), preset.toml)?;
        let place = Place { source: format!("preset {name}"), line: None };
        layers.settings.insert("preset".into(), (Value::String(name.into()), place, layers.layers));
        Ok(layers)
    }

    /// Adds the algorithm called `name`: the keys that make it what it is, laid over what the environment's preset says.
    ///
    /// ```
    /// use requel::config::Layers;
    ///
    /// let config = Layers::new().preset("cartpole")?.algorithm("double-dqn")?.resolve()?;
    /// assert!(config.agent.double && config.replay.capacity == 200_000);
    /// # Ok::<(), requel::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::UnknownAlgorithm`].
    pub fn algorithm(self, name: &str) -> Result<Self, ConfigError> {
        let algorithm = algorithms::get(name).ok_or_else(|| ConfigError::UnknownAlgorithm {
            name: name.into(),
            suggestion: nearest(name, algorithms::all().iter().map(|algorithm| algorithm.name)),
        })?;
        let mut layers = self.text(&format!("algorithm {name}"), algorithm.toml)?;
        let place = Place { source: format!("algorithm {name}"), line: None };
        layers.settings.insert("algo".into(), (Value::String(name.into()), place, layers.layers));
        Ok(layers)
    }

    /// The text that a key was set to, as it was written.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.settings.get(key).and_then(|(value, _, _)| value.as_str())
    }

    /// These layers without what they say of some keys.
    pub fn without(mut self, keys: &[&str]) -> Self {
        self.settings.retain(|key, _| !keys.contains(&key.as_str()));
        self
    }

    /// Adds a TOML file.
    ///
    /// # Errors
    /// [`ConfigError`] with the file's line.
    pub fn file(self, path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        self.text(&path.display().to_string(), &text)
    }

    /// Adds TOML text; `source` says in errors where it is from.
    ///
    /// # Errors
    /// [`ConfigError`] with the text's line.
    pub fn text(mut self, source: &str, text: &str) -> Result<Self, ConfigError> {
        self.layers += 1;
        let place_at = |offset: usize| {
            let offset = offset.min(text.len());
            let number = text.as_bytes()[..offset].iter().filter(|b| **b == b'\n').count() + 1;
            let line = text.lines().nth(number - 1).unwrap_or("").to_owned();
            Place { source: source.into(), line: Some((number, line)) }
        };
        let table = DeTable::parse(text).map_err(|e| ConfigError::Syntax {
            reason: e.message().to_owned(),
            place: place_at(e.span().map_or(0, |s| s.start)),
        })?;
        let mut leaves = Vec::new();
        collect_leaves(&[], table.get_ref(), &mut leaves);
        // The parsed values again as plain TOML: spans are only needed for places.
        let plain: toml::Table = toml::from_str(text)
            .map_err(|e| ConfigError::Syntax { reason: e.message().to_owned(), place: place_at(0) })?;
        for (path, offset) in leaves {
            let value = lookup(&plain, &path).cloned().unwrap_or_else(|| Value::Table(toml::Table::new()));
            self.insert(path.join("."), value, place_at(offset))?;
        }
        Ok(self)
    }

    /// Adds one `key=value`; the value is TOML, or a bare word.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn set(self, assignment: &str) -> Result<Self, ConfigError> {
        self.set_from("--set", assignment)
    }

    /// The same; `source` says in errors where it is from.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn set_from(mut self, source: &str, assignment: &str) -> Result<Self, ConfigError> {
        let place = Place { source: source.into(), line: None };
        self.layers += 1;
        let Some((key, value)) = assignment.split_once('=') else {
            let reason = format!("`{assignment}` has no `=`");
            return Err(ConfigError::Syntax { reason, place });
        };
        let value = match toml::from_str::<toml::Table>(&format!("v = {value}")) {
            Ok(mut table) if table.len() == 1 => table.remove("v").unwrap_or(Value::String(value.into())),
            _ => Value::String(value.trim().into()),
        };
        self.insert(key.trim().to_owned(), value, place)?;
        Ok(self)
    }

    /// Where `key` was written, if any layer did.
    pub fn place(&self, key: &str) -> Option<&Place> {
        self.settings.get(key).map(|(_, place, _)| place)
    }

    /// The config, complete and checked.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] for a value out of range or at odds with another.
    pub fn resolve(&self) -> Result<Config, ConfigError> {
        let mut table = defaults();
        for (key, (value, ..)) in &self.settings {
            assign(&mut table, key, value.clone());
        }
        let default_place = || Place { source: "the defaults".into(), line: None };
        let config: Config = table.try_into().map_err(|e: toml::de::Error| ConfigError::Syntax {
            reason: e.message().to_owned(),
            place: default_place(),
        })?;
        validate::check(&config).map_err(|(key, reason)| {
            // Where keys are at odds, the one that was written last is where to look.
            let named = reason.split('`').filter(|word| KEYS.iter().any(|k| k.path == *word)).chain([key]);
            let latest = named.filter_map(|key| self.settings.get(key)).max_by_key(|(.., layer)| *layer);
            let place = latest.map_or_else(default_place, |(_, place, _)| place.clone());
            ConfigError::InvalidValue { key: key.into(), reason, place }
        })?;
        Ok(config)
    }

    fn insert(&mut self, key: String, value: Value, place: Place) -> Result<(), ConfigError> {
        let is_option = key.strip_prefix("env.options.").is_some_and(|name| !name.is_empty() && !name.contains('.'));
        if !is_option && !KEYS.iter().any(|k| k.path == key) {
            let suggestion = nearest(&key, KEYS.iter().map(|k| k.path));
            return Err(ConfigError::UnknownKey { key, place, suggestion });
        }
        // One key alone over the defaults tells whether its type is right, and so which key is to blame.
        let fits = |value: &Value| {
            let mut table = defaults();
            assign(&mut table, &key, value.clone());
            table.try_into::<Config>().map(|_| ())
        };
        let value = match (fits(&value), &value) {
            (Ok(()), _) => value,
            // 1e6 is how people write a count.
            (Err(_), Value::Float(f))
                if f.fract() == 0.0 && f.abs() < 9e15 && fits(&Value::Integer(*f as i64)).is_ok() =>
            {
                Value::Integer(*f as i64)
            }
            (Err(error), _) => {
                let reason = format!("cannot be {value}: {}", error.message().trim());
                return Err(ConfigError::InvalidValue { key, reason, place });
            }
        };
        self.settings.insert(key, (value, place, self.layers));
        Ok(())
    }
}

fn defaults() -> toml::Table {
    toml::Table::try_from(Config::default()).expect("the default config is TOML")
}

fn assign(table: &mut toml::Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.into(), value);
        }
        Some((head, rest)) => {
            let entry = table.entry(head).or_insert_with(|| Value::Table(toml::Table::new()));
            if let Value::Table(inner) = entry {
                assign(inner, rest, value);
            }
        }
    }
}

fn lookup<'t>(table: &'t toml::Table, path: &[String]) -> Option<&'t Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(table, |table, key| table.get(key)?.as_table())?;
    parent.get(last)
}

/// Paths of all values that are no tables (and of empty tables that mean nothing), with their keys' byte offsets.
fn collect_leaves(path: &[String], table: &DeTable<'_>, leaves: &mut Vec<(Vec<String>, usize)>) {
    for (key, value) in table {
        let mut path = path.to_vec();
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() || is_section(&path) => collect_leaves(&path, inner, leaves),
            _ => leaves.push((path, key.span().start)),
        }
    }
}

/// Whether a table at this path may stand empty, as `[replay]` with nothing under it does.
fn is_section(path: &[String]) -> bool {
    let prefix = format!("{}.", path.join("."));
    prefix == "env.options." || KEYS.iter().any(|k| k.path.starts_with(&prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_where_and_what_to_try() {
        let error = Layers::new().text("my.toml", "[agent]\n  gama = 0.9\n").unwrap_err();
        assert_eq!(error.to_string(), "unknown key `agent.gama` in my.toml, line 2: `gama = 0.9`");
        assert_eq!(error.hint().unwrap(), "did you mean `agent.gamma`?");
        let error = Layers::new().set("agent.gamma=2").unwrap().resolve().unwrap_err();
        assert_eq!(error.to_string(), "`agent.gamma` is 2, not between 0 and 1, in --set");
        assert_eq!(error.hint().unwrap(), "agent.gamma: discount per env step, 0 to 1");
        let error = Layers::new().set("agent.gamma").unwrap_err();
        assert_eq!(error.to_string(), "`agent.gamma` has no `=`, in --set");
        assert_eq!(error.hint().unwrap(), "write it as `--set section.key=value`");
    }

    #[test]
    fn a_place_is_found_at_the_end_of_a_text_without_a_line_break() {
        let error = Layers::new().text("f", "\n\n[agent").unwrap_err();
        assert!(
            matches!(&error, ConfigError::Syntax { place: Place { line: Some((3, text)), .. }, .. } if text == "[agent")
        );
    }
}
