//! [`Streaks`], an observer that logs your own numbers.

use requel::train::{Logger, LoggerError, Observer, ObserverError};
use requel::{TrainEvent, Trainer};

/// Logs how many episodes in a row were better than the mean of all before, at the end of each episode: a policy that has learned
/// something has long streaks, one that is lucky has short ones.
pub struct Streaks {
    logger: Logger,
    episodes: u64,
    sum: f64,
    streak: u64,
    longest: u64,
}

impl Streaks {
    /// The name of the current streak in logs.
    pub const STREAK: &str = "streaks/now";
    /// The name under which logs have the longest streak so far.
    pub const LONGEST: &str = "streaks/longest";

    /// Streaks in the logs of a training. They start from zero when the training is resumed.
    ///
    /// # Errors
    /// If logs cannot have the names.
    pub fn in_logs_of(trainer: &mut Trainer) -> Result<Self, LoggerError> {
        let logger = Logger::new([Self::STREAK, Self::LONGEST])?;
        trainer.set_logger(&logger);
        Ok(Streaks { logger, episodes: 0, sum: 0.0, streak: 0, longest: 0 })
    }
}

impl Observer for Streaks {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        let TrainEvent::EpisodeEnded { episode, .. } = event else { return Ok(()) };
        let is_better = self.episodes > 0 && episode.return_ > self.sum / self.episodes as f64;
        self.streak = if is_better { self.streak + 1 } else { 0 };
        self.longest = self.longest.max(self.streak);
        (self.episodes, self.sum) = (self.episodes + 1, self.sum + episode.return_);
        self.logger.record(Self::STREAK, self.streak as f64);
        self.logger.record(Self::LONGEST, self.longest as f64);
        Ok(())
    }
}
