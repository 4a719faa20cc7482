//! The agents that a config describes.

use requel_envs::Space;

use crate::Schedule;
use crate::agent::{
    Actions, AgentError, CpuExecutor, DqnAgent, DqnParts, DqnSpec, ExecutorShape, LearnsFrom, PqnAgent, PqnSpec,
};
use crate::config::{AgentKind, Config, ReplayKind};
use crate::exploration::{EpsilonGreedy, Explorer};
use crate::machine::Machine;
use crate::transition::ElementType;

impl Config {
    /// The explorer of the section `exploration`.
    pub fn explorer(&self) -> Box<dyn Explorer> {
        let exploration = &self.exploration;
        let explorer = EpsilonGreedy::new(exploration.schedule(), self.train.seed, self.train.num_envs);
        Box::new(explorer.at_random_until(exploration.random_env_steps))
    }

    /// How the components of a DQN agent are used.
    pub fn dqn_spec(&self, actions: Actions) -> DqnSpec {
        let is_naive = self.agent.kind == AgentKind::Naive;
        let is_prioritized = self.replay.kind == ReplayKind::Prioritized && self.agent.kind == AgentKind::Dqn;
        DqnSpec {
            num_envs: self.train.num_envs,
            actions,
            gamma: self.agent.gamma,
            n_step: self.agent.n_step,
            learns_from: if is_naive { LearnsFrom::LatestStep } else { LearnsFrom::Replay },
            start: if is_naive { 0 } else { self.replay.start },
            every_steps: self.train.every_steps,
            updates: self.train.updates,
            importance: is_prioritized.then_some(Schedule::Linear {
                start: self.replay.importance_start,
                end: self.replay.importance_end,
                env_steps: self.importance_env_steps(),
            }),
        }
    }

    /// The sizes of the updates of the config's agent for an environment with these spaces.
    pub fn executor_shape(&self, observations: &Space, actions: Actions) -> ExecutorShape {
        let envs = self.train.num_envs;
        let (rows, masked) = match self.agent.kind {
            AgentKind::Dqn => (self.replay.batch_size, actions.masked),
            AgentKind::Naive => (envs, actions.masked),
            // Its returns are complete targets, which already include masks.
            AgentKind::Pqn => (self.pqn.rollout_steps * envs / self.pqn.minibatches, false),
        };
        let actions = Actions { masked, ..actions };
        ExecutorShape { envs, rows, observations: ElementType::of(observations), actions }
    }

    /// The executor of the config's agent.
    ///
    /// # Errors
    /// If the network is invalid, or networks and batches do not fit into memory.
    pub fn cpu_executor(
        &self,
        observations: &Space,
        actions: Actions,
        machine: &Machine,
    ) -> Result<CpuExecutor, AgentError> {
        let shape = self.executor_shape(observations, actions);
        CpuExecutor::new(&self.executor_spec(observations, actions.count), shape, machine)
    }

    /// The components of a DQN agent for an environment with these spaces. You can replace any of them with your own.
    ///
    /// # Errors
    /// If the network is invalid, or the buffers do not fit into memory.
    pub fn dqn_parts(&self, observations: &Space, actions: Actions, machine: &Machine) -> Result<DqnParts, AgentError> {
        Ok(DqnParts {
            executor: Box::new(self.cpu_executor(observations, actions, machine)?),
            replay: self.augmented(observations, self.replay_buffer(observations, actions, machine)?)?,
            explorer: self.explorer(),
        })
    }

    /// The agent `dqn` or `naive` for an environment with these spaces.
    ///
    /// # Errors
    /// As [`Config::dqn_parts`], or if its other buffers do not fit into memory.
    pub fn dqn_agent(
        &self,
        observations: &Space,
        actions: impl Into<Actions>,
        machine: &Machine,
    ) -> Result<DqnAgent, AgentError> {
        let actions = actions.into();
        let spec = self.dqn_spec(actions);
        spec.check_memory(observations.len(), machine.memory)?;
        DqnAgent::new(spec, self.dqn_parts(observations, actions, machine)?)
    }

    /// How the agent `pqn` learns.
    pub fn pqn_spec(&self, actions: Actions) -> PqnSpec {
        PqnSpec {
            seed: self.train.seed,
            num_envs: self.train.num_envs,
            actions,
            gamma: self.agent.gamma as f32,
            lambda: self.pqn.lambda as f32,
            bounds: self.agent.value_clip.bounds(),
            rollout_steps: self.pqn.rollout_steps,
            epochs: self.pqn.epochs,
            minibatches: self.pqn.minibatches,
        }
    }

    /// The agent `pqn` for an environment with these spaces.
    ///
    /// # Errors
    /// If the network is invalid, or rollout and batches do not fit into memory.
    pub fn pqn_agent(
        &self,
        observations: &Space,
        actions: impl Into<Actions>,
        machine: &Machine,
    ) -> Result<PqnAgent, AgentError> {
        let actions = actions.into();
        let spec = self.pqn_spec(actions);
        spec.check_memory(observations.len(), machine.memory)?;
        Ok(PqnAgent::new(spec, Box::new(self.cpu_executor(observations, actions, machine)?), self.explorer()))
    }
}
