//! [`StudyError`].

use std::path::PathBuf;

use requel_envs::EnvError;
use thiserror::Error;

use super::SeedsError;
use crate::config::{ConfigError, Place};
use crate::run::RunError;
use crate::suggest::unknown_env_hint;
use crate::train::TrainError;

/// Why a study cannot be read or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The file cannot be read.
    #[error("cannot read study {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The text is not TOML, or a value has the wrong type.
    #[error("{reason}, in {place}")]
    Syntax {
        /// What is wrong.
        reason: String,
        /// Where.
        place: Place,
    },
    /// An unknown key.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it was written.
        place: Place,
        /// The most similar key, if there is one.
        suggestion: Option<String>,
    },
    /// An error, with its place in the study's text.
    #[error("{error}, in {place}")]
    At {
        /// What is wrong.
        error: Box<StudyError>,
        /// Where.
        place: Place,
    },
    /// A key that a study sets elsewhere, and not in the settings of variants.
    #[error("`{key}` is not a setting that a study can have: {reason}")]
    NoSetting {
        /// The key.
        key: String,
        /// Where to set it instead.
        reason: &'static str,
    },
    /// The study has no variants.
    #[error("study `{study}` has no variants")]
    NoVariants {
        /// The study.
        study: String,
    },
    /// Two variants have the same name.
    #[error("two variants are called `{variant}`")]
    DuplicateVariant {
        /// The name.
        variant: String,
    },
    /// Two variants have the same config: their runs would be identical.
    #[error("variants `{one}` and `{other}` have exactly the same settings")]
    SameVariant {
        /// The first.
        one: String,
        /// The second.
        other: String,
    },
    /// A name that cannot be the name of a directory.
    #[error("{}", crate::study::not_plain(name))]
    Name {
        /// The name.
        name: String,
    },
    /// The environment is unknown.
    #[error("unknown environment `{id}`, in {place}")]
    UnknownEnv {
        /// The id that was given.
        id: String,
        /// Where.
        place: Place,
        /// The most similar id, if there is one.
        suggestion: Option<String>,
    },
    /// The environment is unknown, or cannot be created.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// A setting in the file is invalid, whatever else is set.
    #[error(transparent)]
    Assignment(Box<ConfigError>),
    /// The settings of a variant give no valid config.
    #[error("variant `{variant}`: {source}")]
    Setting {
        /// The variant.
        variant: String,
        /// What is wrong.
        source: Box<ConfigError>,
    },
    /// A variant's config cannot be trained.
    #[error("variant `{variant}`: {source}")]
    Trainer {
        /// The variant.
        variant: String,
        /// What is wrong.
        source: Box<TrainError>,
    },
    /// It is not known which return counts as 0 or as 1.
    #[error("there is no known scale for `{env}`: which return counts as {}?", if *which == "zero" { 0 } else { 1 })]
    NoScale {
        /// The environment.
        env: String,
        /// `zero` or `one`.
        which: &'static str,
    },
    /// The same return counts as 0 and as 1.
    #[error("the scale of `{env}` is from {value} to {value}: give two different numbers")]
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
    /// A page refers to a table that the study does not have.
    #[error("study `{study}` has no table `{table}`")]
    NoTable {
        /// The study.
        study: String,
        /// The table.
        table: String,
        /// The most similar table, if there is one.
        suggestion: Option<String>,
    },
    /// The seeds cannot be read.
    #[error(transparent)]
    Seeds(#[from] SeedsError),
    /// Another run already has the place of one.
    #[error("{} is a run with other settings: {}", path.display(), differences.join(", "))]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// The difference, as `key: there → here`.
        differences: Vec<String>,
    },
    /// A run cannot be read or created.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl StudyError {
    /// What to try, if anything.
    pub fn hint(&self) -> Option<String> {
        match self {
            StudyError::UnknownKey { suggestion: Some(key), .. } => Some(format!("did you mean `{key}`?")),
            StudyError::UnknownKey { .. } => Some(
                "a study has name, description, env or [[task]], seeds, metric, threshold, set, [[variant]], [[table]] and \
                 [[reference]]; a variant has name, preset, algo, set and seeds"
                    .into(),
            ),
            StudyError::At { error, .. } => error.hint(),
            StudyError::NoVariants { .. } => Some("add `[[variant]]` with a `name`, and the settings to `set`".into()),
            StudyError::DuplicateVariant { .. } => Some("give each variant its own name".into()),
            StudyError::SameVariant { .. } => Some("their runs would be identical: remove one, or `set` something".into()),
            StudyError::Env(EnvError::UnknownId { suggestion, .. }) | StudyError::UnknownEnv { suggestion, .. } => {
                Some(unknown_env_hint(suggestion.as_deref()))
            }
            StudyError::Trainer { source, .. } => source.hint(),
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
            StudyError::OtherRun { .. } => Some("choose another directory, or remove this one".into()),
            _ => None,
        }
    }
}
