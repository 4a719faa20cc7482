//! [`Places`], where each part of a study is in its text.

use requel_envs::EnvError;
use toml::de::{DeTable, DeValue};

use super::StudyError;
use crate::config::Place;

/// A study's text, for finding places in it.
pub(super) struct Places<'a> {
    pub source: &'a str,
    pub text: &'a str,
    pub table: &'a DeTable<'a>,
}

impl Places<'_> {
    /// The place at a byte offset.
    pub fn at(&self, offset: usize) -> Place {
        Place::at(self.source, self.text, offset)
    }

    /// The place of a key of the study; the start of the text if it does not have the key.
    pub fn of(&self, key: &str) -> Place {
        Place::of_key(self.source, self.text, (self.table, key))
    }

    /// The place of a key in a table of a list of tables; the start of that table if it does not have the key.
    pub fn within(&self, list: &str, at: usize, key: &str) -> Place {
        let Some(item) = tables_in(self.table, list).nth(at) else { return self.at(0) };
        let own = item.keys().find(|own| own.get_ref() == key).map(|own| own.span().start);
        self.at(own.or_else(|| item.keys().map(|key| key.span().start).min()).unwrap_or(0))
    }

    /// The start of the table in a list whose key has this value.
    fn of_value(&self, list: &str, (key, value): (&str, &str)) -> Option<Place> {
        let is_it = |table: &DeTable<'_>| table.get(key).is_some_and(|one| one.get_ref().as_str() == Some(value));
        Some(self.within(list, tables_in(self.table, list).position(is_it)?, key))
    }
}

/// The tables of a list of tables.
pub(super) fn tables_in<'t, 'i>(table: &'t DeTable<'i>, list: &str) -> impl Iterator<Item = &'t DeTable<'i>> {
    let value = table.iter().find(|(key, _)| key.get_ref() == list).map(|(_, value)| value.get_ref());
    let items = match value {
        Some(DeValue::Array(items)) => items.iter().collect(),
        _ => Vec::new(),
    };
    items.into_iter().filter_map(|item| match item.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    })
}

impl StudyError {
    /// The error with its place in the study's text, if that is known: problems with an environment or with a variant's complete config
    /// only show after the text was read.
    pub fn in_text(self, source: &str, text: &str) -> Self {
        let Ok(table) = DeTable::parse(text) else { return self };
        let places = Places { source, text, table: table.get_ref() };
        let name = match self {
            StudyError::Env(EnvError::UnknownId { id, suggestion }) => {
                let place = places.of_value("task", ("env", &id)).unwrap_or_else(|| places.of("env"));
                return StudyError::UnknownEnv { id, place, suggestion };
            }
            StudyError::Setting { variant: ref name, .. }
            | StudyError::Trainer { variant: ref name, .. }
            | StudyError::SameVariant { other: ref name, .. } => name,
            _ => return self,
        };
        match places.of_value("variant", ("name", name)) {
            Some(place) => self.at(place),
            None => self,
        }
    }

    pub(super) fn at(self, place: Place) -> Self {
        StudyError::At { error: Box::new(self), place }
    }
}
