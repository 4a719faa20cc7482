//! Training: the loop, what it tells, and how a policy is scored.

#[cfg(test)]
mod bad_numbers;
mod budget;
pub(crate) mod envs;
mod evaluation;
mod event;
mod finding;
mod guarded;
mod identity;
mod observer;
mod outcome;
mod returns;
mod scoring;
mod trainer;

pub use budget::Budget;
pub use envs::{EnvFactory, for_network};
pub use evaluation::{Evaluation, Evaluator, GiveUp};
pub use event::{Aggregates, TrainEvent};
pub use finding::{Finding, Severity};
pub use identity::{Bounds, EnvIdentity, EnvOrigin, SpaceIdentity};
pub use observer::{Observer, ObserverError};
pub use outcome::{BestPolicy, Outcome, Termination, TrainError};
pub use returns::EpisodeRecord;
pub use scoring::Confirmation;
pub use trainer::{SCALED_REWARD, Trainer};
