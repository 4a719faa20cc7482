//! [`Tally`], the latest numbers of a training run.

use requel::train::{Budget, TrainEvent};

use super::headway::Headway;

/// A score of the greedy policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Mean return.
    pub mean: f64,
    /// Standard deviation of the returns.
    pub std: f64,
    /// Number of episodes.
    pub episodes: usize,
}

/// The latest numbers of a training run.
#[derive(Debug)]
pub struct Tally {
    /// How much of the budget is used, and how fast.
    pub headway: Headway,
    /// Mean return of the last 100 training episodes.
    pub return_mean: Option<f64>,
    /// The history of that mean.
    pub history: Vec<f32>,
    /// The current ε.
    pub epsilon: Option<f64>,
    /// The best evaluation so far.
    pub best: Option<Scored>,
}

impl Tally {
    /// A tally that starts now, with the env steps and episodes of earlier sessions.
    pub fn new(budget: Budget, made: (u64, u64)) -> Self {
        Tally { headway: Headway::new(budget, made), return_mean: None, history: Vec::new(), epsilon: None, best: None }
    }

    /// Records an event.
    pub fn note(&mut self, event: &TrainEvent<'_>) {
        match event {
            TrainEvent::EpisodeEnded { env_steps, episode } => {
                self.headway.env_steps = *env_steps;
                self.headway.episodes = episode.index + 1;
            }
            TrainEvent::Progress(aggregates) => {
                self.headway.env_steps = aggregates.env_steps;
                self.headway.episodes = aggregates.episodes;
                self.return_mean = aggregates.return_mean;
                self.history.extend(aggregates.return_mean.map(|mean| mean as f32));
                self.epsilon = aggregates.epsilon;
            }
            TrainEvent::Evaluated { env_steps, evaluation, best, .. } => {
                self.headway.env_steps = *env_steps;
                if best.is_some() {
                    let (mean, std) = (evaluation.mean_return(), evaluation.std_return());
                    self.best = Some(Scored { mean, std, episodes: evaluation.episodes() });
                }
            }
            _ => {}
        }
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
        assert_eq!((tally.headway.used(), tally.headway.env_steps), (5, 100));
        let aggregates = Aggregates { env_steps: 120, episodes: 6, return_mean: Some(18.0), ..Aggregates::default() };
        tally.note(&TrainEvent::Progress(aggregates));
        assert_eq!(
            (tally.headway.used(), tally.headway.env_steps, tally.history.as_slice()),
            (6, 120, [18.0].as_slice())
        );
    }
}
