//! The schedule of ε.

use crate::Schedule;
use crate::config::{ExplorationConfig, ExplorationKind};

impl ExplorationConfig {
    /// The schedule of ε.
    pub fn schedule(&self) -> Schedule {
        let (start, end, env_steps) = (self.start, self.end, self.env_steps);
        match self.kind {
            ExplorationKind::Constant => Schedule::Constant(start),
            ExplorationKind::Linear => Schedule::Linear { start, end, env_steps },
            ExplorationKind::Exponential => Schedule::Exponential { start, end, env_steps },
        }
    }
}
