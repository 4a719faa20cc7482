//! Training: the loop, what it tells, and how a policy is scored.

#[cfg(test)]
mod bad_numbers;
mod budget;
mod envs;
mod evaluation;
mod event;
mod finding;
mod guarded;
mod observer;
mod outcome;
mod returns;
mod scoring;
mod trainer;

pub use budget::Budget;
pub use envs::{EnvFactory, env_factory, for_network};
pub use evaluation::{Evaluation, Evaluator, GiveUp};
pub use event::{Aggregates, TrainEvent};
pub use finding::{Finding, Severity};
pub use observer::{Observer, ObserverError};
pub use outcome::{BestPolicy, Outcome, Termination, TrainError};
pub use returns::EpisodeRecord;
pub use scoring::Confirmation;
pub use trainer::{SCALED_REWARD, Trainer};
