//! [`Tail`], a log that is read incrementally; [`Following`], what is shown of a run while its logs grow.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use requel::storage::open_regular;
use serde::Serialize;

use super::clock::{Clock, ClockReader};
use super::course::{Course, Gathering, MOST_LINE};

/// Receives the lines of a log.
pub trait Lines {
    /// Takes a line, with its line break.
    fn line(&mut self, line: &[u8]);
    /// Drops all lines: the log was truncated or replaced, and is read from the start.
    fn restart(&mut self);
}

/// A log that grows at its end. Only complete lines are read, each once, unless the log was truncated to before the current position: then
/// it is read from the start.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    /// The bytes before `offset`: a log that was truncated and grew again may have different ones.
    before: Vec<u8>,
    in_endless_line: bool,
    /// The length and modification time of the file when it was last checked, and when that was.
    seen: Option<(u64, SystemTime)>,
}

/// The number of bytes before the current position that are compared.
const REMEMBERED: usize = 64;

impl Tail {
    /// For a log that may not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Tail { path, offset: 0, before: Vec::new(), in_endless_line: false, seen: None }
    }

    /// Reads new lines; returns whether there were any.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_on(&mut self, lines: &mut impl Lines) -> io::Result<bool> {
        let data = std::fs::metadata(&self.path)?;
        let seen = Some((data.len(), data.modified()?));
        if self.seen == seen {
            return Ok(false);
        }
        let mut file = open_regular(&self.path)?;
        let mut is_new = false;
        if data.len() < self.offset || !self.goes_on(&mut file)? {
            *self = Tail::new(std::mem::take(&mut self.path));
            lines.restart();
            is_new = true;
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut log = BufReader::with_capacity(256 << 10, file.take(data.len() - self.offset));
        let (mut line, mut last) = (Vec::new(), Vec::new());
        loop {
            line.clear();
            let read = log.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)?;
            let is_whole = line.ends_with(b"\n");
            if read == 0 || (!is_whole && (line.len() as u64) < MOST_LINE) {
                break;
            }
            if is_whole && !self.in_endless_line {
                lines.line(&line);
            }
            self.in_endless_line = !is_whole;
            self.offset += read as u64;
            is_new = true;
            std::mem::swap(&mut line, &mut last);
        }
        if !last.is_empty() {
            self.before = last.split_off(last.len().saturating_sub(REMEMBERED));
        }
        self.seen = seen;
        Ok(is_new)
    }

    /// Whether the file still contains what was read last.
    fn goes_on(&self, file: &mut File) -> io::Result<bool> {
        let mut found = vec![0; self.before.len()];
        file.seek(SeekFrom::Start(self.offset - self.before.len() as u64))?;
        file.read_exact(&mut found)?;
        Ok(found == self.before)
    }
}

/// What is shown of a run while its logs grow.
#[derive(Debug)]
pub struct Following {
    metrics: Tail,
    gathering: Gathering,
    timing: Tail,
    clock: ClockReader,
}

/// What is shown of a run that may still be growing.
#[derive(Debug, Serialize)]
pub struct Shown {
    #[serde(flatten)]
    course: Course,
    clock: Clock,
}

/// Curves are small when shown side by side: the maximum number of points of each.
const MOST_POINTS: usize = 1500;

impl Following {
    /// For the run in a directory, with nothing read yet.
    pub fn new(dir: &Path) -> Self {
        Following {
            metrics: Tail::new(dir.join("metrics.jsonl")),
            gathering: Gathering::new(MOST_POINTS),
            timing: Tail::new(dir.join("timing.csv")),
            clock: ClockReader::new(MOST_POINTS),
        }
    }

    /// Reads new lines of the logs; returns whether there were any.
    ///
    /// # Errors
    /// If there are no metrics, or they cannot be read.
    pub fn read_on(&mut self) -> io::Result<bool> {
        let metrics = self.metrics.read_on(&mut self.gathering)?;
        // Without times, everything else can still be shown.
        let timing = self.timing.read_on(&mut self.clock).unwrap_or(false);
        Ok(metrics || timing)
    }

    /// What can be shown now.
    pub fn shown(&self) -> Shown {
        Shown { course: self.gathering.course(), clock: self.clock.clock() }
    }
}

impl Lines for Gathering {
    fn line(&mut self, line: &[u8]) {
        Gathering::line(self, line);
    }

    fn restart(&mut self) {
        *self = Gathering::new(self.most_points());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Lines for Heard {
        fn line(&mut self, line: &[u8]) {
            self.0.push(String::from_utf8_lossy(line).trim_end().to_owned());
        }

        fn restart(&mut self) {
            self.0.push("anew".into());
        }
    }

    #[test]
    fn each_line_is_read_once_however_the_log_grows() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let (mut tail, mut heard) = (Tail::new(file.path().to_owned()), Heard::default());
        let mut grow = |text: &str, tail: &mut Tail, heard: &mut Heard| {
            file.write_all(text.as_bytes()).unwrap();
            tail.read_on(heard).unwrap()
        };
        assert!(grow("one\ntw", &mut tail, &mut heard));
        assert!(!grow("", &mut tail, &mut heard));
        // Half of a line is left until its end is there.
        assert!(!grow("o", &mut tail, &mut heard));
        assert!(grow("\nthree\n", &mut tail, &mut heard));
        assert_eq!(heard.0, ["one", "two", "three"]);
        // A line without end is damage; what comes after it is read.
        grow(&"x".repeat(3 * MOST_LINE as usize), &mut tail, &mut heard);
        assert!(grow("\nfour\n", &mut tail, &mut heard));
        assert_eq!(heard.0.split_off(3), ["four"]);
    }

    #[test]
    fn a_log_that_was_cut_is_read_anew_and_one_that_grew_again_too() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (mut tail, mut heard) = (Tail::new(file.path().to_owned()), Heard::default());
        for text in ["one\ntwo\n", "one\n", "one\nother\nthree\n"] {
            std::fs::write(file.path(), text).unwrap();
            tail.read_on(&mut heard).unwrap();
        }
        assert_eq!(heard.0, ["one", "two", "anew", "one", "other", "three"]);
        std::fs::write(file.path(), "ONE\nother\nthree\nfour\n").unwrap();
        tail.read_on(&mut heard).unwrap();
        std::fs::write(file.path(), "one\nOTHER\nTHREE\nFOUR\nfive\n").unwrap();
        tail.read_on(&mut heard).unwrap();
        assert_eq!(heard.0.split_off(6), ["four", "anew", "one", "OTHER", "THREE", "FOUR", "five"]);
    }
}
