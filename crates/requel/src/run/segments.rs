//! [`Segment`]s: the settings with which a run was trained, and from which env step on.
//!
//! `config.toml` is what a run started with and never changes. Each time the run continues with other settings, the complete config from
//! there on is added as `segments/NUMBER-from-ENV_STEPS.toml`, which `checksums.blake3` covers from that moment: a file that it does not
//! cover was left by a process that died before the change was made. The results of a run that was finished before are kept as
//! `segments/NUMBER-summary.json`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::directory::{MOST_SUMMARY_BYTES, SUMMARY};
use super::environment::ENVIRONMENT;
use super::origin::ORIGIN;
use super::{Run, RunError, checksums};
use crate::checkpoint::CheckpointError;
use crate::config::{Change, Config, ConfigError, Place};
use crate::storage::{RealStorage, Storage, ensure_dir, read_regular, replace, sync_parent};

/// The directory of all segments except the first.
pub(super) const SEGMENTS: &str = "segments";
const PREFIX: &str = "segments/";

/// A part of a run that was trained with one config.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its number, from 1.
    pub number: usize,
    /// Env steps that had been made before it.
    pub from_env_steps: u64,
    /// The file of its config.
    pub path: PathBuf,
    /// Its complete config.
    pub config: Config,
    /// How it differs from the previous segment; empty for the first.
    pub changes: Vec<Change>,
}

/// Whether `checksums.blake3` covers the file from the start, and not only in a finished run.
pub(super) fn is_of_settings(name: &str) -> bool {
    [checksums::CONFIG, ENVIRONMENT, ORIGIN].contains(&name) || name.starts_with(PREFIX)
}

impl Run {
    /// The settings with which the run was trained, first segment first; there is always at least one.
    ///
    /// # Errors
    /// If a config cannot be read, is not valid in this version, or differs from what was sealed.
    pub fn segments(&self) -> Result<Vec<Segment>, RunError> {
        let path = self.config_path();
        let config = self.read_config(checksums::CONFIG)?;
        let mut segments = vec![Segment { number: 1, from_env_steps: 0, path, config, changes: Vec::new() }];
        for (name, number, from_env_steps) in self.segment_files()? {
            let path = self.dir().join(&name);
            let before = segments.last().expect("the first is there");
            if number != before.number + 1 || from_env_steps < before.from_env_steps {
                let reason = format!(
                    "it does not follow segment {}, which starts at env step \
                             {}",
                    before.number, before.from_env_steps
                );
                return Err(CheckpointError::damaged(&path, reason).into());
            }
            let config = self.read_config(&name)?;
            let changes = before.config.changes(&config);
            segments.push(Segment { number, from_env_steps, path, config, changes });
        }
        Ok(segments)
    }

    /// The name, number and first env step of each segment file, by number.
    fn segment_files(&self) -> Result<Vec<(String, usize, u64)>, RunError> {
        let names: Vec<String> = match checksums::read(self.dir())? {
            Some(sealed) => sealed.into_keys().collect(),
            None => match RealStorage.list(&self.dir().join(SEGMENTS)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                names => {
                    let names = names.map_err(RunError::io("list", &self.dir().join(SEGMENTS)))?;
                    names.into_iter().map(|name| format!("{PREFIX}{name}")).collect()
                }
            },
        };
        let mut files: Vec<_> =
            names.into_iter().filter_map(|name| parse(&name).map(|(n, from)| (name, n, from))).collect();
        files.sort_by_key(|(_, number, _)| *number);
        Ok(files)
    }

    /// Continues with `config` from `from_env_steps` on. Only for the holder of the run's lock.
    pub(super) fn add_segment(&self, from_env_steps: u64, config: &Config) -> Result<Segment, RunError> {
        let segments = self.segments()?;
        let last = segments.last().expect("the first is there");
        let number = last.number + 1;
        let name = format!("{PREFIX}{number:04}-from-{from_env_steps:012}.toml");
        let path = self.dir().join(&name);
        let changes = last.config.changes(config);
        let text = text(number, from_env_steps, &changes, config)?;

        let dir = self.dir().join(SEGMENTS);
        ensure_dir(&RealStorage, &dir).map_err(RunError::io("create", &dir))?;
        // First, the end of the run is undone, so that it can be continued at every moment.
        let mut sealed = checksums::read(self.dir())?;
        if let Some(files) = &mut sealed {
            files.retain(|name, _| is_of_settings(name));
            checksums::write(self.dir(), files)?;
        }
        let summary = self.keep_summary(last.number)?;
        replace(&RealStorage, &path, text.as_bytes()).map_err(CheckpointError::io("write", &path))?;
        if let Some(mut files) = sealed {
            files.insert(name, checksums::of(text.as_bytes()));
            files.extend(summary);
            checksums::write(self.dir(), &files)?;
        }
        Ok(Segment { number, from_env_steps, path, config: config.clone(), changes })
    }

    /// Sets the previous results of the run aside, under the number of the segment that ended with them.
    fn keep_summary(&self, number: usize) -> Result<Option<(String, String)>, RunError> {
        let from = self.dir().join(SUMMARY);
        let name = format!("{PREFIX}{number:04}-{SUMMARY}");
        let to = self.dir().join(&name);
        match RealStorage.rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            renamed => renamed.map_err(RunError::io("set aside", &from))?,
        }
        let synced = [&from, &to].into_iter().try_for_each(|path| sync_parent(&RealStorage, path));
        synced.map_err(RunError::io("set aside", &from))?;
        match read_regular(&to, MOST_SUMMARY_BYTES) {
            Ok(bytes) => Ok(Some((name, checksums::of(&bytes)))),
            Err(_) => Ok(None),
        }
    }
}

/// The segment in which a state with this many env steps continues, and those that start after it. An evaluation that is due after the last
/// step belongs to the segment of that step, and the next segment starts after it.
pub(super) fn divide(
    mut segments: Vec<Segment>,
    env_steps: u64,
    owes_evaluation: bool,
) -> (Segment, VecDeque<Segment>) {
    let begun = |segment: &&Segment| match owes_evaluation {
        true => segment.from_env_steps < env_steps,
        false => segment.from_env_steps <= env_steps,
    };
    let count = segments.iter().filter(begun).count().max(1);
    let later = segments.split_off(count).into();
    (segments.pop().expect("at least one"), later)
}

/// Number and first env step of a segment, from the name of its file.
fn parse(name: &str) -> Option<(usize, u64)> {
    let (number, from) = name.strip_prefix(PREFIX)?.strip_suffix(".toml")?.split_once("-from-")?;
    Some((number.parse().ok()?, from.parse().ok()?))
}

fn text(number: usize, from_env_steps: u64, changes: &[Change], config: &Config) -> Result<String, RunError> {
    let toml = toml::to_string(config).map_err(|e| ConfigError::Syntax {
        reason: e.to_string(),
        place: Place { source: "the config".into(), line: None },
    })?;
    let changed: String = changes.iter().map(|change| format!("#   {change}\n")).collect();
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!(
        "# Segment {number} of this run: its complete config from env step {from_env_steps} on, requel {version}.\n\
         # Changed there:\n{changed}\n{toml}"
    ))
}

/// For the path of a config that the user gave: `Some` with the config of the latest segment if it is the config of a run that continued
/// with other settings.
pub fn later_segments(config_path: &Path) -> Option<Vec<Segment>> {
    if config_path.file_name()? != checksums::CONFIG {
        return None;
    }
    let run =
        Run::open(config_path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))).ok()?;
    let mut segments = run.segments().ok()?;
    segments.remove(0);
    (!segments.is_empty()).then_some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    fn with_budget(env_steps: u64) -> Config {
        let mut config = Config::default();
        config.train.env_steps = env_steps;
        config
    }

    #[test]
    fn segments_follow_each_other_and_say_what_changed() {
        let dir = tempfile::tempdir().unwrap();
        let run = Run::create(&dir.path().join("run"), &with_budget(100)).unwrap();
        std::fs::write(run.dir().join(SUMMARY), "{}").unwrap();
        run.add_segment(100, &with_budget(200)).unwrap();
        run.add_segment(200, &with_budget(300)).unwrap();
        let segments = run.segments().unwrap();
        let numbers: Vec<_> = segments.iter().map(|s| (s.number, s.from_env_steps, s.config.train.env_steps)).collect();
        assert_eq!(numbers, [(1, 0, 100), (2, 100, 200), (3, 200, 300)]);
        assert_eq!(segments[2].changes[0].to_string(), "train.env_steps from 200 to 300");
        assert!(!run.dir().join(SUMMARY).exists() && run.dir().join("segments/0001-summary.json").exists());
        assert!(checksums::check(run.dir()).is_empty());
        assert_eq!(run.config().unwrap(), with_budget(300));
        // It can be trained with as it is.
        assert_eq!(Layers::new().file(&segments[1].path).unwrap().resolve().unwrap(), with_budget(200));
        assert_eq!(later_segments(&run.config_path()).unwrap().len(), 2);
    }

    #[test]
    fn what_the_checksums_do_not_know_is_no_segment_and_what_they_know_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let run = Run::create(&dir.path().join("run"), &with_budget(100)).unwrap();
        let segment = run.add_segment(100, &with_budget(200)).unwrap();
        let left = run.dir().join("segments/0003-from-000000000150.toml");
        std::fs::copy(&segment.path, left).unwrap();
        assert_eq!(run.segments().unwrap().len(), 2);
        let bytes = std::fs::read(&segment.path).unwrap();
        std::fs::write(&segment.path, [&bytes[..], b"\n"].concat()).unwrap();
        assert!(checksums::check_config(run.dir()).unwrap_err().to_string().contains("0002-from-000000000100.toml"));
        std::fs::remove_file(&segment.path).unwrap();
        assert!(run.segments().is_err() && run.config().is_err());
    }

    #[test]
    fn a_state_goes_on_in_the_segment_of_its_step() {
        let segment = |number: usize, from_env_steps| Segment {
            number,
            from_env_steps,
            path: PathBuf::new(),
            config: Config::default(),
            changes: Vec::new(),
        };
        let all = || vec![segment(1, 0), segment(2, 100), segment(3, 100), segment(4, 300)];
        let at = |env_steps, owed| {
            let (now, later) = divide(all(), env_steps, owed);
            (now.number, later.iter().map(|s| s.number).collect::<Vec<_>>())
        };
        assert_eq!(at(0, false), (1, vec![2, 3, 4]));
        assert_eq!(at(0, true), (1, vec![2, 3, 4]));
        assert_eq!(at(99, false), (1, vec![2, 3, 4]));
        assert_eq!(at(100, false), (3, vec![4]));
        assert_eq!(at(100, true), (1, vec![2, 3, 4]));
        assert_eq!(at(500, false), (4, vec![]));
    }
}
