//! How gradients come about and change the network.

use requel_nn::{Loss, OptimizerSpec};
use serde::{Deserialize, Serialize};

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Adam (Kingma & Ba 2015).
    Adam,
    /// RMSProp (Hinton 2012), centred or not.
    Rmsprop,
    /// Rectified Adam (Liu et al. 2020).
    Radam,
}

/// The course of the step size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnealKind {
    /// Always the same.
    None,
    /// In a line to 0 at `train.env_steps`.
    Linear,
}

/// How gradients change the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OptimizerConfig {
    /// The optimiser.
    pub kind: OptimizerKind,
    /// Step size.
    pub learning_rate: f64,
    /// The course of the step size.
    pub anneal: AnnealKind,
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
            anneal: AnnealKind::None,
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
            OptimizerKind::Radam => OptimizerSpec::RAdam { learning_rate, beta1, beta2, epsilon },
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
