//! Trainers whose agent is made from the config, of what this crate has.

use requel_envs::BatchEnv;

use super::Registry;
use crate::config::Config;
use crate::train::{EnvFactory, TrainError, Trainer};

impl Trainer {
    /// A trainer for the environment of [`requel_envs`] that the config names, before its first step. For one of your own,
    /// see [`Registry::trainer`].
    ///
    /// # Errors
    /// If the config holds a value out of range, or the environment or the agent cannot be made.
    pub fn new(config: Config) -> Result<Self, TrainError> {
        Registry::built_in().trainer(config)
    }

    /// A trainer for environments of your own, which `factory` makes, all alike. `config.env.id` becomes the id that they give
    /// themselves; else only `config.env.frame_stack` is looked at: bytes that are so many frames are kept frame by frame.
    ///
    /// The program knows nothing of environments that are only given: register them, see [`Registry`], where it is to show,
    /// score or resume the run.
    ///
    /// The environments are watched over: what breaks their contract, a panic too, is an [`EnvError`](requel_envs::EnvError)
    /// that says what, and the run can be resumed.
    ///
    /// # Errors
    /// If the config holds a value out of range, or the environments or the agent cannot be made.
    pub fn with_envs(config: Config, factory: EnvFactory) -> Result<Self, TrainError> {
        Self::from_factories(factory, Registry::built_in().agent_factory(), config)
    }

    /// As [`Trainer::with_envs`], where all environments of the training are stepped at once by `batch`, such as a simulator of
    /// thousands: `train.num_envs` is the number of its slots. `factory` makes single environments like them, in which
    /// evaluations are played.
    ///
    /// # Errors
    /// As [`Trainer::with_envs`], and if the batch has another number of slots.
    pub fn with_batch(config: Config, batch: Box<dyn BatchEnv>, factory: EnvFactory) -> Result<Self, TrainError> {
        Self::from_batch(config, batch, factory, Registry::built_in().agent_factory())
    }
}
