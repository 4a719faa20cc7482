//! [`Journal`], what a search has found out, on disk.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::halving::Step;
use super::{Settings, TuneError};
use crate::memory::available_bytes;
use crate::run::RunError;
use crate::storage::read_regular;

/// What a search has found out, a line for each trial that came to a rung. The search asks it before it trains, so that one that was
/// killed makes the same decisions again without training for them. Each line ends with a checksum of what stands before it.
pub(super) struct Journal {
    path: PathBuf,
    /// The fingerprint of the search.
    search: String,
    /// `None` where the directory can only be read.
    file: Option<File>,
    found: BTreeMap<(usize, usize), Finding>,
    closed: Option<Ended>,
    race_ended: Option<Ended>,
    seconds_before: f64,
    began: Instant,
}

/// What came of a trial's runs at a rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Finding {
    /// The trial.
    pub trial: usize,
    /// The rung, from 0.
    pub rung: usize,
    /// Its settings.
    pub settings: Settings,
    /// The score of each seed; `None` where one failed.
    pub scores: Option<Vec<f64>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A line, which says what search it is of: in another, the same trial has other settings and other runs.
#[derive(Serialize, Deserialize)]
struct Line {
    search: String,
    #[serde(flatten)]
    event: Event,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    RungReached {
        #[serde(flatten)]
        finding: Finding,
        seconds: f64,
    },
    /// Of so many minutes no more are for trials: none begins after so many.
    Closed {
        #[serde(flatten)]
        ended: Ended,
        seconds: f64,
    },
    /// The minutes are over: no trial gets more seeds after so many steps that gave some.
    RaceEnded {
        #[serde(flatten)]
        ended: Ended,
        seconds: f64,
    },
}

/// What a clock has decided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ended {
    /// After so many.
    pub after: usize,
    /// Of so many minutes.
    pub minutes: f64,
}

impl Journal {
    /// The journal of the search with this fingerprint in a directory, which nobody else writes to. What a process that died left of
    /// a line is taken away.
    ///
    /// # Errors
    /// If it cannot be read, was changed, or is another search's.
    pub fn open(path: PathBuf, search: &str) -> Result<Self, TuneError> {
        Self::with(path, search, |path, whole| {
            let file = OpenOptions::new().create(true).append(true).open(path).map_err(RunError::io("open", path))?;
            file.set_len(whole as u64).map_err(RunError::io("shorten", path))?;
            Ok(Some(file))
        })
    }

    /// As [`Journal::open`], in a directory that can only be read.
    pub fn read(path: PathBuf, search: &str) -> Result<Self, TuneError> {
        Self::with(path, search, |_, _| Ok(None))
    }

    /// The journal with a file to write to, which is told how many bytes are whole lines.
    fn with(
        path: PathBuf,
        search: &str,
        file: impl FnOnce(&Path, usize) -> Result<Option<File>, TuneError>,
    ) -> Result<Self, TuneError> {
        let text = match read_regular(&path, available_bytes().unwrap_or(u64::MAX)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes.map_err(RunError::io("read", &path))?,
        };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let file = file(&path, whole)?;
        let mut journal = Journal {
            path,
            search: search.to_owned(),
            file,
            found: BTreeMap::new(),
            closed: None,
            race_ended: None,
            seconds_before: 0.0,
            began: Instant::now(),
        };
        for (at, line) in text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            let damaged = || TuneError::DamagedLine { path: journal.path.clone(), line: at + 1 };
            let line = unsealed(&line[..line.len() - 1]).ok_or_else(damaged)?;
            let line: Line = serde_json::from_slice(&line).map_err(|_| damaged())?;
            if line.search != journal.search {
                return Err(TuneError::OtherJournal { path: journal.path, line: at + 1 });
            }
            match line.event {
                Event::RungReached { finding, seconds } => {
                    journal.found.insert((finding.trial, finding.rung), finding);
                    journal.seconds_before = seconds;
                }
                Event::Closed { ended, seconds } => {
                    journal.closed = Some(ended);
                    journal.seconds_before = seconds;
                }
                Event::RaceEnded { ended, seconds } => {
                    journal.race_ended = Some(ended);
                    journal.seconds_before = seconds;
                }
            }
        }
        Ok(journal)
    }

    /// What was found out of a trial with these settings at a rung.
    pub fn found(&self, step: Step, settings: &Settings) -> Option<&Finding> {
        self.found.get(&(step.trial, step.rung)).filter(|finding| finding.settings == *settings)
    }

    /// Writes down what was found out; it is on the disk then.
    pub fn write(&mut self, finding: Finding) -> Result<(), TuneError> {
        let seconds = self.elapsed().as_secs_f64();
        self.append(Event::RungReached { finding, seconds })
    }

    /// How many trials have begun, of those of which something is known.
    pub fn trials(&self) -> usize {
        self.found.keys().next_back().map_or(0, |(trial, _)| trial + 1)
    }

    /// After how many trials none began any more, where a clock has said so for so many minutes or more. For more minutes it is to be
    /// asked again.
    pub fn closed(&self, minutes: f64) -> Option<usize> {
        self.closed.filter(|closed| minutes <= closed.minutes).map(|closed| closed.after)
    }

    /// Writes down that no trial begins any more.
    pub fn close(&mut self, ended: Ended) -> Result<(), TuneError> {
        self.closed = Some(ended);
        let seconds = self.elapsed().as_secs_f64();
        self.append(Event::Closed { ended, seconds })
    }

    /// After how many steps of the race none began any more, as [`Journal::closed`].
    pub fn race_ended(&self, minutes: f64) -> Option<usize> {
        self.race_ended.filter(|ended| minutes <= ended.minutes).map(|ended| ended.after)
    }

    /// Writes down that no trial gets more seeds.
    pub fn end_race(&mut self, ended: Ended) -> Result<(), TuneError> {
        self.race_ended = Some(ended);
        let seconds = self.elapsed().as_secs_f64();
        self.append(Event::RaceEnded { ended, seconds })
    }

    /// Whether nothing can be written.
    pub fn is_read_only(&self) -> bool {
        self.file.is_none()
    }

    /// How long the search has gone on, over all processes.
    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.seconds_before.max(0.0)) + self.began.elapsed()
    }

    fn append(&mut self, event: Event) -> Result<(), TuneError> {
        let line = Line { search: self.search.clone(), event };
        let mut text = sealed(serde_json::to_vec(&line).expect("a line is JSON"));
        text.push(b'\n');
        let Some(file) = &mut self.file else { return Err(TuneError::ReadOnly { path: self.path.clone() }) };
        let written = file.write_all(&text).and_then(|()| file.sync_data());
        Ok(written.map_err(RunError::io("write", &self.path))?)
    }
}

/// What stands before the checksum of a line, and after it.
const SEAL: (&[u8], &[u8]) = (b",\"blake3\":\"", b"\"}");
/// Hexadecimal digits of a checksum.
const DIGITS: usize = 16;

/// An object with a checksum of its text as its last member.
fn sealed(mut object: Vec<u8>) -> Vec<u8> {
    let checksum = blake3::hash(&object).to_hex();
    object.pop();
    [&object, SEAL.0, &checksum.as_bytes()[..DIGITS], SEAL.1].concat()
}

/// The object without its checksum; `None` if there is none, or it is another's.
fn unsealed(line: &[u8]) -> Option<Vec<u8>> {
    let (rest, checksum) = line.strip_suffix(SEAL.1)?.split_last_chunk::<DIGITS>()?;
    let object = [rest.strip_suffix(SEAL.0)?, b"}"].concat();
    (blake3::hash(&object).to_hex().as_bytes()[..DIGITS] == checksum[..]).then_some(object)
}

/// The journal's file.
pub(super) fn path(search: &Path) -> PathBuf {
    search.join("journal.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(trial: usize, scores: Option<Vec<f64>>) -> Finding {
        let settings = Settings::from([("agent.gamma".to_owned(), toml::Value::Float(0.5 + trial as f64 / 10.0))]);
        let failure = scores.is_none().then(|| "loss is NaN".to_owned());
        Finding { trial, rung: 0, settings, scores, failure }
    }

    #[test]
    fn what_was_written_is_found_and_a_torn_line_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path());
        let mut journal = Journal::open(path.clone(), "one").unwrap();
        let (one, two) = (finding(0, Some(vec![1.5])), finding(1, None));
        journal.write(one.clone()).unwrap();
        journal.write(two.clone()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in (0..whole.len()).step_by(9) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            let mut journal = Journal::open(path.clone(), "one").unwrap();
            assert_eq!(journal.found.len(), lines, "{cut}");
            journal.write(one.clone()).unwrap();
            drop(journal);
            assert_eq!(
                Journal::open(path.clone(), "one").unwrap().found(Step { trial: 0, rung: 0 }, &one.settings),
                Some(&one)
            );
        }
        std::fs::write(&path, &whole).unwrap();
        let journal = Journal::open(path, "one").unwrap();
        assert_eq!(journal.found(Step { trial: 1, rung: 0 }, &two.settings), Some(&two));
        assert_eq!(journal.found(Step { trial: 1, rung: 0 }, &one.settings), None, "of other settings");
        assert_eq!(journal.found(Step { trial: 1, rung: 1 }, &two.settings), None);
    }

    #[test]
    fn a_line_that_was_changed_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path());
        let mut journal = Journal::open(path.clone(), "one").unwrap();
        journal.write(finding(0, Some(vec![1.5]))).unwrap();
        journal.write(finding(1, Some(vec![2.5]))).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for at in (0..whole.len() - 1).filter(|at| at + 1 != second) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            let line = if at < second { 1 } else { 2 };
            let found = Journal::open(path.clone(), "one").err();
            // A line that is broken in two is found as the first of the two.
            assert!(
                matches!(found, Some(TuneError::DamagedLine { line: told, .. }) if told == line),
                "byte {at}: {found:?}"
            );
        }
        std::fs::write(&path, &whole[second..]).unwrap();
        assert_eq!(Journal::open(path, "one").unwrap().found.len(), 1, "a line that was taken away is found out again");
    }

    #[test]
    fn another_searchs_journal_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path());
        Journal::open(path.clone(), "another").unwrap().write(finding(0, Some(vec![1.5]))).unwrap();
        let refused = Journal::open(path.clone(), "one").err();
        assert!(matches!(refused, Some(TuneError::OtherJournal { line: 1, .. })), "{refused:?}");
        assert_eq!(Journal::open(path, "another").unwrap().found.len(), 1);
    }

    #[test]
    fn what_the_clock_has_said_is_kept_for_as_many_minutes() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Journal::open(path(dir.path()), "one").unwrap();
        let mut journal = open();
        journal.write(finding(4, None)).unwrap();
        journal.close(Ended { after: 7, minutes: 2.0 }).unwrap();
        journal.end_race(Ended { after: 3, minutes: 2.0 }).unwrap();
        let journal = open();
        assert_eq!((journal.closed(2.0), journal.race_ended(2.0), journal.trials()), (Some(7), Some(3), 5));
        assert_eq!((journal.closed(1.5), journal.race_ended(1.5)), (Some(7), Some(3)), "they were over before");
        assert_eq!((journal.closed(4.0), journal.race_ended(4.0)), (None, None), "there are more");
    }
}
