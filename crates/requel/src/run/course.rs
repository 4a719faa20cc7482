//! The parts of a run's history that its config does not contain.

use super::{Run, RunError, Segment, Weights};
use crate::config::{AnnealKind, Change};

impl Run {
    /// How the run differs from a run of its config alone that starts from random weights: what it started from, and each setting that
    /// changed during training and could make a difference. Empty for most runs, and for one whose budget was increased: it has the bits of
    /// a run that had the larger budget from the start.
    ///
    /// # Errors
    /// If a file of the run cannot be read.
    pub fn course(&self) -> Result<Vec<String>, RunError> {
        let begun = self.origin()?.map(|origin| {
            let weights = match origin.weights {
                Weights::Best => ", best policy",
                Weights::Last => ", newest checkpoint",
                Weights::File => "",
            };
            let replay = if origin.replay_env_steps.is_some() { " and replay buffer" } else { "" };
            let hash: String = origin.weights_blake3.chars().take(8).collect();
            format!("started from the weights{replay} of {}{weights} ({hash})", origin.from)
        });
        let segments = self.segments()?;
        let changed = segments.iter().flat_map(|segment| {
            let matters = segment.changes.iter().filter(|change| matters(segment, change));
            matters.map(|change| format!("{change} at env step {}", segment.from_env_steps))
        });
        Ok(begun.into_iter().chain(changed).collect())
    }
}

/// Whether a run with this setting from the start could have other bits.
fn matters(segment: &Segment, change: &Change) -> bool {
    match change.key.as_str() {
        "train.env_steps" => segment.config.optimizer.anneal != AnnealKind::None,
        "train.episodes" | "evaluation.final_episodes" => false,
        key => !key.starts_with("checkpoint.") && !key.starts_with("log."),
    }
}
