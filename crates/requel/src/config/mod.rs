//! What defines a training run: [`Config`], its presets, and the layers it is built from.

mod advice;
pub mod algorithms;
mod assignments;
mod bounds;
mod build;
mod changes;
mod check;
mod declare;
mod env_preset;
mod error;
mod layers;
mod names;
mod own_parts;
mod plain_words;
pub mod presets;
mod rules;
mod schema;
mod sections;
mod text;
mod unused;
mod values;

pub use advice::{Advice, Severity, advice};
pub(crate) use assignments::{check_algorithm, check_assignments, check_preset};
pub use bounds::{Auto, SupportEnd, ValueClip, ValueClipWord};
pub use build::Outputs;
pub use changes::Change;
use check::{Fault, fault};
pub use declare::{Condition, Domain, Key, Range, Scale, Section, Tuning, ValueType, Word};
pub use error::{ConfigError, Place};
pub use layers::Layers;
pub(crate) use plain_words::in_plain_words;
pub use rules::{RULES, Rule};
pub use sections::{
    ActivationKind, AgentConfig, AgentKind, AnnealKind, AugmentationKind, BellmanGradient, CheckpointConfig, Config,
    EnvConfig, EpisodeLog, EvaluationConfig, ExplorationConfig, ExplorationKind, HeadConfig, HeadKind, InitKind, KEYS,
    LogConfig, LossConfig, LossKind, MunchausenConfig, NetworkConfig, NoisyLayers, OnNan, OptimizerConfig,
    OptimizerKind, PqnConfig, ReplayConfig, ReplayKind, SECTIONS, TargetConfig, TargetKind, TrainConfig,
};
pub(crate) use text::has_keys;
pub use unused::unused;
