//! Reading a [`Study`] from TOML.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::raw::{RawSeeds, RawStudy, RawTask, RawVariant, unknown_key};
use super::{Seeds, Study, StudyError};
use crate::config::{Place, check_assignments};
use crate::storage::read_input;
use crate::suggest::nearest;

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
        for list in lists_of_settings(table.get_ref()) {
            check_assignments(list, place_at).map_err(|source| StudyError::Assignment(Box::new(source)))?;
        }
        let wrong = |reason: String, key: &str| StudyError::Syntax {
            reason,
            place: Place::of_key(source, text, (table.get_ref(), key)),
        };
        let wrong_in = |reason: String, list: &str, at: usize| StudyError::Syntax {
            reason,
            place: place_at(offset_of(table.get_ref(), list, at)),
        };
        if let Some(threshold) = raw.threshold.filter(|threshold| !threshold.is_finite()) {
            return Err(wrong(format!("`threshold` is {threshold}, not a finite number"), "threshold"));
        }
        let env = match (raw.env, raw.task.first()) {
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
        let seeds = |raw: Option<RawSeeds>| raw.map(RawSeeds::read).transpose();
        let study = Study {
            tasks: raw.task.into_iter().map(RawTask::read).collect::<Result<_, _>>()?,
            seeds: seeds(raw.seeds)?.map_or_else(|| Seeds::first(DEFAULT_SEEDS), Ok)?,
            name: raw.name,
            description: raw.description,
            env,
            metric: raw.metric,
            threshold: raw.threshold,
            set: raw.set,
            variants: raw.variant.into_iter().map(RawVariant::read).collect::<Result<_, _>>()?,
            references: raw.reference,
            tables: raw.table,
        };
        study.check_names()?;
        match study.fault() {
            Some((reason, list, at)) => Err(wrong_in(reason, list, at)),
            None => Ok(study),
        }
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

    /// What does not go together in it, with the list and the place in that list where it stands.
    fn fault(&self) -> Option<(String, &'static str, usize)> {
        let names: Vec<&str> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        let unknown = |name: &str| {
            let near = nearest(name, names.iter().copied()).map(|near| format!(", did you mean `{near}`?"));
            format!("no variant is called `{name}`{}", near.unwrap_or_default())
        };
        for (at, task) in self.tasks.iter().enumerate() {
            let numbers = [("zero", task.zero), ("one", task.one), ("aim", task.aim)];
            let reason = if self.tasks[..at].iter().any(|other| other.env == task.env) {
                format!("two tasks are `{}`", task.env)
            } else if let Some((key, value)) =
                numbers.iter().find_map(|(k, v)| Some((k, v.filter(|v| !v.is_finite())?)))
            {
                format!("`{key}` of `{}` is {value}, not a finite number", task.env)
            } else if let Some(value) = task.zero.filter(|zero| Some(*zero) == task.one) {
                format!("the scale of `{}` is from {value} to {value}: give two numbers that are apart", task.env)
            } else if let Some(name) = task.skip.iter().find(|name| !names.contains(&name.as_str())) {
                format!("`skip` of `{}`: {}", task.env, unknown(name))
            } else if !task.skip.is_empty() && self.everywhere().is_empty() {
                "`skip` leaves no variant that is trained in every environment".into()
            } else if task.decimals.is_some_and(|decimals| decimals > MOST_DECIMALS) {
                format!("`decimals` of `{}` is more than {MOST_DECIMALS}", task.env)
            } else {
                continue;
            };
            return Some((reason, "task", at));
        }
        for (at, reference) in self.references.iter().enumerate() {
            let is_known = |(level, value): &(f64, f64)| (0.0..=1.0).contains(level) && value.is_finite();
            let reason = if !names.contains(&reference.variant.as_str()) {
                unknown(&reference.variant)
            } else if reference.runs == 0 || !reference.quantiles.iter().all(is_known) {
                format!("the reference of `{}` needs `runs`, and `quantiles` at levels from 0 to 1", reference.variant)
            } else {
                continue;
            };
            return Some((reason, "reference", at));
        }
        for (at, table) in self.tables.iter().enumerate() {
            let columns = || table.columns.iter();
            let reason = if self.tables[..at].iter().any(|other| other.name == table.name) {
                format!("two tables are called `{}`", table.name)
            } else if table.columns.is_empty() {
                format!("table `{}` has no column", table.name)
            } else if let Some(name) = table.variants.iter().find(|name| !names.contains(&name.as_str())) {
                format!("table `{}`: {}", table.name, unknown(name))
            } else if let Some(column) =
                columns().find(|column| column.at_least.is_some_and(|least| !least.is_finite()))
            {
                format!("`at_least` of column `{}` is not a finite number", column.head)
            } else if let Some(column) = columns().find(|column| column.decimals.is_some_and(|it| it > MOST_DECIMALS)) {
                format!("`decimals` of column `{}` is more than {MOST_DECIMALS}", column.head)
            } else {
                continue;
            };
            return Some((reason, "table", at));
        }
        None
    }
}

/// No figure has more decimals.
const MOST_DECIMALS: usize = 17;

/// Every `set` in the file.
fn lists_of_settings<'a>(study: &'a DeTable<'a>) -> impl Iterator<Item = &'a DeValue<'a>> {
    let within = |list: &str| match study.get(list).map(|value| value.get_ref()) {
        Some(DeValue::Array(items)) => items.iter().filter_map(|item| item.get_ref().as_table()).collect(),
        _ => Vec::new(),
    };
    let tables = [study].into_iter().chain(within("task")).chain(within("variant"));
    tables.filter_map(|table| Some(table.get("set")?.get_ref()))
}

/// Where the table at a place of a list of tables begins.
fn offset_of(study: &DeTable<'_>, list: &str, at: usize) -> usize {
    let value = study.iter().find(|(key, _)| key.get_ref() == list).map(|(_, value)| value.get_ref());
    let Some(DeValue::Array(items)) = value else { return 0 };
    let Some(DeValue::Table(item)) = items.get(at).map(|item| item.get_ref()) else { return 0 };
    item.keys().map(|key| key.span().start).min().unwrap_or(0)
}

/// Whether a name can be that of a directory, anywhere.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.+".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
}
