//! [`Search`], what is searched, and how far.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::journal::{self, Journal};
use super::{Rungs, Sampler, Space, TuneError};
use crate::identity::EnvIdentity;
use crate::run::RunError;
use crate::storage::{RealStorage, read_regular, replace};

/// A search over settings of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The training, and the keys whose values are tried. Its budget and evaluations are those of [`Rungs::apply`].
    pub space: Space,
    /// How values are found.
    pub sampler: Sampler,
    /// What all of it is drawn from.
    pub seed: u64,
    /// How many trials go on at a time. It decides what is known when a trial begins, and so the result; the number of threads does not.
    pub jobs: usize,
    /// When no more trials begin.
    pub budget: SearchBudget,
    /// How trials are told apart.
    pub rungs: Rungs,
}

/// How far a search goes. When no more trials begin, those that lead are trained to their end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchBudget {
    /// After so many.
    Trials(u64),
    /// Until all of the training comes to so many env steps, what those that lead still need included.
    EnvSteps(u64),
    /// Until all of it will have taken so many minutes, at the pace so far. What comes of it depends on the machine, but not on how
    /// often it was interrupted.
    Minutes(f64),
}

/// The file of the search in its directory.
const FILE: &str = "search.json";
/// No search that was written here is longer, bytes.
const MOST_BYTES: u64 = 1 << 20;

impl Search {
    /// Looks whether the numbers of the search itself are of use.
    ///
    /// # Errors
    /// With the first that is not.
    pub fn check(&self) -> Result<(), TuneError> {
        if self.space.dimensions().is_empty() {
            return Err(TuneError::NoKeys);
        }
        check_numbers(self.budget, self.jobs)?;
        self.rungs.check()
    }

    /// The seeds of a trial's runs, so many of them: no other trial's, and none of the first thousand, which are left for whoever
    /// tries the winner again.
    pub fn seeds(&self, trial: usize, count: u64) -> Vec<u64> {
        let most = self.rungs.levels().last().map_or(1, |rung| rung.seeds);
        (0..count).map(|run| 1000 + trial as u64 * most + run).collect()
    }

    /// Sixteen hexadecimal digits that stand for the search but for its budget.
    pub fn fingerprint(&self) -> String {
        let mut description = self.description();
        description.remove("budget");
        let text = serde_json::to_vec(&description).expect("a search is JSON");
        blake3::hash(&text).to_hex()[..16].to_owned()
    }

    /// Writes the search down in its directory, or holds it against the one that is there. Another budget is the same search that goes
    /// on for longer; the file has that of the last that came to its end, or the first.
    pub(super) fn keep(&self, dir: &Path, environment: &EnvIdentity) -> Result<(), TuneError> {
        if self.is_kept(dir, environment)? {
            return Ok(());
        }
        check_empty(dir)?;
        // A search whose own file was lost is gone on with by its own journal alone.
        drop(Journal::read(journal::path(dir), &self.fingerprint())?);
        self.write(dir, environment)
    }

    /// Writes the search down in its directory.
    pub(super) fn write(&self, dir: &Path, environment: &EnvIdentity) -> Result<(), TuneError> {
        let path = dir.join(FILE);
        let text = serde_json::to_vec_pretty(&self.description_in(environment)).expect("a search is JSON");
        if read_regular(&path, MOST_BYTES).is_ok_and(|there| there == text) {
            return Ok(());
        }
        Ok(replace(&RealStorage, &path, &text).map_err(RunError::io("write", &path))?)
    }

    /// Whether the directory holds this search; it is an error if it holds another.
    pub(super) fn is_kept(&self, dir: &Path, environment: &EnvIdentity) -> Result<bool, TuneError> {
        let path = dir.join(FILE);
        match read_regular(&path, MOST_BYTES) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            there => {
                let there = there.map_err(RunError::io("read", &path))?;
                let there: Map<String, Value> =
                    serde_json::from_slice(&there).map_err(|_| TuneError::Damaged { path: path.clone() })?;
                let differences = differences(&there, &self.description_in(environment));
                if !differences.is_empty() {
                    return Err(TuneError::OtherSearch { path: dir.to_path_buf(), differences });
                }
                Ok(true)
            }
        }
    }

    /// The description with what the environment is known by: one that only shares its id gives other scores.
    fn description_in(&self, environment: &EnvIdentity) -> Map<String, Value> {
        let mut description = self.description();
        description.insert("environment".to_owned(), json!(environment));
        description
    }

    fn description(&self) -> Map<String, Value> {
        let keys: Map<String, Value> =
            self.space.dimensions().iter().map(|one| (one.key.path.into(), json!(one.domain))).collect();
        let fields = [
            ("requel", json!(env!("CARGO_PKG_VERSION"))),
            ("config", json!(self.space.start())),
            ("keys", Value::Object(keys)),
            ("sampler", json!(self.sampler)),
            ("seed", json!(self.seed)),
            ("jobs", json!(self.jobs)),
            ("rungs", json!(self.rungs)),
            // What a journal's scores are of.
            ("levels", json!(self.rungs.levels())),
            ("budget", json!(self.budget)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

const MOST_TRIALS: u64 = 10_000;

/// Looks whether a budget and a number of jobs are of use.
///
/// # Errors
/// With the first that is not.
pub(super) fn check_numbers(budget: SearchBudget, jobs: usize) -> Result<(), TuneError> {
    let wrong = |what, value: String, complaint| Err(TuneError::Number { what, value, complaint });
    match budget {
        SearchBudget::Trials(trials) if !(1..=MOST_TRIALS).contains(&trials) => {
            wrong("trials", trials.to_string(), "not between 1 and 10000")
        }
        SearchBudget::EnvSteps(0) => wrong("env_steps", "0".into(), "not 1 or more"),
        SearchBudget::Minutes(minutes) if !(minutes > 0.0 && minutes.is_finite()) => {
            wrong("minutes", minutes.to_string(), "not above 0")
        }
        _ if !(1..=1024).contains(&jobs) => wrong("jobs", jobs.to_string(), "not between 1 and 1024"),
        _ => Ok(()),
    }
}

/// What differs but for the budget, to the depth of single settings.
fn differences(there: &Map<String, Value>, mine: &Map<String, Value>) -> Vec<String> {
    fn compare(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
        match (one, other) {
            (Value::Object(one), Value::Object(other)) => {
                let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
                names.sort_unstable();
                names.dedup();
                for name in names {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    let of = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                    compare(&path, &of(one), &of(other), found);
                }
            }
            (one, other) if one != other => found.push(path.to_owned()),
            _ => {}
        }
    }
    let without = |map: &Map<String, Value>| {
        let mut map = map.clone();
        map.remove("budget");
        Value::Object(map)
    };
    let mut found = Vec::new();
    compare("", &without(there), &without(mine), &mut found);
    found.truncate(6);
    found
}

/// Whether there is a search in this directory.
pub fn is_search(dir: &Path) -> bool {
    dir.join(FILE).is_file() || journal::path(dir).is_file()
}

/// Refuses a directory in which something else lies.
fn check_empty(dir: &Path) -> Result<(), TuneError> {
    let entries = std::fs::read_dir(dir).map_err(RunError::io("list", dir))?;
    let is_ours = |name: &std::ffi::OsStr| name == ".lock" || name.to_string_lossy().starts_with(FILE);
    // A search whose own file was lost or removed.
    if journal::path(dir).is_file() {
        return Ok(());
    }
    match entries.flatten().find(|entry| !is_ours(&entry.file_name())) {
        Some(_) => Err(TuneError::Occupied { path: dir.to_path_buf() }),
        None => Ok(()),
    }
}
