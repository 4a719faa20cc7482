//! What a training run is made of: [`Config`], its presets, and the layers it is put together from.

mod advice;
pub mod algorithms;
mod bounds;
mod changes;
mod error;
mod keys;
mod layers;
mod names;
mod parts;
pub mod presets;
mod sections;
mod text;
mod validate;
mod values;

pub use advice::{Advice, Severity, advice};
pub use bounds::{Auto, SupportEnd, ValueClip, ValueClipWord};
pub use changes::Change;
pub use error::{ConfigError, Place};
pub use keys::{KEYS, Key};
pub use layers::Layers;
pub use sections::{
    ActivationKind, AgentConfig, AgentKind, AnnealKind, BellmanGradient, CheckpointConfig, Config, EnvConfig,
    EpisodeLog, EvaluationConfig, ExplorationConfig, ExplorationKind, HeadConfig, HeadKind, InitKind, LogConfig,
    LossConfig, LossKind, MunchausenConfig, NetworkConfig, NoisyLayers, OnNan, OptimizerConfig, OptimizerKind, Outputs,
    PqnConfig, ReplayConfig, ReplayKind, TargetConfig, TargetKind, TrainConfig,
};
