//! [`Config`], all sections together.

use serde::{Deserialize, Serialize};

use crate::Schedule;

use super::{
    AgentConfig, AnnealKind, CheckpointConfig, EnvConfig, EvaluationConfig, ExplorationConfig, HeadConfig, LogConfig,
    LossConfig, MunchausenConfig, NetworkConfig, OptimizerConfig, PqnConfig, ReplayConfig, TargetConfig, TrainConfig,
};

/// Everything that decides the result of a training run. The same config on the same version gives the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Name of the preset that this config started from. Here it is a label; in [`Layers`](crate::config::Layers) it is an
    /// order.
    pub preset: String,
    /// Name of the algorithm that was laid over the preset; a label that decides nothing. Empty: none was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub algo: String,
    /// The environment.
    pub env: EnvConfig,
    /// The learning rule.
    pub agent: AgentConfig,
    /// Munchausen's terms, where `agent.munchausen` is on.
    pub munchausen: MunchausenConfig,
    /// What the network's outputs mean.
    pub head: HeadConfig,
    /// The Q-network.
    pub network: NetworkConfig,
    /// How gradients change the network.
    pub optimizer: OptimizerConfig,
    /// How TD errors become a loss.
    pub loss: LossConfig,
    /// The replay buffer.
    pub replay: ReplayConfig,
    /// The target network.
    pub target: TargetConfig,
    /// The pace of the agent without replay, `agent.kind = "pqn"`.
    pub pqn: PqnConfig,
    /// How actions are explored.
    pub exploration: ExplorationConfig,
    /// Budget and pace.
    pub train: TrainConfig,
    /// How and when the greedy policy is scored.
    pub evaluation: EvaluationConfig,
    /// When the complete state is saved.
    pub checkpoint: CheckpointConfig,
    /// When aggregates are logged.
    pub log: LogConfig,
}

impl Config {
    /// What the training is called by: its algorithm if one was laid over the preset, else the preset.
    pub fn label(&self) -> &str {
        if self.algo.is_empty() { &self.preset } else { &self.algo }
    }

    /// The course of the step size.
    pub fn learning_rate(&self) -> Schedule {
        let start = self.optimizer.learning_rate;
        match self.optimizer.anneal {
            AnnealKind::None => Schedule::Constant(start),
            AnnealKind::Linear => Schedule::Linear { start, end: 0.0, env_steps: self.train.env_steps },
        }
    }

    /// Env steps over which the importance weights' exponent β goes from its start to its end.
    pub fn importance_env_steps(&self) -> u64 {
        match self.replay.importance_env_steps {
            0 => self.train.env_steps,
            env_steps => env_steps,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            preset: "default".into(),
            algo: String::new(),
            env: EnvConfig::default(),
            agent: AgentConfig::default(),
            munchausen: MunchausenConfig::default(),
            head: HeadConfig::default(),
            network: NetworkConfig::default(),
            optimizer: OptimizerConfig::default(),
            loss: LossConfig::default(),
            replay: ReplayConfig::default(),
            target: TargetConfig::default(),
            pqn: PqnConfig::default(),
            exploration: ExplorationConfig::default(),
            train: TrainConfig::default(),
            evaluation: EvaluationConfig::default(),
            checkpoint: CheckpointConfig::default(),
            log: LogConfig::default(),
        }
    }
}
