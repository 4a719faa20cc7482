//! [`Logger`], for a program's own numbers in the logs of a training run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

/// Adds your own numbers to the logs of a training run: `metrics.jsonl`, TensorBoard, the columns of `progress.csv`, `--json`, and every
/// [`Observer`](super::Observer). Clones are handles of the same logger; an observer, an environment or an agent can hold one.
///
/// A number is logged at the env step during which it was recorded; if a name is recorded several times in a step, the latest number
/// counts. Numbers that are not finite are left out of files that cannot represent them.
///
/// ```
/// use requel::config::Layers;
/// use requel::train::Logger;
/// use requel::{TrainEvent, Trainer};
///
/// let mut trainer = Trainer::new(Layers::new().preset("notebook")?.set("train.episodes=3")?.resolve()?)?;
/// let logger = Logger::new(["cart/longest"])?;
/// trainer.set_logger(&logger);
/// let (mut longest, mut heard) = (0, Vec::new());
/// trainer.run(&mut |event: &TrainEvent<'_>| {
///     match event {
///         TrainEvent::EpisodeEnded { episode, .. } if episode.length > longest => {
///             longest = episode.length;
///             logger.record("cart/longest", longest as f64);
///         }
///         TrainEvent::NumbersLogged { numbers, .. } => heard.push(numbers[0].1),
///         _ => {}
///     }
///     Ok(())
/// })?;
/// assert_eq!(heard.last(), Some(&(longest as f64)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Logger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    columns: Vec<String>,
    /// Whether `recorded` contains anything: checked after every step.
    any: AtomicBool,
    recorded: Mutex<Vec<(String, f64)>>,
}

/// A name that no column of `progress.csv` can have.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("`{name}` is not a valid name for a logged number: {reason}")]
pub struct LoggerError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Prefixes that are reserved for requel's own logs.
const RESERVED: [&str; 6] = ["time/", "rollout/", "train/", "eval/", "env/", "agent/"];

impl Logger {
    /// A logger with a column in `progress.csv` for each of these names. Numbers with other names can be recorded too, and are logged
    /// everywhere else: the columns of a table are fixed when it is created.
    ///
    /// # Errors
    /// If a name is empty, occurs twice, has characters with a special meaning in tables, or is reserved for requel's own logs.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = N>) -> Result<Self, LoggerError> {
        let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
        for (at, name) in columns.iter().enumerate() {
            let reason = if name.is_empty() {
                "it is empty"
            } else if name.contains([',', '"']) || name.contains(char::is_control) {
                "commas, quotes and line breaks would end its column"
            } else if RESERVED.iter().any(|group| name.starts_with(group)) {
                "requel itself logs under time/, rollout/, train/, eval/, env/ and agent/; use another group, such as \
                 `my/`"
            } else if columns[..at].contains(name) {
                "it is given twice"
            } else {
                continue;
            };
            return Err(LoggerError { name: name.clone(), reason });
        }
        Ok(Logger { shared: Arc::new(Shared { columns, any: AtomicBool::new(false), recorded: Mutex::default() }) })
    }

    /// Records a number at the current env step.
    pub fn record(&self, name: &str, value: f64) {
        let mut recorded = self.shared.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        match recorded.iter_mut().find(|(known, _)| known == name) {
            Some((_, latest)) => *latest = value,
            None => recorded.push((name.to_owned(), value)),
        }
        self.shared.any.store(true, Ordering::Release);
    }

    /// The names that have a column.
    pub fn columns(&self) -> &[String] {
        &self.shared.columns
    }

    /// The numbers recorded since the last call, by name.
    pub(super) fn take(&self) -> Vec<(String, f64)> {
        if !self.shared.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut recorded = self.shared.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.any.store(false, Ordering::Relaxed);
        let mut numbers = std::mem::take(&mut *recorded);
        drop(recorded);
        // The order in which threads record must not affect a log.
        numbers.sort_by(|(a, _), (b, _)| a.cmp(b));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_number_of_each_name_is_taken_once() {
        let logger = Logger::new(["my/a"]).unwrap();
        let other = logger.clone();
        assert_eq!(logger.take(), []);
        other.record("my/b", 1.0);
        logger.record("my/a", 2.0);
        logger.record("my/b", 3.0);
        assert_eq!(logger.take(), [("my/a".to_owned(), 2.0), ("my/b".to_owned(), 3.0)]);
        assert_eq!(other.take(), []);
    }

    #[test]
    fn names_that_no_column_can_have_are_refused() {
        for name in ["", "a,b", "a\"b", "a\nb", "train/loss", "env/bumps"] {
            assert_eq!(Logger::new([name]).unwrap_err().name, name);
        }
        assert_eq!(Logger::new(["my/a", "my/b", "my/a"]).unwrap_err().reason, "it is given twice");
    }
}
