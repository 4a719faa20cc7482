//! [`Tally`], what is known of a training so far.

use std::time::{Duration, Instant};

use requel::Config;
use requel::train::TrainEvent;

/// What training stops at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// So many env steps.
    EnvSteps(u64),
    /// So many episodes.
    Episodes(u64),
}

impl Budget {
    /// The budget that a config sets; env steps where it sets both.
    pub fn of(config: &Config) -> Self {
        match config.train.env_steps {
            0 => Budget::Episodes(config.train.episodes),
            steps => Budget::EnvSteps(steps),
        }
    }

    /// How much there is.
    pub fn total(self) -> u64 {
        let (Budget::EnvSteps(total) | Budget::Episodes(total)) = self;
        total
    }

    /// What is counted.
    pub fn unit(self) -> &'static str {
        match self {
            Budget::EnvSteps(_) => "env steps",
            Budget::Episodes(_) => "episodes",
        }
    }
}

/// A score of the greedy policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Mean return.
    pub mean: f64,
    /// Standard deviation of the returns.
    pub std: f64,
    /// Over how many episodes.
    pub episodes: usize,
}

/// What is known of a training so far.
#[derive(Debug)]
pub struct Tally {
    /// What training stops at.
    pub budget: Budget,
    /// Env steps so far.
    pub env_steps: u64,
    /// Episodes that ended so far.
    pub episodes: u64,
    /// Mean return of the last 100 training episodes.
    pub return_mean: Option<f64>,
    /// The course of that mean.
    pub history: Vec<f32>,
    /// ε in force.
    pub epsilon: Option<f64>,
    /// The best evaluation so far.
    pub best: Option<Scored>,
    started: Instant,
    start: (u64, u64),
}

impl Tally {
    /// A tally that begins now, with the env steps and episodes that earlier sessions made.
    pub fn new(budget: Budget, (env_steps, episodes): (u64, u64)) -> Self {
        Tally {
            budget,
            env_steps,
            episodes,
            return_mean: None,
            history: Vec::new(),
            epsilon: None,
            best: None,
            started: Instant::now(),
            start: (env_steps, episodes),
        }
    }

    /// Takes note of an event.
    pub fn note(&mut self, event: &TrainEvent<'_>) {
        match event {
            TrainEvent::EpisodeEnded { env_steps, episode } => {
                self.env_steps = *env_steps;
                self.episodes = episode.index + 1;
            }
            TrainEvent::Progress(aggregates) => {
                self.env_steps = aggregates.env_steps;
                self.episodes = aggregates.episodes;
                self.return_mean = aggregates.return_mean;
                self.history.extend(aggregates.return_mean.map(|mean| mean as f32));
                self.epsilon = Some(aggregates.epsilon);
            }
            TrainEvent::Evaluated { env_steps, evaluation, best, .. } => {
                self.env_steps = *env_steps;
                if best.is_some() {
                    let (mean, std) = (evaluation.mean_return(), evaluation.std_return());
                    self.best = Some(Scored { mean, std, episodes: evaluation.episodes() });
                }
            }
            _ => {}
        }
    }

    /// How much of the budget is used.
    pub fn used(&self) -> u64 {
        match self.budget {
            Budget::EnvSteps(_) => self.env_steps,
            Budget::Episodes(_) => self.episodes,
        }
    }

    /// Time since the tally began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Env steps per second of this session.
    pub fn env_steps_per_second(&self) -> f64 {
        (self.env_steps - self.start.0) as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }

    /// The time that is left at the present pace; `None` before there is one.
    pub fn time_left(&self) -> Option<Duration> {
        let start = match self.budget {
            Budget::EnvSteps(_) => self.start.0,
            Budget::Episodes(_) => self.start.1,
        };
        let done = self.used().saturating_sub(start);
        let left = self.budget.total().saturating_sub(self.used());
        (done > 0).then(|| self.elapsed().mul_f64(left as f64 / done as f64))
    }
}

#[cfg(test)]
mod tests {
    use requel::train::{Aggregates, EpisodeRecord};

    use super::*;

    #[test]
    fn events_are_counted() {
        let mut tally = Tally::new(Budget::Episodes(10), (0, 0));
        let episode = EpisodeRecord { index: 4, return_: 20.0, length: 20, terminated: true, truncated: false };
        tally.note(&TrainEvent::EpisodeEnded { env_steps: 100, episode });
        assert_eq!((tally.used(), tally.env_steps), (5, 100));
        let aggregates = Aggregates { env_steps: 120, episodes: 6, return_mean: Some(18.0), ..Aggregates::default() };
        tally.note(&TrainEvent::Progress(aggregates));
        assert_eq!((tally.used(), tally.env_steps, tally.history.as_slice()), (6, 120, [18.0].as_slice()));
        assert!(tally.time_left().is_some());
    }

    #[test]
    fn env_steps_are_the_budget_where_both_are_set() {
        let mut config = Config::default();
        (config.train.env_steps, config.train.episodes) = (500, 7);
        assert_eq!(Budget::of(&config), Budget::EnvSteps(500));
        config.train.env_steps = 0;
        assert_eq!(Budget::of(&config), Budget::Episodes(7));
    }
}
