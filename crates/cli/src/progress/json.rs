//! [`JsonLines`]: events on stdout, an object per line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use requel::agent::Statistics;
use requel::run::Score;
use requel::train::{Confirmation, EpisodeRecord, Finding, Observer, ObserverError, TrainEvent};
use serde::Serialize;

/// Prints each event as a line of JSON. When nobody reads any more, it falls silent and training goes on.
#[derive(Default)]
pub struct JsonLines {
    closed: bool,
    tag: Option<Tag>,
}

/// Says on each line of which run it is, where there are several.
#[derive(Clone, Debug, Serialize)]
pub struct Tag {
    /// The variant of a study.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The seed.
    pub seed: u64,
}

#[derive(Serialize)]
struct Tagged<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    #[serde(flatten)]
    tag: Option<&'a Tag>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Episode {
        env_steps: u64,
        #[serde(flatten)]
        episode: EpisodeRecord,
    },
    Train {
        env_steps: u64,
        episodes: u64,
        updates: u64,
        return_mean_100: Option<f64>,
        loss: Option<f64>,
        mean_q: Option<f64>,
        epsilon: Option<f64>,
        #[serde(flatten)]
        statistics: Statistics,
    },
    Evaluation {
        env_steps: u64,
        updates: u64,
        #[serde(flatten)]
        score: Score,
        best: bool,
    },
    Confirmation {
        updates: u64,
        #[serde(flatten)]
        confirmation: Confirmation,
    },
    Checkpoint {
        env_steps: u64,
        path: &'a std::path::Path,
    },
    Skipped {
        env_steps: u64,
        site: &'static str,
        /// As text: JSON has no such numbers.
        value: String,
        env: usize,
        action: usize,
        skipped: u64,
    },
    Env {
        env_steps: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        episode: Option<u64>,
        #[serde(flatten)]
        metrics: BTreeMap<&'a str, f64>,
    },
    LongEpisode {
        env_steps: u64,
        env: usize,
        length: u64,
    },
    Finding {
        env_steps: u64,
        #[serde(flatten)]
        finding: &'a Finding,
    },
}

impl JsonLines {
    /// Lines that end with `tag`.
    pub fn tagged(tag: Tag) -> Self {
        JsonLines { tag: Some(tag), ..JsonLines::default() }
    }

    /// Prints one object.
    ///
    /// # Errors
    /// What stdout returns, but for a closed pipe.
    pub fn print(&mut self, object: &impl Serialize) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let mut line = serde_json::to_vec(object)?;
        line.push(b'\n');
        let mut out = io::stdout().lock();
        match out.write_all(&line).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

impl Observer for JsonLines {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        let line = match *event {
            TrainEvent::EpisodeEnded { env_steps, episode } => Line::Episode { env_steps, episode },
            TrainEvent::Progress(a) => Line::Train {
                env_steps: a.env_steps,
                episodes: a.episodes,
                updates: a.updates,
                return_mean_100: a.return_mean,
                loss: a.loss,
                mean_q: a.mean_q,
                epsilon: a.epsilon,
                statistics: a.statistics,
            },
            TrainEvent::Evaluated { env_steps, updates, evaluation, best } => {
                Line::Evaluation { env_steps, updates, score: evaluation.into(), best: best.is_some() }
            }
            TrainEvent::Confirmed { updates, confirmation } => Line::Confirmation { updates, confirmation },
            TrainEvent::CheckpointSaved { env_steps, path } => Line::Checkpoint { env_steps, path },
            TrainEvent::Skipped { env_steps, site, value, env, action, skipped } => {
                Line::Skipped { env_steps, site, value: value.to_string(), env, action, skipped }
            }
            TrainEvent::EnvReported { env_steps, episode, metrics } => {
                let reported = metrics.iter().filter(|(_, number)| number.is_finite());
                let metrics = reported.map(|(name, number)| (name.as_str(), *number)).collect();
                Line::Env { env_steps, episode, metrics }
            }
            TrainEvent::LongEpisode { env_steps, env, length } => Line::LongEpisode { env_steps, env, length },
            TrainEvent::Diagnosed { env_steps, finding } => Line::Finding { env_steps, finding },
            _ => return Ok(()),
        };
        let tag = self.tag.clone();
        Ok(self.print(&Tagged { line, tag: tag.as_ref() })?)
    }
}
