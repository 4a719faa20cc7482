//! The parallel environments of a training run.

use requel_envs::wrappers::OneHot;
use requel_envs::{BatchEnv, Env, EnvError, VectorEnv};

use crate::agent::AgentError;
use crate::config::Config;
use crate::train::envs::{self, EnvFactory};
use crate::train::guarded::guarded_batch;
use crate::train::{EnvIdentity, EnvOrigin, TrainError};

/// The environments of a training run, their identity, and the factory for more of them.
pub(super) struct TrainingEnvs {
    pub factory: EnvFactory,
    pub envs: VectorEnv,
    pub identity: EnvIdentity,
    /// Whether episodes start in the place of a step.
    pub break_rows: bool,
}

impl TrainingEnvs {
    /// `train.num_envs` environments of a factory.
    ///
    /// # Errors
    /// If a value in the config is out of range, or the environments cannot be created.
    pub fn made(factory: EnvFactory, origin: EnvOrigin, config: &Config) -> Result<Self, TrainError> {
        config.check()?;
        let (envs, identity) = envs::several(&factory, origin, config.train.num_envs)?;
        check_actions(&*envs[0])?;
        Ok(TrainingEnvs { envs: VectorEnv::new(envs)?, identity, factory, break_rows: false })
    }

    /// The environments of a batch, which are like those of a factory. They are guarded.
    ///
    /// # Errors
    /// As [`TrainingEnvs::made`], and if their number is not `train.num_envs`.
    pub fn at_once(factory: EnvFactory, batch: Box<dyn BatchEnv>, config: &Config) -> Result<Self, TrainError> {
        config.check()?;
        let like = factory()?;
        let identity = EnvIdentity::of(&*like, EnvOrigin::Given);
        let break_rows = batch.resets_in_next_step();
        let batch = guarded_batch(&*like, batch)?;
        let (slots, count) = (batch.slots(), config.train.num_envs);
        if slots != count {
            let id = &like.spec().id;
            let reason = format!("the batch of {id} has {slots} environments, but `train.num_envs` is {count}");
            return Err(EnvError::Other(reason).into());
        }
        let batch = OneHot::batch(&*like, batch)?;
        let like = envs::for_network(like)?;
        check_actions(&*like)?;
        Ok(TrainingEnvs { envs: VectorEnv::from_batch(&*like, batch)?, identity, factory, break_rows })
    }
}

fn check_actions(env: &dyn Env) -> Result<(), AgentError> {
    match env.action_space().discrete_n() {
        Some(_) => Ok(()),
        None => Err(AgentError::ContinuousActions { id: env.spec().id.clone() }),
    }
}
