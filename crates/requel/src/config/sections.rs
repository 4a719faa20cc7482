//! The sections of a [`Config`], plain data with the unit of every number.

use std::collections::BTreeMap;

use requel_envs::{DType, EnvOptions, OptionValue, Space};
use requel_nn::{Activation, Init, LayerSpec, Loss, NetworkSpec, OptimizerSpec};
use serde::{Deserialize, Serialize};

/// Everything that decides the result of a training run. The same config on the same version gives the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Name of the preset that this config started from; a label that decides nothing.
    pub preset: String,
    /// The world.
    pub env: EnvConfig,
    /// The learning rule.
    pub agent: AgentConfig,
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

impl Default for Config {
    fn default() -> Self {
        Config {
            preset: "default".into(),
            env: EnvConfig::default(),
            agent: AgentConfig::default(),
            network: NetworkConfig::default(),
            optimizer: OptimizerConfig::default(),
            loss: LossConfig::default(),
            replay: ReplayConfig::default(),
            target: TargetConfig::default(),
            exploration: ExplorationConfig::default(),
            train: TrainConfig::default(),
            evaluation: EvaluationConfig::default(),
            checkpoint: CheckpointConfig::default(),
            log: LogConfig::default(),
        }
    }
}

/// Which world, made how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvConfig {
    /// Id in the registry, such as `CartPole-v1`.
    pub id: String,
    /// Options that the world is made with, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, toml::Value>,
}

impl Default for EnvConfig {
    fn default() -> Self {
        EnvConfig { id: "CartPole-v1".into(), options: BTreeMap::new() }
    }
}

impl EnvConfig {
    /// The options as the registry takes them.
    ///
    /// # Errors
    /// Names the first option whose value is of a kind that no world takes.
    pub fn env_options(&self) -> Result<EnvOptions, String> {
        let convert = |name: &String, value: &toml::Value| match value {
            toml::Value::Boolean(v) => Ok(OptionValue::Bool(*v)),
            toml::Value::Integer(v) => Ok(OptionValue::Int(*v)),
            toml::Value::Float(v) => Ok(OptionValue::Float(*v)),
            toml::Value::String(v) => Ok(OptionValue::Text(v.clone())),
            toml::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(OptionValue::List)
                .ok_or_else(|| name.clone()),
            _ => Err(name.clone()),
        };
        self.options.iter().map(|(name, value)| Ok((name.clone(), convert(name, value)?))).collect()
    }
}

/// The learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentKind {
    /// Learns from each transition as it comes, once, without replay.
    Naive,
    /// Deep Q-learning with experience replay.
    Dqn,
}

/// Where the gradient of the Bellman error flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BellmanGradient {
    /// Through `q(s, a)` alone; the target counts as a constant (Sutton & Barto 2018, §9.3).
    Semi,
    /// Through the target too: residual-gradient Q-learning (Baird 1995).
    Residual,
}

/// The learning rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentConfig {
    /// The learner.
    pub kind: AgentKind,
    /// Discount per env step, 0 to 1.
    pub gamma: f64,
    /// Where the gradient flows.
    pub bellman_gradient: BellmanGradient,
    /// The online network chooses the next action, the target network values it (van Hasselt 2016).
    pub double: bool,
}

impl Default for AgentConfig {
    fn default() -> Self {
        AgentConfig { kind: AgentKind::Dqn, gamma: 0.99, bellman_gradient: BellmanGradient::Semi, double: false }
    }
}

/// What follows each hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationKind {
    /// max(0, x).
    Relu,
    /// tanh(x).
    Tanh,
}

/// How weights start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitKind {
    /// What `torch.nn.Linear` does: uniform within ±1/√fan_in, biases too.
    PytorchLinear,
    /// Orthogonal with gain √2, biases 0 (Saxe et al. 2014).
    Orthogonal,
    /// Uniform within ±√(6/(fan_in + fan_out)), biases 0 (Glorot & Bengio 2010).
    GlorotUniform,
}

/// The Q-network: convolutions where the world shows images, then fully connected layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkConfig {
    /// Convolutions before the hidden layers, each `[channels, kernel, stride]` in pixels, without padding.
    pub conv: Vec<[usize; 3]>,
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Activation after each hidden layer.
    pub activation: ActivationKind,
    /// How weights start.
    pub init: InitKind,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        NetworkConfig {
            conv: vec![],
            hidden: vec![64, 64],
            activation: ActivationKind::Relu,
            init: InitKind::PytorchLinear,
        }
    }
}

impl NetworkConfig {
    /// The network for observations of a space, with `outputs` outputs. Pixels are scaled from 0 … 255 to 0 … 1.
    pub fn spec(&self, observations: &Space, outputs: usize) -> NetworkSpec {
        let activation = match self.activation {
            ActivationKind::Relu => Activation::Relu,
            ActivationKind::Tanh => Activation::Tanh,
        };
        let convolution = |[channels, kernel, stride]: &[usize; 3]| LayerSpec::Conv2d {
            channels: *channels,
            kernel: *kernel,
            stride: *stride,
            activation,
        };
        let dense = |outputs: &usize| LayerSpec::Dense { outputs: *outputs, activation };
        let output = LayerSpec::Dense { outputs, activation: Activation::Identity };
        let layers = self.conv.iter().map(convolution).chain(self.hidden.iter().map(dense)).chain([output]).collect();
        let (input_shape, input_scale) = match observations {
            // Without convolutions an image is one flat vector.
            Space::Box { shape, dtype, .. } => {
                let shape = match shape[..] {
                    _ if self.conv.is_empty() => vec![observations.len()],
                    [height, width] => vec![height, width, 1],
                    _ => shape.clone(),
                };
                (shape, if *dtype == DType::U8 { 1.0 / 255.0 } else { 1.0 })
            }
            Space::Discrete { .. } | Space::MultiDiscrete { .. } => (vec![observations.len()], 1.0),
        };
        NetworkSpec { input_shape, input_scale, layers }
    }

    /// The initialisation as the network crate takes it.
    pub fn init_spec(&self) -> Init {
        match self.init {
            InitKind::PytorchLinear => Init::PytorchLinear,
            InitKind::Orthogonal => Init::Orthogonal { gain: std::f32::consts::SQRT_2 },
            InitKind::GlorotUniform => Init::GlorotUniform,
        }
    }
}

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Adam (Kingma & Ba 2015).
    Adam,
    /// RMSProp (Hinton 2012), centred or not.
    Rmsprop,
}

/// How gradients change the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OptimizerConfig {
    /// The optimiser.
    pub kind: OptimizerKind,
    /// Step size.
    pub learning_rate: f64,
    /// Adam: decay of the mean of gradients, per update.
    pub beta1: f64,
    /// Adam: decay of the mean of squared gradients, per update.
    pub beta2: f64,
    /// Added to the denominator, outside the square root.
    pub epsilon: f64,
    /// RMSProp: decay of the mean of squared gradients, per update.
    pub alpha: f64,
    /// RMSProp: momentum, 0 to switch off.
    pub momentum: f64,
    /// RMSProp: subtract the squared mean gradient (Graves 2013).
    pub centered: bool,
    /// Gradients are scaled down to this global norm; 0 switches clipping off.
    pub max_gradient_norm: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        OptimizerConfig {
            kind: OptimizerKind::Adam,
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            alpha: 0.95,
            momentum: 0.0,
            centered: true,
            max_gradient_norm: 0.0,
        }
    }
}

impl OptimizerConfig {
    /// The optimiser as the network crate takes it.
    pub fn spec(&self) -> OptimizerSpec {
        let OptimizerConfig { learning_rate, beta1, beta2, epsilon, alpha, momentum, centered, .. } = *self;
        match self.kind {
            OptimizerKind::Adam => OptimizerSpec::Adam { learning_rate, beta1, beta2, epsilon },
            OptimizerKind::Rmsprop => OptimizerSpec::RmsProp { learning_rate, alpha, epsilon, centered, momentum },
        }
    }
}

/// The shape of the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// δ², the mean squared TD error.
    Mse,
    /// Quadratic up to `delta`, linear beyond (Huber 1964; Mnih 2015 with delta 1).
    Huber,
}

/// How TD errors become a loss; the mean over the batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LossConfig {
    /// The shape.
    pub kind: LossKind,
    /// Huber: the |TD error| at which the quadratic becomes linear.
    pub delta: f64,
}

impl Default for LossConfig {
    fn default() -> Self {
        LossConfig { kind: LossKind::Mse, delta: 1.0 }
    }
}

impl LossConfig {
    /// The loss as the network crate takes it.
    pub fn spec(&self) -> Loss {
        match self.kind {
            LossKind::Mse => Loss::Mse,
            LossKind::Huber => Loss::Huber { delta: self.delta as f32 },
        }
    }
}

/// The replay buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplayConfig {
    /// Transitions kept; the oldest is overwritten first.
    pub capacity: usize,
    /// Transitions per update.
    pub batch_size: usize,
    /// Learning starts when the buffer holds more transitions than this.
    pub start: usize,
    /// Whether one transition can be in a batch twice.
    pub replacement: bool,
}

impl Default for ReplayConfig {
    fn default() -> Self {
        ReplayConfig { capacity: 100_000, batch_size: 64, start: 1_000, replacement: false }
    }
}

/// How the target network follows the online one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// There is none: the online network values the next state.
    None,
    /// A copy every so many updates or env steps.
    Hard,
    /// A moving average with rate `tau`, every so many updates or env steps.
    Soft,
}

/// The target network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetConfig {
    /// How it follows.
    pub kind: TargetKind,
    /// Follows every so many updates; 0 where env steps are counted.
    pub every_updates: u64,
    /// Follows every so many env steps; 0 where updates are counted.
    pub every_env_steps: u64,
    /// Soft: the share of the online network, 0 to 1.
    pub tau: f64,
}

impl Default for TargetConfig {
    fn default() -> Self {
        TargetConfig { kind: TargetKind::Hard, every_updates: 500, every_env_steps: 0, tau: 0.005 }
    }
}

/// The course of ε.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExplorationKind {
    /// Always `start`.
    Constant,
    /// From `start` to `end` in a line over `env_steps`.
    Linear,
    /// `end + (start − end)·exp(−t / env_steps)`.
    Exponential,
}

/// ε-greedy exploration: a random action with probability ε.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExplorationConfig {
    /// The course of ε.
    pub kind: ExplorationKind,
    /// ε at the first env step.
    pub start: f64,
    /// ε at the end of the course; unused where constant.
    pub end: f64,
    /// Env steps of the course (linear) or its time constant (exponential); unused where constant.
    pub env_steps: u64,
}

impl Default for ExplorationConfig {
    fn default() -> Self {
        ExplorationConfig { kind: ExplorationKind::Linear, start: 1.0, end: 0.05, env_steps: 10_000 }
    }
}

/// Budget and pace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainConfig {
    /// The seed that every stream of randomness derives from.
    pub seed: u64,
    /// Stop after this many env steps (all worlds together); 0: no such limit.
    pub env_steps: u64,
    /// Stop after this many finished episodes; 0: no such limit.
    pub episodes: u64,
    /// Worlds stepped side by side.
    pub num_envs: usize,
    /// Learn every so many env steps.
    pub every_steps: u64,
    /// Updates each time.
    pub updates: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig { seed: 0, env_steps: 50_000, episodes: 0, num_envs: 1, every_steps: 1, updates: 1 }
    }
}

/// How and when the greedy policy is scored, on worlds of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaluationConfig {
    /// Score every so many env steps; 0: not by steps.
    pub every_steps: u64,
    /// Score after every so many episodes, the first included; 0: not by episodes.
    pub every_episodes: u64,
    /// Episodes per score.
    pub episodes: usize,
    /// Episodes of the last score, for the best and the final policy.
    pub final_episodes: usize,
    /// An evaluation episode is cut off after this many env steps.
    pub max_episode_steps: u64,
    /// Stop when this many scores in a row reach `stop_return`; 0: never.
    pub stop_after: u64,
    /// The mean return that counts as solved; absent: the world's own reward threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_return: Option<f64>,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        EvaluationConfig {
            every_steps: 5_000,
            every_episodes: 0,
            episodes: 20,
            final_episodes: 100,
            max_episode_steps: 100_000,
            stop_after: 0,
            stop_return: None,
        }
    }
}

/// When the complete state is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckpointConfig {
    /// Save every so many env steps, beside the end; 0: only at the end and when interrupted.
    pub every_steps: u64,
    /// Checkpoints kept, the newest ones; at least 2, so that a damaged one can be stepped over.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        CheckpointConfig { every_steps: 50_000, keep: 2 }
    }
}

/// When aggregates are logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogConfig {
    /// A line of training aggregates every so many env steps.
    pub every_steps: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { every_steps: 1_000 }
    }
}

#[cfg(test)]
mod tests {
    use requel_nn::Network;

    use super::*;

    #[test]
    fn networks_fit_their_observations() {
        let image = |shape: &[usize], dtype| {
            let len = shape.iter().product();
            Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape: shape.to_vec(), dtype }
        };
        let network = |conv: &[[usize; 3]]| NetworkConfig { conv: conv.to_vec(), ..NetworkConfig::default() };
        // Observation, convolutions, input shape, input scale, parameters of the first layer.
        let pixels = image(&[10, 10, 4], DType::U8);
        let table = [
            (pixels.clone(), &[][..], vec![400], 1.0 / 255.0, 400 * 64 + 64),
            (pixels, &[[16, 3, 1]][..], vec![10, 10, 4], 1.0 / 255.0, 3 * 3 * 4 * 16 + 16),
            (image(&[10, 5], DType::F32), &[[8, 3, 1]][..], vec![10, 5, 1], 1.0, 3 * 3 * 8 + 8),
            (Space::Discrete { n: 3 }, &[][..], vec![1], 1.0, 64 + 64),
        ];
        for (space, conv, shape, scale, parameters) in table {
            let spec = network(conv).spec(&space, 2);
            assert_eq!((&spec.input_shape, spec.input_scale), (&shape, scale));
            let network = Network::new(&spec).unwrap();
            let first = network.slices().iter().take(2).map(|slice| slice.range.len()).sum::<usize>();
            assert_eq!((first, network.output_len()), (parameters, 2));
        }
    }
}
