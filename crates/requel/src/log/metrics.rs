//! `metrics.jsonl`: every event as a line of JSON, without anything that depends on the clock. [`Line`] is both how lines are written
//! and how they are read back, as [`Logged`](super::Logged).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::train::{Aggregates, Confirmation, EpisodeRecord, Evaluation, TrainEvent};

/// A line. Those that nothing reads back are [`Line::Other`] to a reader, as those of newer versions are, and [`EpisodeLine`] is how
/// episodes are; what a line of an older version does not have stays unknown.
#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Line {
    #[serde(skip_deserializing)]
    Episode {
        env_steps: u64,
        #[serde(flatten)]
        episode: EpisodeRecord,
    },
    Train(Aggregates),
    #[serde(skip_deserializing)]
    Agent {
        env_steps: u64,
        #[serde(flatten)]
        statistics: BTreeMap<String, f64>,
    },
    Evaluation {
        env_steps: u64,
        #[serde(default)]
        updates: u64,
        #[serde(flatten)]
        score: Score,
        #[serde(default)]
        best: bool,
    },
    #[serde(skip_deserializing)]
    Confirmation {
        updates: u64,
        #[serde(flatten)]
        confirmation: Confirmation,
    },
    #[serde(skip_deserializing)]
    FinalEvaluation {
        env_steps: u64,
        updates: u64,
        best: Score,
        last: Score,
    },
    #[serde(skip_deserializing)]
    Skipped {
        env_steps: u64,
        site: String,
        /// As text: JSON has no such numbers.
        value: String,
        env: usize,
        action: usize,
        skipped: u64,
    },
    #[serde(skip_deserializing)]
    Env {
        env_steps: u64,
        /// Left out of means over the last 100 episodes.
        #[serde(skip_serializing_if = "Option::is_none")]
        episode: Option<u64>,
        #[serde(flatten)]
        metrics: BTreeMap<String, f64>,
    },
    #[serde(skip_deserializing)]
    LongEpisode {
        env_steps: u64,
        env: usize,
        length: u64,
    },
    #[serde(other, skip_serializing)]
    Other,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Score {
    pub mean_return: f64,
    pub std_return: f64,
    pub mean_length: f64,
    pub episodes: usize,
    /// Those that were cut off before they ended; left out where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<usize>,
}

/// What is read back of an episode: most lines are episodes, and less of them is wanted than was written.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct EpisodeLine {
    pub env_steps: u64,
    #[serde(rename = "return")]
    pub return_: f64,
}

impl Score {
    fn of(evaluation: &Evaluation) -> Self {
        Score {
            mean_return: evaluation.mean_return(),
            std_return: evaluation.std_return(),
            mean_length: evaluation.mean_length(),
            episodes: evaluation.episodes(),
            cut_off: Some(evaluation.cut_off).filter(|count| *count > 0),
        }
    }
}

/// The line for an event with its line break, if it has one.
pub(super) fn line(event: &TrainEvent<'_>) -> Option<Vec<u8>> {
    let line = match *event {
        TrainEvent::EpisodeEnded { env_steps, episode } => Line::Episode { env_steps, episode },
        TrainEvent::Progress(aggregates) => Line::Train(aggregates),
        TrainEvent::AgentReported { env_steps, statistics } => {
            Line::Agent { env_steps, statistics: statistics.iter().cloned().collect() }
        }
        TrainEvent::Evaluated { env_steps, updates, evaluation, best } => {
            Line::Evaluation { env_steps, updates, score: Score::of(evaluation), best: best.is_some() }
        }
        TrainEvent::Confirmed { updates, confirmation } => Line::Confirmation { updates, confirmation },
        TrainEvent::FinalEvaluated { env_steps, updates, best, last } => {
            Line::FinalEvaluation { env_steps, updates, best: Score::of(best), last: Score::of(last) }
        }
        TrainEvent::Skipped { env_steps, site, value, env, action, skipped } => {
            Line::Skipped { env_steps, site: site.to_owned(), value: value.to_string(), env, action, skipped }
        }
        TrainEvent::EnvReported { env_steps, episode, metrics } => {
            let reported = metrics.iter().filter(|(_, number)| number.is_finite());
            Line::Env { env_steps, episode, metrics: reported.cloned().collect() }
        }
        TrainEvent::LongEpisode { env_steps, env, length } => Line::LongEpisode { env_steps, env, length },
        _ => return None,
    };
    let mut bytes = serde_json::to_vec(&line).expect("an event is plain data");
    bytes.push(b'\n');
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Statistics;

    fn text(event: &TrainEvent<'_>) -> String {
        String::from_utf8(line(event).unwrap()).unwrap()
    }

    #[test]
    fn lines_by_hand() {
        let episode = EpisodeRecord { index: 3, return_: 9.5, length: 10, terminated: true, truncated: false };
        assert_eq!(
            text(&TrainEvent::EpisodeEnded { env_steps: 40, episode }),
            "{\"event\":\"episode\",\"env_steps\":40,\"index\":3,\"return\":9.5,\"length\":10,\"terminated\":true,\
             \"truncated\":false}\n"
        );
        let evaluation = Evaluation { returns: vec![1.0, 3.0], lengths: vec![1, 4], cut_off: 0 };
        assert_eq!(
            text(&TrainEvent::Evaluated { env_steps: 40, updates: 2, evaluation: &evaluation, best: None }),
            "{\"event\":\"evaluation\",\"env_steps\":40,\"updates\":2,\"mean_return\":2.0,\"std_return\":1.0,\
             \"mean_length\":2.5,\"episodes\":2,\"best\":false}\n"
        );
        let mut statistics = Statistics::default();
        statistics.record(crate::agent::Statistic::GradientNorm, 2.5);
        let aggregates =
            Aggregates { env_steps: 1000, loss: Some(0.5), epsilon: Some(0.1), statistics, ..Aggregates::default() };
        assert_eq!(
            text(&TrainEvent::Progress(aggregates)),
            "{\"event\":\"train\",\"env_steps\":1000,\"episodes\":0,\"updates\":0,\"return_mean_100\":null,\
             \"length_mean_100\":null,\"loss\":0.5,\"mean_q\":null,\"epsilon\":0.1,\"learning_rate\":null,\
             \"gradient_norm\":2.5,\"clipped_updates\":null,\"update_to_weight\":null,\"dormant_share\":null,\
             \"largest_q\":null,\"td_error_median\":null,\"td_error_p90\":null,\"td_error_max\":null,\
             \"clipped_targets\":null,\"replay_age\":null}\n"
        );
        let statistics = [("temperature".to_owned(), 0.5), ("states".to_owned(), 16.0)];
        assert_eq!(
            text(&TrainEvent::AgentReported { env_steps: 1000, statistics: &statistics }),
            "{\"event\":\"agent\",\"env_steps\":1000,\"states\":16.0,\"temperature\":0.5}\n"
        );
        assert_eq!(
            text(&TrainEvent::Skipped { env_steps: 7, site: "reward", value: f64::NAN, env: 1, action: 0, skipped: 2 }),
            "{\"event\":\"skipped\",\"env_steps\":7,\"site\":\"reward\",\"value\":\"NaN\",\"env\":1,\"action\":0,\
             \"skipped\":2}\n"
        );
        let metrics = [("env/bumps".to_owned(), 2.0), ("env/heat".to_owned(), f64::NAN)];
        assert_eq!(
            text(&TrainEvent::EnvReported { env_steps: 9, episode: Some(3), metrics: &metrics }),
            "{\"event\":\"env\",\"env_steps\":9,\"episode\":3,\"env/bumps\":2.0}\n"
        );
        assert_eq!(
            text(&TrainEvent::LongEpisode { env_steps: 9, env: 0, length: 9 }),
            "{\"event\":\"long_episode\",\"env_steps\":9,\"env\":0,\"length\":9}\n"
        );
    }

    #[test]
    fn where_a_checkpoint_lies_is_no_metric() {
        let path = std::path::Path::new("ckpt");
        assert_eq!(line(&TrainEvent::CheckpointSaved { env_steps: 1, path }), None);
    }
}
