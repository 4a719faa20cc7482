//! Reading a [`Study`] from TOML.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::names::is_plain_name;
use super::places::Places;
use super::raw::{RawSeeds, RawStudy, RawTask, RawVariant, unknown_key};
use super::{Seeds, SeedsError, Study, StudyError, Variant};
use crate::config::{Place, check_algorithm, check_assignments, check_preset, in_plain_words};
use crate::storage::read_input;
use crate::suggest::nearest;

/// The maximum size of a study file, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The default number of seeds.
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

    /// Reads a study from text; errors name `source` as its origin.
    ///
    /// # Errors
    /// If the text is not TOML, has an unknown key or a value of the wrong type, or has no variant or two with the same name.
    pub fn parse(source: &str, text: &str) -> Result<Self, StudyError> {
        let syntax = |error: toml::de::Error| StudyError::Syntax {
            reason: in_plain_words(error.message()),
            place: Place::at(source, text, error.span().map_or(0, |span| span.start)),
        };
        let table = DeTable::parse(text).map_err(syntax)?;
        let places = Places { source, text, table: table.get_ref() };
        if let Some((key, offset, known)) = unknown_key(table.get_ref()) {
            let suggestion = nearest(&key, known.iter().copied());
            return Err(StudyError::UnknownKey { key, place: places.at(offset), suggestion });
        }
        let raw: RawStudy = toml::from_str(text).map_err(syntax)?;
        for list in lists_of_settings(table.get_ref()) {
            check_assignments(list, |offset| places.at(offset))
                .map_err(|source| StudyError::Assignment(Box::new(source)))?;
            check_settings(list, &places)?;
        }
        let wrong = |reason: String, key: &str| StudyError::Syntax { reason, place: places.of(key) };
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
        let own = raw.seeds.map(RawSeeds::read).unwrap_or_else(|| Seeds::first(DEFAULT_SEEDS));
        let seeds_of = |list: &'static str| {
            let places = &places;
            move |at: usize| move |error| StudyError::Seeds(error).at(places.within(list, at, "seeds"))
        };
        let study = Study {
            tasks: read_all(raw.task, RawTask::read, seeds_of("task"))?,
            seeds: own.map_err(|error| StudyError::Seeds(error).at(places.of("seeds")))?,
            name: raw.name,
            description: raw.description,
            env,
            metric: raw.metric,
            threshold: raw.threshold,
            set: raw.set,
            variants: read_all(raw.variant, RawVariant::read, seeds_of("variant"))?,
            references: raw.reference,
            tables: raw.table,
        };
        study.check_names(&places)?;
        study.check_layers(&places)?;
        match study.fault() {
            Some((reason, list, at)) => Err(StudyError::Syntax { reason, place: places.within(list, at, "") }),
            None => Ok(study),
        }
    }

    fn check_names(&self, places: &Places<'_>) -> Result<(), StudyError> {
        let nameless = |name: &String| StudyError::Name { name: name.clone() };
        if !is_plain_name(&self.name) {
            return Err(nameless(&self.name).at(places.of("name")));
        }
        if self.variants.is_empty() {
            return Err(StudyError::NoVariants { study: self.name.clone() });
        }
        for (at, Variant { name, .. }) in self.variants.iter().enumerate() {
            let place = || places.within("variant", at, "name");
            if !is_plain_name(name) {
                return Err(nameless(name).at(place()));
            }
            if self.variants[..at].iter().any(|other| other.name == *name) {
                return Err(StudyError::DuplicateVariant { variant: name.clone() }.at(place()));
            }
        }
        Ok(())
    }

    /// Checks each preset and algorithm by itself, whatever is applied over it.
    fn check_layers(&self, places: &Places<'_>) -> Result<(), StudyError> {
        for (at, task) in self.tasks.iter().enumerate() {
            check_preset(task.preset.as_deref())
                .map_err(|error| StudyError::Assignment(Box::new(error)).at(places.within("task", at, "preset")))?;
        }
        for (at, variant) in self.variants.iter().enumerate() {
            let wrong = |source, key| {
                let setting = StudyError::Setting { variant: variant.name.clone(), source: Box::new(source) };
                setting.at(places.within("variant", at, key))
            };
            check_preset(variant.preset.as_deref()).map_err(|error| wrong(error, "preset"))?;
            check_algorithm(variant.algorithm.as_deref()).map_err(|error| wrong(error, "algo"))?;
        }
        Ok(())
    }

    /// An inconsistency, with the list and the index in that list where it occurs.
    fn fault(&self) -> Option<(String, &'static str, usize)> {
        let names: Vec<&str> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        let unknown = |name: &str| {
            let near = nearest(name, names.iter().copied()).map(|near| format!(", did you mean `{near}`?"));
            format!("no variant is called `{name}`{}", near.unwrap_or_default())
        };
        for (at, task) in self.tasks.iter().enumerate() {
            let numbers = [("zero", task.zero), ("one", task.one), ("aim", task.aim)];
            let reason = if self.tasks[..at].iter().any(|other| other.env == task.env) {
                format!("two tasks have the environment `{}`", task.env)
            } else if let Some((key, value)) =
                numbers.iter().find_map(|(k, v)| Some((k, v.filter(|v| !v.is_finite())?)))
            {
                format!("`{key}` of `{}` is {value}, not a finite number", task.env)
            } else if let Some(value) = task.zero.filter(|zero| Some(*zero) == task.one) {
                format!("the scale of `{}` is from {value} to {value}: give two different numbers", task.env)
            } else if let Some(name) = task.skip.iter().find(|name| !names.contains(&name.as_str())) {
                format!("`skip` of `{}`: {}", task.env, unknown(name))
            } else if !task.skip.is_empty() && self.everywhere().is_empty() {
                "after `skip`, no variant that is trained in every environment is left".into()
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

/// The maximum number of decimals.
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

/// Keys that a study sets outside its settings, and how.
const NO_SETTINGS: [(&str, &str); 2] = [
    ("env.id", "give its environment with `env = …`, or a `[[task]]` for each of several"),
    ("train.seed", "give its seeds with `seeds = …`"),
];

/// Refuses settings that would have no effect, or would override what the study itself says.
fn check_settings(list: &DeValue<'_>, places: &Places<'_>) -> Result<(), StudyError> {
    let DeValue::Array(items) = list else { return Ok(()) };
    for item in items {
        let Some((key, _)) = item.get_ref().as_str().and_then(|setting| setting.split_once('=')) else { continue };
        if let Some((key, reason)) = NO_SETTINGS.iter().find(|(no_setting, _)| *no_setting == key.trim()) {
            return Err(StudyError::NoSetting { key: (*key).into(), reason }.at(places.at(item.span().start)));
        }
    }
    Ok(())
}

/// The items of a list, each parsed; an error has the item's index.
fn read_all<R, T, F: Fn(SeedsError) -> StudyError>(
    raw: Vec<R>,
    read: fn(R) -> Result<T, SeedsError>,
    wrong: impl Fn(usize) -> F,
) -> Result<Vec<T>, StudyError> {
    raw.into_iter().enumerate().map(|(at, raw)| read(raw).map_err(wrong(at))).collect()
}
