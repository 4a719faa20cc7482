//! Creating the agent of a training run.

use requel_envs::{EnvSpec, Space};

use super::TrainError;
use crate::agent::{Actions, Agent};
use crate::config::Config;

/// The environments that an agent is created for.
#[derive(Clone, Copy, Debug)]
pub struct AgentEnv<'a> {
    /// Their specification.
    pub spec: &'a EnvSpec,
    /// Their observation space, as an agent sees it.
    pub observations: &'a Space,
    /// Their action space.
    pub actions: Actions,
}

/// Creates the agent of a config. Called again if settings change during training: the new agent takes over what was learned.
pub type AgentFactory = Box<dyn Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Agent>, TrainError> + Send>;
