//! Training aggregates.

use super::Trainer;
use crate::schedule::crossings;
use crate::train::counted::{Counted, PARTS_OF_AGGREGATES};
use crate::train::observer::tell;
use crate::train::{Aggregates, EpisodeRecord, Logger, Observer, TrainError, TrainEvent};

impl Trainer {
    /// Statistics of training since the last report.
    pub fn aggregates(&self) -> Aggregates {
        let counted = Counted {
            agent: &*self.agent,
            env_steps: self.env_steps,
            updates: self.updates,
            returns: &self.returns,
            learned: &self.learned,
            evaluation: self.scoring.latest(),
        };
        counted.aggregates()
    }

    pub(super) fn count_steps(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (env_steps, long) = (self.env_steps, self.config.log.long_episode_steps);
        for slot in (0..self.steps.len()).filter(|slot| !self.dropped[*slot]) {
            self.env_metrics.add(slot, self.envs.metrics(slot));
            if let Some(episode) = self.returns.step(slot, self.steps[slot]) {
                let episode: EpisodeRecord = episode;
                let (metrics, index) = (self.env_metrics.end_episode(slot), Some(episode.index));
                if !metrics.is_empty() {
                    tell(observer, TrainEvent::EnvReported { env_steps, episode: index, metrics })?;
                }
                tell(observer, TrainEvent::EpisodeEnded { env_steps, episode })?;
            } else if self.returns.running_length(slot) == long {
                tell(observer, TrainEvent::LongEpisode { env_steps, env: slot, length: long })?;
            }
        }
        Ok(())
    }

    /// Emits the metrics of the environments, the aggregates, and then the agent's other statistics.
    pub(super) fn tell_progress(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if !self.env_metrics.is_empty() {
            let (env_steps, metrics) = (self.env_steps, self.env_metrics.means());
            tell(observer, TrainEvent::EnvReported { env_steps, episode: None, metrics })?;
        }
        self.tell_numbers(observer)?;
        tell(observer, TrainEvent::Progress(self.aggregates()))?;
        self.reported.clear();
        let Trainer { agent, reported, env_steps, .. } = self;
        agent.statistics(*env_steps, &mut |name, value| {
            if !PARTS_OF_AGGREGATES.contains(&name) {
                reported.push((name.to_owned(), value));
            }
        });
        if reported.is_empty() {
            return Ok(());
        }
        tell(observer, TrainEvent::AgentReported { env_steps: *env_steps, statistics: reported })
    }

    /// Emits the numbers recorded since the last time.
    pub(super) fn tell_numbers(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        match self.logger.as_ref().map(Logger::take) {
            Some(numbers) if !numbers.is_empty() => {
                tell(observer, TrainEvent::NumbersLogged { env_steps: self.env_steps, numbers: &numbers })
            }
            _ => Ok(()),
        }
    }

    /// The program's own numbers that have a column in `progress.csv`.
    pub(crate) fn logged_columns(&self) -> &[String] {
        self.logger.as_ref().map_or(&[], Logger::columns)
    }

    /// Whether the last step reached or passed the next multiple of `log.every_steps`.
    pub(super) fn progress_due(&self) -> bool {
        let before = self.env_steps.saturating_sub(self.made);
        crossings(self.config.log.every_steps, before, self.env_steps) > 0
    }
}
