//! [`RunRecord`], a run read back from its directory.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::memory::available_bytes;
use crate::run::{Run, RunError, Summary};
use crate::storage::{open_regular, read_regular};
use crate::train::EnvIdentity;

/// A run as described by its directory.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// Its directory.
    pub dir: PathBuf,
    /// Its config.
    pub config: Config,
    /// The identity of its environment; `None` for runs of versions that did not record it.
    pub environment: Option<EnvIdentity>,
    /// How it differs from a run of its config alone: see [`Run::course`].
    pub course: Vec<String>,
    /// Its results, if it is finished.
    pub summary: Option<Summary>,
    /// Scores of the greedy policy during training, ordered by env steps.
    pub evaluations: Vec<Evaluated>,
    /// Seconds of training, all sessions together, as far as the logs know: up to the last line of aggregates, including effects of other
    /// load on the machine.
    pub wall_seconds: Option<f64>,
}

/// A score of the greedy policy during training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Env steps before it.
    pub env_steps: u64,
    /// Mean undiscounted return over its episodes.
    pub mean_return: f64,
}

impl Evaluated {
    /// The evaluations in the text of a `metrics.jsonl`. A line that is not JSON, such as a last one cut short by a crash, is skipped, and
    /// so is one that is out of order: env steps ascend.
    pub fn all_in(metrics: &str) -> Vec<Evaluated> {
        Self::all_from(metrics.as_bytes()).expect("memory can be read")
    }

    /// Like [`Evaluated::all_in`], from a log of any length; only one line at a time is in memory.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn all_from(mut metrics: impl BufRead) -> io::Result<Vec<Evaluated>> {
        let mut all: Vec<Evaluated> = Vec::new();
        let mut line = Vec::new();
        while metrics.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)? > 0 {
            // Most lines are episodes: only the requested ones are worth parsing.
            if line.starts_with(b"{\"event\":\"evaluation\"")
                && let Ok(evaluated) = serde_json::from_slice::<Evaluated>(&line)
                && all.last().is_none_or(|last| last.env_steps < evaluated.env_steps)
            {
                all.push(evaluated);
            }
            line.clear();
        }
        Ok(all)
    }
}

/// The maximum length of a line in a log, bytes; a longer one is damaged.
const MOST_LINE: u64 = 64 << 10;

impl RunRecord {
    /// Reads a run. Missing logs count as empty; a last line cut short by a crash is skipped.
    ///
    /// # Errors
    /// If the config, the summary or a log cannot be read, or differs from what the finished run was sealed with.
    pub fn read(run: &Run) -> Result<Self, RunError> {
        ["metrics.jsonl", "timing.csv"].into_iter().try_for_each(|name| run.check_file(name))?;
        Ok(RunRecord {
            dir: run.dir().to_path_buf(),
            config: run.config()?,
            environment: run.environment()?,
            course: run.course()?,
            summary: run.summary()?,
            evaluations: evaluations(&run.dir().join("metrics.jsonl"))?,
            wall_seconds: wall_seconds(&text(&run.dir().join("timing.csv"))?),
        })
    }

    /// The largest mean value of an action in its log; `None` if none was logged.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn largest_mean_q(&self) -> Result<Option<f64>, RunError> {
        let path = self.dir.join("metrics.jsonl");
        match open_regular(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            file => file
                .and_then(|file| largest_mean_q(BufReader::with_capacity(1 << 18, file)))
                .map_err(RunError::io("read", &path)),
        }
    }
}

/// The runs in and below a directory, ordered by path, with numbers compared as numbers: `seed-2` before `seed-10`.
///
/// # Errors
/// If a directory cannot be listed.
pub fn find_runs(root: &Path) -> Result<Vec<Run>, RunError> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        if let Ok(run) = Run::open(&dir) {
            found.push(run);
            continue;
        }
        for entry in std::fs::read_dir(&dir).map_err(RunError::io("list", &dir))? {
            let entry = entry.map_err(RunError::io("list", &dir))?;
            // Links are not followed: they may form a cycle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    found.sort_by_cached_key(|run| natural(&run.dir().to_string_lossy()));
    Ok(found)
}

/// A key that orders texts with the numbers in them compared as numbers.
fn natural(text: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (words, after) = rest.split_at(digits);
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        parts.push((words.to_owned(), after[..end].parse().unwrap_or(u64::MAX)));
        rest = &after[end..];
    }
    parts
}

fn evaluations(path: &Path) -> Result<Vec<Evaluated>, RunError> {
    match open_regular(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        file => file
            .and_then(|file| Evaluated::all_from(BufReader::with_capacity(1 << 18, file)))
            .map_err(RunError::io("read", path)),
    }
}

fn largest_mean_q(mut metrics: impl BufRead) -> io::Result<Option<f64>> {
    #[derive(Deserialize)]
    struct Line {
        mean_q: Option<f64>,
    }
    let mut largest: Option<f64> = None;
    let mut line = Vec::new();
    while metrics.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)? > 0 {
        if line.starts_with(b"{\"event\":\"train\"")
            && let Ok(Line { mean_q: Some(value) }) = serde_json::from_slice(&line)
        {
            largest = Some(largest.map_or(value, |largest| largest.max(value)));
        }
        line.clear();
    }
    Ok(largest)
}

fn text(path: &Path) -> Result<String, RunError> {
    match read_regular(path, available_bytes().unwrap_or(u64::MAX)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        bytes => Ok(String::from_utf8_lossy(&bytes.map_err(RunError::io("read", path))?).into_owned()),
    }
}

fn wall_seconds(timing: &str) -> Option<f64> {
    let rows = timing.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        Some((cells.next()?, cells.nth(1)?.parse::<f64>().ok()?))
    });
    // Seconds are counted from the start of each session, so its last row has its length.
    let last_of_each: BTreeMap<&str, f64> = rows.collect();
    (!last_of_each.is_empty()).then(|| last_of_each.values().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_with_a_line_without_end_is_read_in_pieces() {
        let mut log = vec![b'['; 3 * MOST_LINE as usize];
        log.extend_from_slice(b"\n{\"event\":\"evaluation\",\"env_steps\":10,\"mean_return\":9.5}\n");
        assert_eq!(Evaluated::all_from(&log[..]).unwrap(), [Evaluated { env_steps: 10, mean_return: 9.5 }]);
    }

    #[test]
    fn evaluations_are_told_from_all_else() {
        let metrics = "{\"event\":\"episode\",\"env_steps\":5}\n\
                       {\"event\":\"evaluation\",\"env_steps\":10,\"updates\":1,\"mean_return\":9.5,\"best\":true}\n\
                       {\"event\":\"final_evaluation\",\"env_steps\":10,\"mean_return\":1.0}\n\
                       {\"event\":\"evaluation\",\"env_steps\":7,\"mean_return\":1.5}\n\
                       {\"event\":\"evaluation\",\"env_st";
        assert_eq!(Evaluated::all_in(metrics), [Evaluated { env_steps: 10, mean_return: 9.5 }]);
    }

    #[test]
    fn the_largest_mean_value_is_of_the_lines_of_updates() {
        let metrics = "{\"event\":\"train\",\"env_steps\":1,\"mean_q\":null}\n\
                       {\"event\":\"train\",\"env_steps\":2,\"mean_q\":-3.5}\n\
                       {\"event\":\"train\",\"env_steps\":3,\"mean_q\":-4.5}\n\
                       {\"event\":\"other\",\"mean_q\":9.0}\n";
        assert_eq!(largest_mean_q(metrics.as_bytes()).unwrap(), Some(-3.5));
        assert_eq!(largest_mean_q(&b"{\"event\":\"train\",\"mean_q\":null}\n"[..]).unwrap(), None);
    }

    #[test]
    fn the_seconds_of_all_sessions_add_up() {
        let timing = "session,env_steps,wall_seconds,env_steps_per_second\n1,100,1.5,9\n1,200,2.5,9\n2,300,0.25,9\n2,4";
        assert_eq!(wall_seconds(timing), Some(2.75));
        assert_eq!(wall_seconds("session,env_steps,wall_seconds,env_steps_per_second\n"), None);
    }

    #[test]
    fn numbers_in_names_are_numbers() {
        let mut names = ["seed-10", "seed-2", "a/seed-3", "seed-2b"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["a/seed-3", "seed-2", "seed-2b", "seed-10"]);
    }
}
