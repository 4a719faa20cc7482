//! [`Config`], all sections together.

use super::{
    AgentConfig, CheckpointConfig, EnvConfig, EvaluationConfig, ExplorationConfig, HeadConfig, LogConfig, LossConfig,
    MunchausenConfig, NetworkConfig, OptimizerConfig, PqnConfig, ReplayConfig, TargetConfig, TrainConfig,
};
use crate::config::declare::{Key, config, count, joined};

config! {
    /// Everything that decides the result of a training run. The same config on the same version gives the same bits.
    pub struct Config {
        /// Name of the preset that the config starts from.
        preset: String = "default".into();
        /// Name of the algorithm that is laid over the preset (see `requel presets`).
        #[serde(skip_serializing_if = "String::is_empty")]
        algo: String = String::new();
    }
    sections {
        env: EnvConfig,
        agent: AgentConfig,
        munchausen: MunchausenConfig,
        head: HeadConfig,
        network: NetworkConfig,
        optimizer: OptimizerConfig,
        loss: LossConfig,
        replay: ReplayConfig,
        target: TargetConfig,
        pqn: PqnConfig,
        exploration: ExplorationConfig,
        train: TrainConfig,
        evaluation: EvaluationConfig,
        checkpoint: CheckpointConfig,
        log: LogConfig,
    }
}

/// Every key, in the order of the file. Options of environments, `env.options.*`, are specific to each environment.
pub const KEYS: &[Key] = &joined::<{ count(SECTIONS) }>(SECTIONS);

impl Config {
    /// The name of the training: its algorithm if one was applied over the preset, else the preset.
    pub fn label(&self) -> &str {
        if self.algo.is_empty() { &self.preset } else { &self.algo }
    }
}
