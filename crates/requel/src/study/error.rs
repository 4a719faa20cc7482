//! [`StudyError`].

use std::path::PathBuf;

use requel_envs::EnvError;
use thiserror::Error;

use super::SeedsError;
use crate::config::{ConfigError, Place};
use crate::run::RunError;
use crate::train::TrainError;

/// Why a study cannot be read or made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The file cannot be read.
    #[error("cannot read study {}: {source}", path.display())]
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
    /// What is wrong, with the place in the study's text where it is.
    #[error("{error}, in {place}")]
    At {
        /// What is wrong.
        error: Box<StudyError>,
        /// Where.
        place: Place,
    },
    /// A key that is set beside the variants, and not by their settings.
    #[error("`{key}` is no setting of a study: {reason}")]
    NoSetting {
        /// The key.
        key: String,
        /// What says it instead.
        reason: &'static str,
    },
    /// There is no variant.
    #[error("study `{study}` has no variant")]
    NoVariants {
        /// The study.
        study: String,
    },
    /// Two variants have one name.
    #[error("two variants are called `{variant}`")]
    DuplicateVariant {
        /// The name.
        variant: String,
    },
    /// Two variants have one config: their runs would be the same.
    #[error("variants `{one}` and `{other}` are the same in every setting")]
    SameVariant {
        /// The first.
        one: String,
        /// The second.
        other: String,
    },
    /// A name that could be no directory.
    #[error("{}", crate::study::not_plain(name))]
    Name {
        /// The name.
        name: String,
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
    /// A setting of the file is none, whatever else is set.
    #[error(transparent)]
    Assignment(Box<ConfigError>),
    /// A variant's settings come to no config.
    #[error("variant `{variant}`: {source}")]
    Setting {
        /// The variant.
        variant: String,
        /// What is wrong.
        source: Box<ConfigError>,
    },
    /// A variant's config comes to no training.
    #[error("variant `{variant}`: {source}")]
    Trainer {
        /// The variant.
        variant: String,
        /// What is wrong.
        source: Box<TrainError>,
    },
    /// No return is known that counts as 0 or as 1.
    #[error("no scale is known of `{env}`: which return counts as {}?", if *which == "zero" { 0 } else { 1 })]
    NoScale {
        /// The environment.
        env: String,
        /// `zero` or `one`.
        which: &'static str,
    },
    /// The same return counts as 0 and as 1.
    #[error("the scale of `{env}` is from {value} to {value}: give two numbers that are apart")]
    FlatScale {
        /// The environment.
        env: String,
        /// The return.
        value: f64,
    },
    /// A file of runs cannot be read.
    #[error("line {line} {reason}")]
    Rows {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, as the rest of a sentence.
        reason: String,
    },
    /// A page asks for a table that the study does not have.
    #[error("study `{study}` has no table `{table}`")]
    NoTable {
        /// The study.
        study: String,
        /// The table.
        table: String,
        /// The nearest, if one is near.
        suggestion: Option<String>,
    },
    /// The seeds cannot be read.
    #[error(transparent)]
    Seeds(#[from] SeedsError),
    /// There is another run where one is to be.
    #[error("{} is a run with other settings: {}", path.display(), differences.join(", "))]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// What differs, as `key: there → here`.
        differences: Vec<String>,
    },
    /// A run cannot be read or made.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl StudyError {
    /// What to try, if something is worth trying.
    pub fn hint(&self) -> Option<String> {
        match self {
            StudyError::UnknownKey { suggestion: Some(key), .. } => Some(format!("did you mean `{key}`?")),
            StudyError::UnknownKey { .. } => Some(
                "a study has name, description, env or [[task]], seeds, metric, threshold, set, [[variant]], [[table]] and \
                 [[reference]]; a variant has name, preset, algo, set and seeds"
                    .into(),
            ),
            StudyError::At { error, .. } => error.hint(),
            StudyError::NoVariants { .. } => Some("add `[[variant]]` with a `name`, and what it is to `set`".into()),
            StudyError::DuplicateVariant { .. } => Some("give each variant a name of its own".into()),
            StudyError::SameVariant { .. } => Some("their runs would be the same: leave one out, or `set` something".into()),
            StudyError::Env(EnvError::UnknownId { suggestion: Some(near), .. })
            | StudyError::UnknownEnv { suggestion: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            StudyError::Env(EnvError::UnknownId { .. }) | StudyError::UnknownEnv { .. } => Some("`requel envs` lists the environments there are".into()),
            StudyError::Setting { source, .. } | StudyError::Assignment(source) => match &**source {
                ConfigError::Syntax { .. } => Some("write it as \"section.key=value\"".into()),
                source => source.hint(),
            },
            StudyError::NoScale { env, which } => {
                Some(format!("write `{which} = …` under `env = {env:?}` in its [[task]]"))
            }
            StudyError::FlatScale { env, .. } => {
                Some(format!("write `zero = …` and `one = …` under `env = {env:?}` in its [[task]]"))
            }
            StudyError::NoTable { suggestion, .. } => suggestion.as_ref().map(|near| format!("did you mean `{near}`?")),
            StudyError::OtherRun { .. } => Some("name another directory, or remove this one".into()),
            _ => None,
        }
    }
}
