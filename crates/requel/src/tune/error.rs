//! [`TuneError`].

use std::path::PathBuf;

use requel_envs::EnvError;
use thiserror::Error;

use crate::config::{ConfigError, Key, Place};
use crate::run::RunError;
use crate::suggest::unknown_env_hint;

/// Why a search cannot be read, begun or gone on with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The file cannot be read.
    #[error("cannot read search {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text is not TOML, or a value is of the wrong type.
    #[error("{reason}, in {place}")]
    Syntax {
        /// What is wrong.
        reason: String,
        /// Where.
        place: Place,
    },
    /// What is wrong, with the place in the search's text where it is.
    #[error("{error}, in {place}")]
    At {
        /// What is wrong.
        error: Box<TuneError>,
        /// Where.
        place: Place,
    },
    /// A key that means nothing.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        place: Place,
        /// The nearest key, if one is near.
        suggestion: Option<String>,
    },
    /// A key that the search sets itself, or that none can search.
    #[error("`{key}` {reason}")]
    NotSearched {
        /// The key.
        key: String,
        /// Why.
        reason: &'static str,
    },
    /// Values of a key that are none.
    #[error("`{key}` {reason}, in {place}")]
    Values {
        /// The key.
        key: String,
        /// What is wrong, as the rest of a sentence.
        reason: String,
        /// Where.
        place: Place,
    },
    /// There is nothing to search.
    #[error("no key is searched: nothing is declared to be worth trying here")]
    NoKeys,
    /// A number of the search itself is out of its range.
    #[error("`{what}` is {value}, {complaint}")]
    Number {
        /// What it is.
        what: &'static str,
        /// The number.
        value: String,
        /// What it should be.
        complaint: &'static str,
    },
    /// No settings that were drawn can be trained.
    #[error("of {attempts} settings that were drawn none can be trained; the last: {source}")]
    NothingTrains {
        /// How many.
        attempts: u32,
        /// What is wrong with the last.
        source: Box<ConfigError>,
    },
    /// No trial came to the end.
    #[error("every trial failed; the first: {reason}")]
    AllFailed {
        /// Why the first did.
        reason: String,
    },
    /// There is another search in the directory.
    #[error("{} holds another search: {} {}", path.display(), differences.join(", "), if differences.len() == 1 { "differs" } else { "differ" })]
    OtherSearch {
        /// The directory.
        path: PathBuf,
        /// What differs.
        differences: Vec<String>,
    },
    /// The journal in the directory is of another search.
    #[error("{}, line {line} is of another search than this", path.display())]
    OtherJournal {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Where a run of a trial is to be there is one with other settings.
    #[error("{} is a run with other settings: {}", path.display(), differences.join(", "))]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// What differs, as `key is there, not here`.
        differences: Vec<String>,
    },
    /// More trials were tried there than the budget has room for.
    #[error("{} holds a search that has tried {there} settings, and this budget ends it after {asked}", path.display())]
    FewerTrials {
        /// The directory.
        path: PathBuf,
        /// How many trials have begun there.
        there: usize,
        /// After how many trials none would begin.
        asked: usize,
    },
    /// The search's own file is not what was written.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A line of the journal is not what was written.
    #[error("{}, line {line} was changed: its checksum is another", path.display())]
    DamagedLine {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The directory can only be read, and the search in it is not over.
    #[error("{} cannot be written to, and the search is not over", path.display())]
    ReadOnly {
        /// What cannot be written to.
        path: PathBuf,
    },
    /// A key is to have one value and to be searched.
    #[error("`{key}` is both in `set` and under `[keys]`")]
    Twice {
        /// The key.
        key: String,
    },
    /// Something else is in the directory.
    #[error("{} is not empty, and holds no search", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// Another process searches there.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The environment is not known.
    #[error("unknown environment `{id}`, in {place}")]
    UnknownEnv {
        /// What was asked for.
        id: String,
        /// Where.
        place: Place,
        /// The nearest id, if one is near.
        suggestion: Option<String>,
    },
    /// The environment is not known, or cannot be made.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The settings that a search begins from come to no config, or those of a trial do not.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// A run cannot be made or read.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<ConfigError> for TuneError {
    fn from(error: ConfigError) -> Self {
        TuneError::Config(Box::new(error))
    }
}

impl TuneError {
    pub(super) fn at(self, place: Place) -> Self {
        TuneError::At { error: Box::new(self), place }
    }

    /// What to try, if something is worth trying.
    pub fn hint(&self) -> Option<String> {
        match self {
            TuneError::At { error, .. } => error.hint(),
            TuneError::UnknownKey { suggestion: Some(key), .. } => Some(format!("did you mean `{key}`?")),
            TuneError::UnknownKey { .. } => Some("`requel tune ENV --print` prints a whole search file".into()),
            TuneError::Values { key, .. } if Key::of(key).is_some() => Some(
                "write { low = 1e-4, high = 1e-2, scale = \"log\" }, a list such as [32, 64], or {} for the declared values"
                    .into(),
            ),
            TuneError::NoKeys => Some("name some under [keys], such as agent.gamma = { low = 0.9, high = 0.999 }".into()),
            TuneError::NothingTrains { .. } => Some("narrow the values of that key, or train longer".into()),
            TuneError::AllFailed { .. } => Some("`requel train` with the settings that the search begins from says more".into()),
            TuneError::OtherSearch { .. } => Some("name another directory, or remove this one".into()),
            TuneError::FewerTrials { .. } => {
                Some("give as large a budget as before, or a larger one; or name another directory for a shorter search".into())
            }
            TuneError::OtherJournal { .. } => {
                Some("give the command that the search in this directory was begun with, or name another directory".into())
            }
            TuneError::OtherRun { .. } => Some("remove that directory, and the run is trained again".into()),
            TuneError::Damaged { .. } => Some("remove it: the command that the search was begun with writes it again, and goes on with the journal".into()),
            TuneError::DamagedLine { .. } => {
                Some("remove the line: what it says is found out again, from the trials' runs".into())
            }
            TuneError::Twice { .. } => Some("leave it in `set` for all trials to have that value, or in `[keys]` to search it".into()),
            TuneError::Occupied { .. } => Some("name a directory that is new or empty".into()),
            TuneError::Env(EnvError::UnknownId { suggestion, .. }) | TuneError::UnknownEnv { suggestion, .. } => {
                Some(unknown_env_hint(suggestion.as_deref()))
            }
            TuneError::Config(source) => source.hint(),
            _ => None,
        }
    }
}
