//! [`RunLogs`], all logs of a run as one observer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::appended::{AppendedFile, of_file};
use super::monitor::{MONITOR, Monitor};
use super::progress::{Columns, ScoreCells};
use super::thinning::is_written;
use super::{tensorboard, timing};
use crate::checkpoint::LogEntry;
use crate::config::EpisodeLog;
use crate::memory::available_bytes;
use crate::storage::{open_regular, read_regular_text};
use crate::train::{Aggregates, EventRecord, Observer, ObserverError, TrainEvent};

pub(crate) const METRICS: &str = "metrics.jsonl";
const PROGRESS: &str = "progress.csv";
const EVENTS: &str = "tensorboard/events.out.tfevents.requel";
const TIMING: &str = "timing.csv";
/// All logs, by their paths from the run's directory.
pub(crate) const NAMES: [&str; 4] = [METRICS, PROGRESS, EVENTS, TIMING];

/// Writes `metrics.jsonl`, `progress.csv`, TensorBoard events and `timing.csv` into the directory of a run.
///
/// The first two contain nothing that depends on the clock: two runs of the same config write the same bytes. If there are very many
/// episodes, not each of them has a line, see [`EpisodeLog`]. On request `monitor.csv` is written as well, with a line for each.
pub struct RunLogs {
    metrics: AppendedFile,
    progress: AppendedFile,
    events: AppendedFile,
    timing: AppendedFile,
    monitor: Option<Monitor>,
    episodes: EpisodeLog,
    /// A score that waits for the aggregates of the same step.
    score: Option<ScoreCells>,
    columns: Columns,
    /// Environment metrics and the program's own numbers for the next row.
    own: BTreeMap<String, f64>,
    session: u64,
    started: Instant,
    start_env_steps: u64,
}

impl RunLogs {
    /// Opens the logs of a training run in `dir`, truncated to the lengths recorded in a checkpoint; logs without a recorded length start
    /// empty. A new table has the columns `own` in addition to the common ones.
    ///
    /// # Errors
    /// If a file cannot be opened or is shorter than its checkpoint recorded.
    pub fn open(
        dir: &Path,
        known: &BTreeMap<String, LogEntry>,
        start_env_steps: u64,
        own: impl IntoIterator<Item = String>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(dir.join("tensorboard"))?;
        let open = |name: &str| AppendedFile::open(&dir.join(name), known.get(name).map_or(0, |entry| entry.bytes));
        let timing_path = dir.join(TIMING);
        // Times are kept over all sessions, so this file is never truncated.
        let timing_text = match read_regular_text(&timing_path, available_bytes().unwrap_or(u64::MAX)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| of_file(&timing_path, error))?,
        };
        // A process that died may have left half a line.
        let timing_text = &timing_text[..timing_text.rfind('\n').map_or(0, |end| end + 1)];
        let session =
            timing_text.lines().last().and_then(|l| l.split(',').next()?.parse::<u64>().ok()).unwrap_or(0) + 1;
        let columns = match known.get(PROGRESS).filter(|entry| entry.bytes > 0) {
            Some(_) => columns_of(&dir.join(PROGRESS))?,
            None => Columns::new(own),
        };
        let mut logs = RunLogs {
            metrics: open(METRICS)?,
            progress: open(PROGRESS)?,
            events: open(EVENTS)?,
            timing: AppendedFile::open(&timing_path, timing_text.len() as u64)?,
            monitor: None,
            episodes: EpisodeLog::Auto,
            score: None,
            columns,
            own: BTreeMap::new(),
            session,
            started: Instant::now(),
            start_env_steps,
        };
        if timing_text.is_empty() {
            logs.timing.write(timing::HEADER.as_bytes())?;
        }
        if known.get(PROGRESS).is_none_or(|entry| entry.bytes == 0) {
            logs.progress.write(logs.columns.header().as_bytes())?;
        }
        if known.get(EVENTS).is_none_or(|entry| entry.bytes == 0) {
            logs.events.write(&tensorboard::file_version(wall_time()))?;
        }
        Ok(logs)
    }

    /// The same logs, with lines for the episodes that `episodes` selects.
    pub fn with_episodes(self, episodes: EpisodeLog) -> Self {
        RunLogs { episodes, ..self }
    }

    /// From now on, writes lines for the episodes that `episodes` selects.
    pub fn set_episodes(&mut self, episodes: EpisodeLog) {
        self.episodes = episodes;
    }

    /// Starts `monitor.csv` in `dir` now, unless it is already being written.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn begin_monitor(&mut self, dir: &Path, env_id: &str) -> io::Result<()> {
        if self.monitor.is_none() {
            self.monitor = Some(Monitor::open(dir, None, env_id, wall_time())?);
        }
        Ok(())
    }

    /// Writes no further lines to `monitor.csv`; existing lines stay.
    ///
    /// # Errors
    /// If the disk refuses its last lines.
    pub fn end_monitor(&mut self) -> io::Result<()> {
        self.monitor.take().map_or(Ok(()), |mut monitor| monitor.flush())
    }

    /// The same logs with `monitor.csv`, as Stable-Baselines3 writes it, for an environment called `env_id`; `dir` and `known` are those of
    /// [`RunLogs::open`].
    ///
    /// # Errors
    /// As there, and if the file does not start like such a file.
    pub fn with_monitor(self, dir: &Path, known: &BTreeMap<String, LogEntry>, env_id: &str) -> io::Result<Self> {
        Ok(RunLogs { monitor: Some(Monitor::open(dir, known.get(MONITOR), env_id, wall_time())?), ..self })
    }

    /// Passes all data to the system, and returns what a checkpoint must record of each file, with handles for syncing all of them to disk.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn mark(&mut self) -> io::Result<(BTreeMap<String, LogEntry>, Vec<File>)> {
        self.settle_score()?;
        let (mut entries, mut handles) = (BTreeMap::new(), vec![self.timing.mark()?.1]);
        let files = [(METRICS, &mut self.metrics), (PROGRESS, &mut self.progress), (EVENTS, &mut self.events)];
        for (name, file) in files {
            let (entry, handle) = file.mark()?;
            entries.insert(name.to_owned(), entry);
            handles.push(handle);
        }
        if let Some(monitor) = &mut self.monitor {
            let (entry, handle) = monitor.mark()?;
            entries.insert(MONITOR.to_owned(), entry);
            handles.push(handle);
        }
        Ok((entries, handles))
    }

    /// Syncs all files to disk. Returns the BLAKE3 of each file, including times, by its path from the run's directory.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn sync(&mut self) -> io::Result<BTreeMap<String, String>> {
        let (mut entries, files) = self.mark()?;
        files.iter().try_for_each(File::sync_data)?;
        entries.insert(TIMING.to_owned(), self.timing.mark()?.0);
        Ok(entries.into_iter().filter_map(|(name, entry)| Some((name, entry.blake3?))).collect())
    }

    fn log_progress(&mut self, aggregates: &Aggregates) -> io::Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        let env_steps_per_second = (aggregates.env_steps - self.start_env_steps) as f64 / seconds.max(1e-9);
        let row = timing::row(self.session, aggregates.env_steps, seconds, env_steps_per_second);
        self.timing.write(row.as_bytes())?;
        let a = aggregates;
        let known = [
            ("rollout/ep_rew_mean", a.return_mean),
            ("rollout/ep_len_mean", a.length_mean),
            ("rollout/exploration_rate", a.epsilon),
            ("time/fps", Some(env_steps_per_second)),
            ("time/total_timesteps", Some(a.env_steps as f64)),
            ("time/episodes", Some(a.episodes as f64)),
            ("train/loss", a.loss),
            ("train/mean_q", a.mean_q),
            ("train/learning_rate", a.learning_rate),
            ("train/n_updates", Some(a.updates as f64)),
        ];
        let statistics = a.statistics.iter().map(|(statistic, value)| (statistic.tag(), value));
        let values: Vec<(&str, f64)> =
            known.into_iter().chain(statistics).filter_map(|(tag, value)| Some((tag, value?))).collect();
        self.events.write(&tensorboard::scalars(wall_time(), a.env_steps, &values))?;
        let score = self.score.take().map(ScoreCells::beside_aggregates);
        let own = self.own.iter().map(|(name, number)| (name.as_str(), *number));
        let cells: Vec<(&str, f64)> = values.into_iter().chain(score.into_iter().flatten()).chain(own).collect();
        self.progress.write(self.columns.row(&cells).as_bytes())?;
        self.own.clear();
        self.flush()
    }

    /// Numbers that may come at any step: written as scalars now and in the next row.
    fn log_own(&mut self, env_steps: u64, numbers: &[(String, f64)]) -> io::Result<()> {
        let finite = numbers.iter().filter(|(_, number)| number.is_finite());
        let values: Vec<(&str, f64)> = finite.map(|(name, number)| (name.as_str(), *number)).collect();
        self.own.extend(values.iter().map(|(name, number)| ((*name).to_owned(), *number)));
        self.events.write(&tensorboard::scalars(wall_time(), env_steps, &values))
    }

    /// Writes a score that was not followed by the aggregates of its step as its own row.
    fn settle_score(&mut self) -> io::Result<()> {
        match self.score.take() {
            Some(score) => self.progress.write(self.columns.row(&score.alone()).as_bytes()),
            None => Ok(()),
        }
    }

    /// Whether an event has a line in `metrics.jsonl`.
    fn is_written(&self, event: &TrainEvent<'_>) -> bool {
        match event {
            TrainEvent::EpisodeEnded { episode, .. } => is_written(self.episodes, episode.index),
            TrainEvent::EnvReported { episode: Some(index), .. } => is_written(self.episodes, *index),
            // An environment that returns NaN at every other step would otherwise fill the disk.
            TrainEvent::Skipped { skipped, .. } => is_written(self.episodes, skipped.saturating_sub(1)),
            // The directory of a run, and when it was saved, are not part of its result.
            TrainEvent::CheckpointSaved { .. } | TrainEvent::Diagnosed { .. } => false,
            _ => true,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        [&mut self.metrics, &mut self.progress, &mut self.events, &mut self.timing]
            .into_iter()
            .try_for_each(AppendedFile::flush)?;
        self.monitor.as_mut().map_or(Ok(()), Monitor::flush)
    }
}

impl Observer for RunLogs {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if self.is_written(event)
            && let Some(record) = EventRecord::of(event)
        {
            let mut line = serde_json::to_vec(&record).expect("an event is plain data");
            line.push(b'\n');
            self.metrics.write(&line)?;
        }
        let step = match event {
            TrainEvent::Progress(aggregates) => Some(aggregates.env_steps),
            TrainEvent::EnvReported { env_steps, episode: None, .. } => Some(*env_steps),
            _ => None,
        };
        if self.score.is_some_and(|score| Some(score.env_steps) != step) {
            self.settle_score()?;
        }
        if let (TrainEvent::EpisodeEnded { episode, .. }, Some(monitor)) = (event, &mut self.monitor) {
            monitor.write(episode, wall_time())?;
        }
        match event {
            TrainEvent::Progress(aggregates) => self.log_progress(aggregates)?,
            TrainEvent::Evaluated { env_steps, updates, evaluation, .. } => {
                let (mean_return, mean_length) = (evaluation.mean_return(), evaluation.mean_length());
                let (env_steps, updates) = (*env_steps, *updates);
                self.score = Some(ScoreCells { env_steps, updates, mean_return, mean_length });
                let values = [("eval/mean_reward", mean_return), ("eval/mean_ep_length", mean_length)];
                self.events.write(&tensorboard::scalars(wall_time(), env_steps, &values))?;
            }
            TrainEvent::EnvReported { env_steps, episode: None, metrics: numbers }
            | TrainEvent::NumbersLogged { env_steps, numbers } => self.log_own(*env_steps, numbers)?,
            TrainEvent::FinalEvaluated { .. } => self.flush()?,
            _ => {}
        }
        Ok(())
    }
}

/// The columns of a table that is continued.
fn columns_of(path: &Path) -> io::Result<Columns> {
    /// Maximum length of the first line of a table, bytes.
    const MOST_HEADER: u64 = 1 << 20;
    let mut header = String::new();
    let file = open_regular(path).map_err(|error| of_file(path, error))?;
    BufReader::new(file.take(MOST_HEADER)).read_line(&mut header).map_err(|error| of_file(path, error))?;
    Ok(Columns::of_header(&header))
}

/// Seconds since 1970, for TensorBoard.
fn wall_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::crc32c;
    use crate::train::{EpisodeRecord, Evaluation};

    fn progress_at(env_steps: u64) -> TrainEvent<'static> {
        TrainEvent::Progress(Aggregates { env_steps, return_mean: Some(1.0), ..Aggregates::default() })
    }

    /// The number of records of a TensorBoard file, every checksum checked.
    fn records(mut bytes: &[u8]) -> usize {
        let mut count = 0;
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
        while !bytes.is_empty() {
            let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(number(&bytes[8..12]), crc32c::masked(&bytes[..8]));
            assert_eq!(number(&bytes[12 + len..16 + len]), crc32c::masked(&bytes[12..12 + len]));
            bytes = &bytes[16 + len..];
            count += 1;
        }
        count
    }

    #[test]
    fn a_second_session_goes_on_where_the_checkpoint_knew_the_logs() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
        let mut logs = RunLogs::open(dir.path(), &BTreeMap::new(), 0, []).unwrap();
        logs.on_event(&progress_at(100)).unwrap();
        let known = logs.mark().unwrap().0;
        let (metrics, table) = (read(METRICS), read(PROGRESS));
        assert_eq!(known[METRICS].bytes as usize, metrics.len());
        logs.on_event(&progress_at(200)).unwrap();
        logs.sync().unwrap();
        drop(logs);
        assert_eq!(records(&read(EVENTS)), 3);

        let mut logs = RunLogs::open(dir.path(), &known, 100, []).unwrap();
        assert_eq!((read(METRICS), read(PROGRESS)), (metrics, table));
        assert_eq!(records(&read(EVENTS)), 2);
        logs.on_event(&progress_at(200)).unwrap();
        logs.sync().unwrap();
        assert_eq!(records(&read(EVENTS)), 3);
        assert_eq!(String::from_utf8(read(PROGRESS)).unwrap().lines().count(), 3);
        // Times are of both sessions.
        let timing = String::from_utf8(read(TIMING)).unwrap();
        let sessions: Vec<&str> = timing.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(sessions, ["1", "1", "2"]);
    }

    /// Steps with a score, with aggregates, with both: each score once, in the row of its step, whether a checkpoint was marked
    /// between or not.
    #[test]
    fn a_row_holds_the_score_of_its_step() {
        let evaluation = |value: f64| Evaluation { returns: vec![value], lengths: vec![value as u64], cut_off: 0 };
        let table = |mark: bool| {
            let dir = tempfile::tempdir().unwrap();
            let mut logs = RunLogs::open(dir.path(), &BTreeMap::new(), 0, []).unwrap();
            for (env_steps, scored, told) in
                [(50, true, false), (100, true, true), (150, true, false), (160, true, false), (200, false, true)]
            {
                if scored {
                    let evaluation = evaluation(env_steps as f64);
                    logs.on_event(&TrainEvent::Evaluated {
                        env_steps,
                        updates: 1,
                        evaluation: &evaluation,
                        best: None,
                    })
                    .unwrap();
                }
                if told {
                    logs.on_event(&progress_at(env_steps)).unwrap();
                }
                if mark {
                    logs.mark().unwrap();
                }
            }
            logs.sync().unwrap();
            std::fs::read_to_string(dir.path().join(PROGRESS)).unwrap()
        };
        let cells = |row: &str| {
            let cells: Vec<&str> = row.split(',').collect();
            (cells[0].to_owned(), cells[2].to_owned(), cells[9].to_owned())
        };
        let rows: Vec<_> = table(false).lines().skip(1).map(cells).collect();
        let expected =
            [("50", "", "50"), ("100", "1", "100"), ("150", "", "150"), ("160", "", "160"), ("200", "1", "")];
        assert_eq!(rows, expected.map(|(step, mean, score)| (step.to_owned(), mean.to_owned(), score.to_owned())));
        assert_eq!(table(true), table(false));
    }

    /// Your own numbers, some with names that the table has no column for, and a second session with other numbers.
    #[test]
    fn numbers_of_ones_own_are_in_every_log_and_columns_stay_as_they_began() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let tell = |logs: &mut RunLogs, env_steps: u64, numbers: &[(&str, f64)]| {
            let numbers: Vec<(String, f64)> = numbers.iter().map(|(name, x)| ((*name).to_owned(), *x)).collect();
            logs.on_event(&TrainEvent::NumbersLogged { env_steps, numbers: &numbers }).unwrap();
        };
        let mut logs = RunLogs::open(dir.path(), &BTreeMap::new(), 0, own(&["env/bumps", "my/heat"])).unwrap();
        tell(&mut logs, 90, &[("my/heat", 0.5), ("my/rare", 3.0)]);
        tell(&mut logs, 95, &[("my/heat", 0.75)]);
        logs.on_event(&progress_at(100)).unwrap();
        logs.on_event(&progress_at(200)).unwrap();
        let known = logs.mark().unwrap().0;
        drop(logs);
        let mut logs = RunLogs::open(dir.path(), &known, 200, own(&["my/wind", "env/falls", "env/bumps"])).unwrap();
        tell(&mut logs, 250, &[("my/wind", 7.0), ("my/heat", f64::NAN)]);
        let metrics = [("env/falls".to_owned(), 1.0), ("env/bumps".to_owned(), 2.0)];
        logs.on_event(&TrainEvent::EnvReported { env_steps: 300, episode: None, metrics: &metrics }).unwrap();
        logs.on_event(&progress_at(300)).unwrap();
        logs.sync().unwrap();
        let table = read(PROGRESS);
        let ends: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split(',').collect())
            .map(|cells: Vec<&str>| cells[cells.len() - 2..].to_vec())
            .collect();
        assert_eq!(ends, [["env/bumps", "my/heat"], ["", "0.75"], ["", ""], ["2", ""]]);
        assert!(
            table.lines().all(|line| line.matches(',').count() == table.lines().next().unwrap().matches(',').count())
        );
        let lines = read(METRICS);
        let numbers: Vec<&str> = lines.lines().filter(|line| line.contains("\"numbers\"")).collect();
        assert_eq!(
            numbers,
            [
                "{\"event\":\"numbers\",\"env_steps\":90,\"numbers\":{\"my/heat\":0.5,\"my/rare\":3.0}}",
                "{\"event\":\"numbers\",\"env_steps\":95,\"numbers\":{\"my/heat\":0.75}}",
                "{\"event\":\"numbers\",\"env_steps\":250,\"numbers\":{\"my/wind\":7.0}}",
            ]
        );
        let events = std::fs::read(dir.path().join(EVENTS)).unwrap();
        let has = |tag: &str| events.windows(tag.len()).any(|window| window == tag.as_bytes());
        assert!(["my/heat", "my/rare", "my/wind", "env/falls"].into_iter().all(has));
        // A version, two and one times numbers, metrics, three times aggregates.
        assert_eq!(records(&events), 1 + 3 + 1 + 3);
    }

    #[test]
    fn where_a_checkpoint_lies_is_no_metric() {
        let dir = tempfile::tempdir().unwrap();
        let mut logs = RunLogs::open(dir.path(), &BTreeMap::new(), 0, []).unwrap();
        logs.on_event(&TrainEvent::CheckpointSaved { env_steps: 1, path: dir.path() }).unwrap();
        logs.sync().unwrap();
        assert_eq!(std::fs::read_to_string(dir.path().join(METRICS)).unwrap(), "");
    }

    #[test]
    fn of_very_many_episodes_not_each_has_a_line() {
        let lines = |log: EpisodeLog| {
            let dir = tempfile::tempdir().unwrap();
            let mut logs = RunLogs::open(dir.path(), &BTreeMap::new(), 0, []).unwrap().with_episodes(log);
            for index in 0..70_000 {
                let episode = EpisodeRecord { index, return_: 1.0, length: 1, terminated: true, truncated: false };
                logs.on_event(&TrainEvent::EpisodeEnded { env_steps: index + 1, episode }).unwrap();
            }
            logs.sync().unwrap();
            std::fs::read_to_string(dir.path().join(METRICS)).unwrap().lines().count()
        };
        assert_eq!((lines(EpisodeLog::All), lines(EpisodeLog::Auto)), (70_000, 32_768 + 16_384 + 4_464 / 4));
    }

    #[test]
    fn half_a_line_of_times_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(TIMING);
        for (before, expected) in [
            (format!("{}4,100,1.0,100\n4,20", timing::HEADER), format!("{}4,100,1.0,100\n5,", timing::HEADER)),
            ("session,env".to_owned(), format!("{}1,", timing::HEADER)),
        ] {
            std::fs::write(&path, before).unwrap();
            let mut logs = RunLogs::open(dir.path(), &BTreeMap::new(), 0, []).unwrap();
            logs.on_event(&progress_at(100)).unwrap();
            logs.sync().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&expected), "{text}");
        }
    }
}
