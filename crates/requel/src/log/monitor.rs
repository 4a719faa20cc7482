//! `monitor.csv`: each training episode as Stable-Baselines3's `Monitor` writes it, for plotting with its tools.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::json;

use super::appended::AppendedFile;
use crate::checkpoint::LogEntry;
use crate::train::EpisodeRecord;

/// The name that `stable_baselines3.common.results_plotter` looks for.
pub(crate) const MONITOR: &str = "monitor.csv";

/// A line `#{"t_start": …, "env_id": …}`, a line `r,l,t`, then one per episode: return, length in env steps, and the seconds since
/// `t_start`, which is in seconds since 1970. Everything except returns, lengths and order depends on the clock.
pub(super) struct Monitor {
    file: AppendedFile,
    t_start: f64,
}

impl Monitor {
    /// Opens the file in `dir`, truncated to the length recorded in a checkpoint; if none was recorded, the file starts empty at `now`,
    /// seconds since 1970.
    ///
    /// # Errors
    /// If it cannot be opened, is shorter than recorded, or starts differently.
    pub(super) fn open(dir: &Path, known: Option<&LogEntry>, env_id: &str, now: f64) -> io::Result<Self> {
        let path = dir.join(MONITOR);
        let bytes = known.map_or(0, |entry| entry.bytes);
        let mut file = AppendedFile::open(&path, bytes)?;
        if bytes > 0 {
            return Ok(Monitor { file, t_start: start_of(&path)? });
        }
        let head = json!({ "t_start": now, "env_id": env_id });
        file.write(format!("#{head}\nr,l,t\n").as_bytes())?;
        Ok(Monitor { file, t_start: now })
    }

    /// Adds an episode that ended at `now`.
    pub(super) fn write(&mut self, episode: &EpisodeRecord, now: f64) -> io::Result<()> {
        /// Rounded to the digits that Stable-Baselines3 writes.
        fn rounded(number: f64) -> f64 {
            let rounded = (number * 1e6).round() / 1e6;
            if rounded.is_finite() { rounded } else { number }
        }
        let (return_, seconds) = (rounded(episode.return_), rounded(now - self.t_start));
        self.file.write(format!("{return_},{},{seconds}\n", episode.length).as_bytes())
    }

    /// See [`AppendedFile::flush`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// See [`AppendedFile::mark`].
    pub(super) fn mark(&mut self) -> io::Result<(LogEntry, File)> {
        self.file.mark()
    }
}

/// When the first session started, according to the first line.
fn start_of(path: &Path) -> io::Result<f64> {
    let mut line = String::new();
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    let head: Option<serde_json::Value> = line.strip_prefix('#').and_then(|head| serde_json::from_str(head).ok());
    head.and_then(|head| head["t_start"].as_f64()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} does not begin with its `t_start`", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episode(return_: f64) -> EpisodeRecord {
        EpisodeRecord { index: 0, return_, length: 9, terminated: true, truncated: false }
    }

    #[test]
    fn is_as_stable_baselines3_writes_it_and_goes_on_where_a_checkpoint_knew_it() {
        let dir = tempfile::tempdir().unwrap();
        let read = || std::fs::read_to_string(dir.path().join(MONITOR)).unwrap();
        let mut monitor = Monitor::open(dir.path(), None, "CartPole-v1", 1_700_000_000.5).unwrap();
        monitor.write(&episode(9.0), 1_700_000_001.75).unwrap();
        let known = monitor.mark().unwrap().0;
        monitor.write(&episode(7.0), 1_700_000_002.0).unwrap();
        drop(monitor);
        let lines: Vec<String> = read().lines().map(str::to_owned).collect();
        let head: serde_json::Value = serde_json::from_str(lines[0].strip_prefix('#').unwrap()).unwrap();
        assert_eq!((head["t_start"].as_f64(), head["env_id"].as_str()), (Some(1_700_000_000.5), Some("CartPole-v1")));
        assert_eq!(lines[1..], ["r,l,t", "9,9,1.25", "7,9,1.5"]);

        // Times go on from the first session's beginning.
        let mut monitor = Monitor::open(dir.path(), Some(&known), "CartPole-v1", 1_700_000_100.0).unwrap();
        monitor.write(&episode(-0.123_456_78), 1_700_000_101.0).unwrap();
        monitor.flush().unwrap();
        assert_eq!(read().lines().skip(1).collect::<Vec<_>>(), ["r,l,t", "9,9,1.25", "-0.123457,9,100.5"]);

        std::fs::write(dir.path().join(MONITOR), "r,l,t\n".repeat(40)).unwrap();
        let refused = Monitor::open(dir.path(), Some(&known), "CartPole-v1", 0.0).err().unwrap();
        assert!(refused.to_string().contains("does not begin with its `t_start`"), "{refused}");
    }
}
