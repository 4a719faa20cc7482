//! The sections of a [`Config`]: plain data, with the unit of every number.

mod agent;
mod config;
mod env;
mod exploration;
mod head;
mod network;
mod optimizer;
mod pqn;
mod replay;
mod train;

pub use agent::{AgentConfig, AgentKind, BellmanGradient, MunchausenConfig};
pub use config::{Config, KEYS, SECTIONS};
pub use env::EnvConfig;
pub use exploration::{ExplorationConfig, ExplorationKind};
pub use head::{HeadConfig, HeadKind};
pub use network::{ActivationKind, InitKind, NetworkConfig, NoisyLayers};
pub use optimizer::{AnnealKind, LossConfig, LossKind, OptimizerConfig, OptimizerKind};
pub use pqn::PqnConfig;
pub use replay::{AugmentationKind, ReplayConfig, ReplayKind, TargetConfig, TargetKind};
pub use train::{CheckpointConfig, EpisodeLog, EvaluationConfig, LogConfig, OnNan, TrainConfig};
