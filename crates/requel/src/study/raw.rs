//! A study's file as written: its keys and their types.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::de::DeTable;

use super::places::tables_in;
use super::{Metric, Reference, Seeds, SeedsError, TableSpec, TaskSpec, Variant};

/// The keys of a study, and those of its lists of tables.
const STUDY_KEYS: [&str; 11] =
    ["name", "description", "env", "task", "seeds", "metric", "threshold", "set", "variant", "reference", "table"];
const VARIANT_KEYS: [&str; 5] = ["name", "preset", "algo", "set", "seeds"];
const TASK_KEYS: [&str; 10] = ["env", "preset", "set", "seeds", "skip", "zero", "one", "aim", "decimals", "published"];
const REFERENCE_KEYS: [&str; 4] = ["variant", "of", "runs", "quantiles"];
const TABLE_KEYS: [&str; 4] = ["name", "rows", "variants", "columns"];
const COLUMN_KEYS: [&str; 6] = ["head", "show", "of", "at_least", "decimals", "published"];

#[derive(Deserialize)]
pub(super) struct RawStudy {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub env: Option<String>,
    #[serde(default)]
    pub task: Vec<RawTask>,
    pub seeds: Option<RawSeeds>,
    #[serde(default)]
    pub metric: Metric,
    pub threshold: Option<f64>,
    #[serde(default)]
    pub set: Vec<String>,
    #[serde(default)]
    pub variant: Vec<RawVariant>,
    #[serde(default)]
    pub reference: Vec<Reference>,
    #[serde(default)]
    pub table: Vec<TableSpec>,
}

#[derive(Deserialize)]
pub(super) struct RawTask {
    pub env: String,
    preset: Option<String>,
    #[serde(default)]
    set: Vec<String>,
    seeds: Option<RawSeeds>,
    #[serde(default)]
    skip: Vec<String>,
    zero: Option<f64>,
    one: Option<f64>,
    aim: Option<f64>,
    decimals: Option<usize>,
    #[serde(default)]
    published: BTreeMap<String, String>,
}

impl RawTask {
    pub fn read(self) -> Result<TaskSpec, SeedsError> {
        let RawTask { env, preset, set, seeds, skip, zero, one, aim, decimals, published } = self;
        let seeds = seeds.map(RawSeeds::read).transpose()?;
        Ok(TaskSpec { env, preset, set, seeds, skip, zero, one, aim, decimals, published })
    }
}

#[derive(Deserialize)]
pub(super) struct RawVariant {
    name: String,
    preset: Option<String>,
    algo: Option<String>,
    #[serde(default)]
    set: Vec<String>,
    seeds: Option<RawSeeds>,
}

impl RawVariant {
    pub fn read(self) -> Result<Variant, SeedsError> {
        let RawVariant { name, preset, algo, set, seeds } = self;
        Ok(Variant { name, preset, algorithm: algo, set, seeds: seeds.map(RawSeeds::read).transpose()? })
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "seeds are a range such as \"0..10\", a list such as [0, 3, 7], or how many")]
pub(super) enum RawSeeds {
    Count(u64),
    List(Vec<u64>),
    Text(String),
}

impl RawSeeds {
    pub fn read(self) -> Result<Seeds, SeedsError> {
        match self {
            RawSeeds::Count(count) => Seeds::first(count),
            RawSeeds::List(seeds) => Seeds::new(seeds),
            RawSeeds::Text(text) => text.parse(),
        }
    }
}

/// An unknown key: its name, its byte offset, and the keys that are valid in its place.
type Unknown = (String, usize, &'static [&'static str]);

/// The first unknown key.
pub(super) fn unknown_key(study: &DeTable<'_>) -> Option<Unknown> {
    if let Some(wrong) = outside(study, &STUDY_KEYS) {
        return Some(wrong);
    }
    let lists: [(&str, &'static [&'static str]); 4] =
        [("variant", &VARIANT_KEYS), ("task", &TASK_KEYS), ("reference", &REFERENCE_KEYS), ("table", &TABLE_KEYS)];
    lists.into_iter().find_map(|(list, known)| {
        tables_in(study, list).find_map(|table| {
            outside(table, known).or_else(|| match list {
                "table" => tables_in(table, "columns").find_map(|column| outside(column, &COLUMN_KEYS)),
                _ => None,
            })
        })
    })
}

fn outside(table: &DeTable<'_>, known: &'static [&'static str]) -> Option<Unknown> {
    let wrong = table.keys().find(|key| !known.contains(&key.get_ref().as_ref()))?;
    Some((wrong.get_ref().to_string(), wrong.span().start, known))
}
