//! Reading a [`Study`] from TOML.

use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::{Metric, Seeds, SeedsError, Study, StudyError, Task, Variant};
use crate::config::Place;
use crate::storage::read_input;
use crate::suggest::nearest;

/// The keys of a study, and those of a variant.
const STUDY_KEYS: [&str; 9] = ["name", "description", "env", "task", "seeds", "metric", "threshold", "set", "variant"];
const VARIANT_KEYS: [&str; 3] = ["name", "preset", "set"];
const TASK_KEYS: [&str; 3] = ["env", "zero", "one"];

/// No study that a person could read is longer, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// How many seeds where the study does not say.
const DEFAULT_SEEDS: u64 = 10;

impl Study {
    /// Reads a study file.
    ///
    /// # Errors
    /// If it cannot be read, or as [`Study::parse`].
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        Self::parse(&path.display().to_string(), &Self::read_text(path)?)
    }

    /// The text of a study file of at most 1 MiB, or of the pipe behind `/dev/stdin`, for [`Study::parse`].
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_text(path: &Path) -> Result<String, StudyError> {
        read_input(path, MOST_BYTES).map_err(|source| StudyError::Read { path: path.into(), source })
    }

    /// Reads a study from text; `source` says in errors where it is from.
    ///
    /// # Errors
    /// If the text is not TOML, holds an unknown key or a value of the wrong type, names no variant or one twice.
    pub fn parse(source: &str, text: &str) -> Result<Self, StudyError> {
        let place_at = |offset: usize| Place::at(source, text, offset);
        let syntax = |error: toml::de::Error| StudyError::Syntax {
            reason: error.message().trim().to_owned(),
            place: place_at(error.span().map_or(0, |span| span.start)),
        };
        let table = DeTable::parse(text).map_err(syntax)?;
        if let Some((key, offset, known)) = unknown_key(table.get_ref()) {
            let suggestion = nearest(&key, known.iter().copied());
            return Err(StudyError::UnknownKey { key, place: place_at(offset), suggestion });
        }
        let raw: RawStudy = toml::from_str(text).map_err(syntax)?;
        let wrong = |reason: String, key: &str| StudyError::Syntax {
            reason,
            place: Place::of_key(source, text, (table.get_ref(), key)),
        };
        if let Some(threshold) = raw.threshold.filter(|threshold| !threshold.is_finite()) {
            return Err(wrong(format!("`threshold` is {threshold}, not a finite number"), "threshold"));
        }
        let tasks: Vec<Task> = raw.task.into_iter().map(|t| Task { env: t.env, zero: t.zero, one: t.one }).collect();
        let env = match (raw.env, tasks.first()) {
            (Some(env), None) => env,
            (None, Some(first)) => first.env.clone(),
            (Some(_), Some(_)) => {
                return Err(wrong("a study has `env`, or `[[task]]` for each of several".into(), "env"));
            }
            (None, None) => {
                return Err(wrong(
                    "missing field `env`: the id of an environment, or a `[[task]]` for each".into(),
                    "name",
                ));
            }
        };
        if let Some(task) = tasks.iter().find(|t| !(t.zero.is_finite() && t.one.is_finite() && t.zero != t.one)) {
            let reason = format!(
                "the scale of `{}` is from {} to {}: give two numbers that are apart",
                task.env, task.zero, task.one
            );
            return Err(wrong(reason, "task"));
        }
        if let Some(twice) =
            tasks.iter().enumerate().find(|(at, t)| tasks[..*at].iter().any(|other| other.env == t.env))
        {
            return Err(wrong(format!("two tasks are `{}`", twice.1.env), "task"));
        }
        let study = Study {
            tasks,
            seeds: raw.seeds.map_or_else(|| Seeds::first(DEFAULT_SEEDS), RawSeeds::read)?,
            name: raw.name,
            description: raw.description,
            env,
            metric: raw.metric,
            threshold: raw.threshold,
            set: raw.set,
            variants: raw.variant.into_iter().map(|v| Variant { name: v.name, preset: v.preset, set: v.set }).collect(),
        };
        study.check_names()?;
        Ok(study)
    }

    fn check_names(&self) -> Result<(), StudyError> {
        if self.variants.is_empty() {
            return Err(StudyError::NoVariants { study: self.name.clone() });
        }
        for name in self.variants.iter().map(|variant| &variant.name).chain([&self.name]) {
            if !is_plain_name(name) {
                return Err(StudyError::Name { name: name.clone() });
            }
        }
        let mut names: Vec<&str> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(StudyError::DuplicateVariant { variant: pair[0].into() }),
            None => Ok(()),
        }
    }
}

/// Whether a name can be that of a directory, anywhere.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.+".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
}

#[derive(Deserialize)]
struct RawStudy {
    name: String,
    #[serde(default)]
    description: String,
    env: Option<String>,
    #[serde(default)]
    task: Vec<RawTask>,
    seeds: Option<RawSeeds>,
    #[serde(default)]
    metric: Metric,
    threshold: Option<f64>,
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    variant: Vec<RawVariant>,
}

#[derive(Deserialize)]
struct RawTask {
    env: String,
    zero: f64,
    one: f64,
}

#[derive(Deserialize)]
struct RawVariant {
    name: String,
    preset: Option<String>,
    #[serde(default)]
    set: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "seeds are a range such as \"0..10\", a list such as [0, 3, 7], or how many")]
enum RawSeeds {
    Count(u64),
    List(Vec<u64>),
    Text(String),
}

impl RawSeeds {
    fn read(self) -> Result<Seeds, SeedsError> {
        match self {
            RawSeeds::Count(count) => Seeds::first(count),
            RawSeeds::List(seeds) => Seeds::new(seeds),
            RawSeeds::Text(text) => text.parse(),
        }
    }
}

/// The first key that means nothing, its byte offset, and the keys that would mean something in its place.
fn unknown_key(study: &DeTable<'_>) -> Option<(String, usize, &'static [&'static str])> {
    for (key, value) in study {
        if !STUDY_KEYS.contains(&key.get_ref().as_ref()) {
            return Some((key.get_ref().to_string(), key.span().start, &STUDY_KEYS));
        }
        let (items, known): (_, &'static [&'static str]) = match (value.get_ref(), key.get_ref().as_ref()) {
            (DeValue::Array(items), "variant") => (items, &VARIANT_KEYS),
            (DeValue::Array(items), "task") => (items, &TASK_KEYS),
            _ => continue,
        };
        let tables = items.iter().filter_map(|item| match item.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        });
        let wrong = tables.flat_map(|table| table.keys()).find(|key| !known.contains(&key.get_ref().as_ref()));
        if let Some(key) = wrong {
            return Some((key.get_ref().to_string(), key.span().start, known));
        }
    }
    None
}
