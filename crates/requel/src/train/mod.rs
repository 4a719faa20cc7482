//! Training: the loop, its events, and scoring of policies.

mod agent_loop;
mod agents;
#[cfg(test)]
mod bad_numbers_tests;
pub mod blocks;
mod budget;
mod counted;
mod env_metrics;
pub(crate) mod envs;
mod evaluation;
mod event;
mod finding;
mod guarded;
mod logger;
mod observer;
mod outcome;
mod record;
mod returns;
mod scoring;
mod trainer;

pub use crate::identity::{Bounds, EnvIdentity, EnvOrigin, SpaceIdentity};
pub use agent_loop::AgentLoop;
pub use agents::{AgentEnv, AgentFactory};
pub use budget::Budget;
pub(crate) use env_metrics::column_names;
pub use envs::{EnvFactory, for_network};
pub use evaluation::{Evaluation, Evaluator, GiveUp};
pub use event::{Aggregates, TrainEvent};
pub use finding::{Finding, Severity};
pub use logger::{Logger, LoggerError};
pub use observer::{Observer, ObserverError};
pub use outcome::{BestPolicy, Confirmation, Outcome, Termination, TrainError};
pub use record::{EventRecord, ScoreRecord};
pub use returns::EpisodeRecord;
pub use trainer::{SCALED_REWARD, Trainer};
