//! Making the agent of a training.

use requel_envs::{EnvSpec, Space};

use super::TrainError;
use crate::agent::{Actions, Agent};
use crate::config::Config;

/// The environments that an agent is made for.
#[derive(Clone, Copy, Debug)]
pub struct AgentEnv<'a> {
    /// What they say of themselves.
    pub spec: &'a EnvSpec,
    /// Their observations, as an agent sees them.
    pub observations: &'a Space,
    /// Their actions.
    pub actions: Actions,
}

/// Makes the agent of a config. Called once more where settings change on the way: what was learned is taken over.
pub type AgentFactory = Box<dyn Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Agent>, TrainError> + Send>;
