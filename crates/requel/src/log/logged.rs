//! [`Logged`], what a line of `metrics.jsonl` says to whoever reads it back.

use super::metrics::{EpisodeLine, Line};
use crate::train::Aggregates;

/// What a line says, of those that are read back. Numbers that a line of an older version does not have are unknown or 0.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one is held at a time")]
pub enum Logged {
    /// An episode of training ended.
    Episode {
        /// Env steps so far.
        env_steps: u64,
        /// Undiscounted sum of its rewards.
        return_: f64,
    },
    /// Training aggregates.
    Train(Aggregates),
    /// The greedy policy was scored.
    Evaluation {
        /// Env steps so far.
        env_steps: u64,
        /// Mean return over the episodes.
        mean_return: f64,
        /// Its standard deviation over the episodes.
        std_return: f64,
        /// Mean length of the episodes, env steps.
        mean_length: f64,
        /// How many episodes there were.
        episodes: usize,
        /// Those of them that were cut off before they ended.
        cut_off: usize,
        /// Whether the policy was the best so far.
        best: bool,
    },
}

impl Logged {
    /// How the line of an episode begins. Most lines are episodes: whoever wants others leaves these out unparsed.
    pub const EPISODE: &[u8] = b"{\"event\":\"episode\"";

    /// Reads a line, with its line break or without; `None` for one that is cut off or damaged, or of an event that is not read back.
    ///
    /// ```
    /// use requel::run::Logged;
    ///
    /// let line = br#"{"event":"episode","env_steps":40,"index":3,"return":9.5,"length":10,"terminated":true,"truncated":false}"#;
    /// assert_eq!(Logged::read(line), Some(Logged::Episode { env_steps: 40, return_: 9.5 }));
    /// assert_eq!(Logged::read(&line[..30]), None);
    /// ```
    pub fn read(line: &[u8]) -> Option<Logged> {
        if line.starts_with(Self::EPISODE) {
            let EpisodeLine { env_steps, return_ } = serde_json::from_slice(line).ok()?;
            return Some(Logged::Episode { env_steps, return_ });
        }
        match serde_json::from_slice(line).ok()? {
            Line::Train(aggregates) => Some(Logged::Train(aggregates)),
            Line::Evaluation { env_steps, score, best, .. } => Some(Logged::Evaluation {
                env_steps,
                mean_return: score.mean_return,
                std_return: score.std_return,
                mean_length: score.mean_length,
                episodes: score.episodes,
                cut_off: score.cut_off.unwrap_or(0),
                best,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::line;
    use super::*;
    use crate::agent::{Statistic, Statistics};
    use crate::train::{EpisodeRecord, Evaluation, TrainEvent};

    #[test]
    fn what_was_written_is_read_back() {
        let read = |event: &TrainEvent<'_>| Logged::read(&line(event).unwrap());
        let episode = EpisodeRecord { index: 3, return_: 9.5, length: 10, terminated: true, truncated: false };
        assert_eq!(
            read(&TrainEvent::EpisodeEnded { env_steps: 40, episode }),
            Some(Logged::Episode { env_steps: 40, return_: 9.5 })
        );
        let mut statistics = Statistics::default();
        statistics.record(Statistic::GradientNorm, 2.5);
        let aggregates = Aggregates {
            env_steps: 1000,
            episodes: 7,
            updates: 90,
            return_mean: Some(21.5),
            loss: Some(0.5),
            mean_q: Some(-3.0),
            epsilon: Some(0.1),
            learning_rate: Some(1e-3),
            statistics,
            ..Aggregates::default()
        };
        assert_eq!(read(&TrainEvent::Progress(aggregates)), Some(Logged::Train(aggregates)));
        let evaluation = Evaluation { returns: vec![1.0, 3.0], lengths: vec![1, 4], cut_off: 1 };
        assert_eq!(
            read(&TrainEvent::Evaluated { env_steps: 40, updates: 2, evaluation: &evaluation, best: None }),
            Some(Logged::Evaluation {
                env_steps: 40,
                mean_return: 2.0,
                std_return: 1.0,
                mean_length: 2.5,
                episodes: 2,
                cut_off: 1,
                best: false
            })
        );
        assert_eq!(read(&TrainEvent::LongEpisode { env_steps: 9, env: 0, length: 9 }), None);
    }
}
