//! [`EventRecord`], an event as plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Aggregates, Confirmation, EpisodeRecord, Evaluation, Finding, TrainEvent};

/// An event of training as plain data: the contents of a line in `metrics.jsonl` or in the program's `--json` output, read by reports and
/// the dashboard. Every line is a JSON object whose `event` names the kind.
///
/// When reading, kinds that are never read back become [`EventRecord::Other`], as do those of newer versions; numbers missing from a line
/// of an older version stay unknown, or are 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventRecord {
    /// A training episode ended.
    Episode {
        /// Env steps so far.
        env_steps: u64,
        /// The episode.
        #[serde(flatten)]
        episode: EpisodeRecord,
    },
    /// Training aggregates.
    Train(Aggregates),
    /// Statistics reported by the agent.
    #[serde(skip_deserializing)]
    Agent {
        /// Env steps so far.
        env_steps: u64,
        /// Numbers by name.
        #[serde(flatten)]
        statistics: BTreeMap<String, f64>,
    },
    /// The program's own numbers, passed to a [`Logger`](super::Logger).
    #[serde(skip_deserializing)]
    Numbers {
        /// Env steps so far.
        env_steps: u64,
        /// The latest number for each name.
        numbers: BTreeMap<String, f64>,
    },
    /// The greedy policy was scored.
    Evaluation {
        /// Env steps so far.
        env_steps: u64,
        /// Updates so far.
        #[serde(default)]
        updates: u64,
        /// The score.
        #[serde(flatten)]
        score: ScoreRecord,
        /// Whether the policy was the best so far.
        #[serde(default)]
        best: bool,
    },
    /// A policy that may stop training was tried on many fresh episodes.
    #[serde(skip_deserializing)]
    Confirmation {
        /// Updates so far.
        updates: u64,
        /// The result.
        #[serde(flatten)]
        confirmation: Confirmation,
    },
    /// The best and the final policy received their final scores.
    #[serde(skip_deserializing)]
    FinalEvaluation {
        /// Env steps of the whole training.
        env_steps: u64,
        /// Updates of the whole training.
        updates: u64,
        /// The best policy's score on fresh episodes.
        best: ScoreRecord,
        /// The final policy's score on the same episodes.
        last: ScoreRecord,
    },
    /// A step was dropped because a number in it was NaN or infinite.
    #[serde(skip_deserializing)]
    Skipped {
        /// Env steps taken before the dropped step.
        env_steps: u64,
        /// Where: `observation` or `reward`.
        site: String,
        /// The number, as text: JSON has no such numbers.
        value: String,
        /// The environment it came from.
        env: usize,
        /// The action that led there.
        action: usize,
        /// How often this has happened so far.
        skipped: u64,
    },
    /// The metrics of the environments.
    #[serde(skip_deserializing)]
    Env {
        /// Env steps so far.
        env_steps: u64,
        /// The number of the episode that ended; omitted for means over the last 100 episodes.
        #[serde(skip_serializing_if = "Option::is_none")]
        episode: Option<u64>,
        /// Numbers by name; those that are not finite are omitted.
        #[serde(flatten)]
        metrics: BTreeMap<String, f64>,
    },
    /// A training episode has reached `log.long_episode_steps` and continues.
    #[serde(skip_deserializing)]
    LongEpisode {
        /// Env steps so far.
        env_steps: u64,
        /// Its environment.
        env: usize,
        /// Its length so far, env steps.
        length: u64,
    },
    /// Something is wrong with learning. Not in `metrics.jsonl`.
    #[serde(skip_deserializing)]
    Finding {
        /// Env steps so far.
        env_steps: u64,
        /// What is wrong.
        #[serde(flatten)]
        finding: Finding,
    },
    /// The complete state is on disk. Not in `metrics.jsonl`: the directory of a run is not part of its result.
    #[serde(skip_deserializing)]
    Checkpoint {
        /// Env steps in the checkpoint.
        env_steps: u64,
        /// Its path.
        path: PathBuf,
    },
    /// A line of another kind.
    #[serde(other, skip_serializing)]
    Other,
}

/// The summary of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreRecord {
    /// Mean undiscounted return.
    pub mean_return: f64,
    /// Standard deviation over the episodes.
    pub std_return: f64,
    /// Mean length of the episodes, env steps.
    pub mean_length: f64,
    /// Number of episodes.
    pub episodes: usize,
    /// How many of them were cut off before they ended; omitted if none was.
    #[serde(skip_serializing_if = "is_none")]
    pub cut_off: usize,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl From<&Evaluation> for ScoreRecord {
    fn from(evaluation: &Evaluation) -> Self {
        ScoreRecord {
            mean_return: evaluation.mean_return(),
            std_return: evaluation.std_return(),
            mean_length: evaluation.mean_length(),
            episodes: evaluation.episodes(),
            cut_off: evaluation.cut_off,
        }
    }
}

/// The line of an episode without its kind. Most lines are episodes: parsing this is faster than parsing a choice among all kinds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EpisodeLine {
    env_steps: u64,
    index: u64,
    #[serde(rename = "return")]
    return_: f64,
    length: u64,
    terminated: bool,
    truncated: bool,
}

impl EventRecord {
    /// The start of the line of an episode. Readers interested in other lines can skip these without parsing.
    pub const EPISODE: &[u8] = b"{\"event\":\"episode\"";

    /// The record of an event; `None` for a single step, and for the progress of the final evaluation.
    pub fn of(event: &TrainEvent<'_>) -> Option<Self> {
        Some(match *event {
            TrainEvent::Stepped { .. } | TrainEvent::FinalEpisode { .. } => return None,
            TrainEvent::EpisodeEnded { env_steps, episode } => EventRecord::Episode { env_steps, episode },
            TrainEvent::Progress(aggregates) => EventRecord::Train(aggregates),
            TrainEvent::AgentReported { env_steps, statistics } => {
                EventRecord::Agent { env_steps, statistics: statistics.iter().cloned().collect() }
            }
            TrainEvent::NumbersLogged { env_steps, numbers } => {
                EventRecord::Numbers { env_steps, numbers: finite(numbers) }
            }
            TrainEvent::Evaluated { env_steps, updates, evaluation, best } => {
                EventRecord::Evaluation { env_steps, updates, score: evaluation.into(), best: best.is_some() }
            }
            TrainEvent::Confirmed { updates, confirmation } => EventRecord::Confirmation { updates, confirmation },
            TrainEvent::FinalEvaluated { env_steps, updates, best, last } => {
                EventRecord::FinalEvaluation { env_steps, updates, best: best.into(), last: last.into() }
            }
            TrainEvent::Skipped { env_steps, site, value, env, action, skipped } => {
                let (site, value) = (site.to_owned(), value.to_string());
                EventRecord::Skipped { env_steps, site, value, env, action, skipped }
            }
            TrainEvent::EnvReported { env_steps, episode, metrics } => {
                EventRecord::Env { env_steps, episode, metrics: finite(metrics) }
            }
            TrainEvent::LongEpisode { env_steps, env, length } => EventRecord::LongEpisode { env_steps, env, length },
            TrainEvent::Diagnosed { env_steps, finding } => {
                EventRecord::Finding { env_steps, finding: finding.clone() }
            }
            TrainEvent::CheckpointSaved { env_steps, path } => {
                EventRecord::Checkpoint { env_steps, path: path.to_owned() }
            }
        })
    }

    /// Parses a line, with or without its line break; `None` for one that is truncated or damaged.
    ///
    /// ```
    /// use requel::train::EventRecord;
    ///
    /// let line = br#"{"event":"episode","env_steps":40,"index":3,"return":9.5,"length":10,"terminated":true,"truncated":false}"#;
    /// let Some(EventRecord::Episode { env_steps: 40, episode }) = EventRecord::read(line) else { panic!() };
    /// assert_eq!(episode.return_, 9.5);
    /// assert_eq!(EventRecord::read(&line[..30]), None);
    /// ```
    pub fn read(line: &[u8]) -> Option<Self> {
        if !line.starts_with(Self::EPISODE) {
            return serde_json::from_slice(line).ok();
        }
        let EpisodeLine { env_steps, index, return_, length, terminated, truncated } =
            serde_json::from_slice(line).ok()?;
        let episode = EpisodeRecord { index, return_, length, terminated, truncated };
        Some(EventRecord::Episode { env_steps, episode })
    }
}

/// The numbers that JSON can represent.
fn finite(numbers: &[(String, f64)]) -> BTreeMap<String, f64> {
    numbers.iter().filter(|(_, number)| number.is_finite()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::{Statistic, Statistics};

    fn text(event: &TrainEvent<'_>) -> String {
        serde_json::to_string(&EventRecord::of(event).unwrap()).unwrap()
    }

    const EPISODE: EpisodeRecord =
        EpisodeRecord { index: 3, return_: 9.5, length: 10, terminated: true, truncated: false };

    #[test]
    fn lines_by_hand() {
        assert_eq!(
            text(&TrainEvent::EpisodeEnded { env_steps: 40, episode: EPISODE }),
            "{\"event\":\"episode\",\"env_steps\":40,\"index\":3,\"return\":9.5,\"length\":10,\"terminated\":true,\
             \"truncated\":false}"
        );
        let evaluation = Evaluation { returns: vec![1.0, 3.0], lengths: vec![1, 4], cut_off: 0 };
        assert_eq!(
            text(&TrainEvent::Evaluated { env_steps: 40, updates: 2, evaluation: &evaluation, best: None }),
            "{\"event\":\"evaluation\",\"env_steps\":40,\"updates\":2,\"mean_return\":2.0,\"std_return\":1.0,\
             \"mean_length\":2.5,\"episodes\":2,\"best\":false}"
        );
        let mut statistics = Statistics::default();
        statistics.record(Statistic::GradientNorm, 2.5);
        let aggregates =
            Aggregates { env_steps: 1000, loss: Some(0.5), epsilon: Some(0.1), statistics, ..Aggregates::default() };
        assert_eq!(
            text(&TrainEvent::Progress(aggregates)),
            "{\"event\":\"train\",\"env_steps\":1000,\"episodes\":0,\"updates\":0,\"return_mean_100\":null,\
             \"length_mean_100\":null,\"loss\":0.5,\"mean_q\":null,\"epsilon\":0.1,\"learning_rate\":null,\
             \"gradient_norm\":2.5,\"clipped_updates\":null,\"update_to_weight\":null,\"dormant_share\":null,\
             \"largest_q\":null,\"td_error_median\":null,\"td_error_p90\":null,\"td_error_max\":null,\
             \"clipped_targets\":null,\"replay_age\":null}"
        );
        let statistics = [("temperature".to_owned(), 0.5), ("states".to_owned(), 16.0)];
        assert_eq!(
            text(&TrainEvent::AgentReported { env_steps: 1000, statistics: &statistics }),
            "{\"event\":\"agent\",\"env_steps\":1000,\"states\":16.0,\"temperature\":0.5}"
        );
        let numbers = [("event".to_owned(), 2.0), ("broken".to_owned(), f64::INFINITY)];
        assert_eq!(
            text(&TrainEvent::NumbersLogged { env_steps: 7, numbers: &numbers }),
            "{\"event\":\"numbers\",\"env_steps\":7,\"numbers\":{\"event\":2.0}}"
        );
        assert_eq!(
            text(&TrainEvent::Skipped { env_steps: 7, site: "reward", value: f64::NAN, env: 1, action: 0, skipped: 2 }),
            "{\"event\":\"skipped\",\"env_steps\":7,\"site\":\"reward\",\"value\":\"NaN\",\"env\":1,\"action\":0,\
             \"skipped\":2}"
        );
        let metrics = [("env/bumps".to_owned(), 2.0), ("env/heat".to_owned(), f64::NAN)];
        assert_eq!(
            text(&TrainEvent::EnvReported { env_steps: 9, episode: Some(3), metrics: &metrics }),
            "{\"event\":\"env\",\"env_steps\":9,\"episode\":3,\"env/bumps\":2.0}"
        );
        assert_eq!(
            text(&TrainEvent::LongEpisode { env_steps: 9, env: 0, length: 9 }),
            "{\"event\":\"long_episode\",\"env_steps\":9,\"env\":0,\"length\":9}"
        );
        assert_eq!(
            text(&TrainEvent::CheckpointSaved { env_steps: 9, path: std::path::Path::new("ckpt") }),
            "{\"event\":\"checkpoint\",\"env_steps\":9,\"path\":\"ckpt\"}"
        );
        let finding = Finding::note("a-check", "seen", "try");
        assert_eq!(
            text(&TrainEvent::Diagnosed { env_steps: 9, finding: &finding }),
            "{\"event\":\"finding\",\"env_steps\":9,\"check\":\"a-check\",\"severity\":\"note\",\"evidence\":\"seen\",\
             \"advice\":\"try\"}"
        );
    }

    #[test]
    fn what_was_written_is_read_back() {
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
        let evaluation = Evaluation { returns: vec![1.0, 3.0], lengths: vec![1, 4], cut_off: 1 };
        for event in [
            TrainEvent::EpisodeEnded { env_steps: 40, episode: EPISODE },
            TrainEvent::Progress(aggregates),
            TrainEvent::Evaluated { env_steps: 40, updates: 2, evaluation: &evaluation, best: None },
        ] {
            assert_eq!(EventRecord::read(text(&event).as_bytes()), EventRecord::of(&event));
        }
        let long = text(&TrainEvent::LongEpisode { env_steps: 9, env: 0, length: 9 });
        assert_eq!(EventRecord::read(long.as_bytes()), Some(EventRecord::Other));
        assert_eq!(EventRecord::read(b"{\"event\":\"of_a_later_version\",\"x\":1}"), Some(EventRecord::Other));
    }
}
