//! How gradients are computed and applied.

use crate::config::declare::Condition::{Is, IsNot};
use crate::config::declare::Range::{Between, Decay, ZeroOr};
use crate::config::declare::{LARGE, SMALL, Scale, TINY, Tuning, choice, section};

choice! {
    /// The optimiser.
    pub enum OptimizerKind {
        /// Adam (Kingma & Ba 2015).
        "adam" => Adam,
        /// RMSProp (Hinton 2012), centred or not.
        "rmsprop" => Rmsprop,
        /// Rectified Adam (Liu et al. 2020).
        "radam" => Radam,
    }
}

choice! {
    /// The schedule of the learning rate.
    pub enum AnnealKind {
        /// Constant.
        "none" => None,
        /// Linear, down to 0 at `train.env_steps`.
        "linear" => Linear,
    }
}

choice! {
    /// The shape of the loss.
    pub enum LossKind {
        /// The mean squared TD error.
        "mse" => Mse,
        /// Quadratic up to `delta`, linear beyond it (Huber 1964; Mnih 2015 with delta 1).
        "huber" => Huber,
    }
}

section! {
    /// How gradients change the network.
    pub struct OptimizerConfig = "optimizer" {
        /// Optimiser.
        kind: OptimizerKind = OptimizerKind::Adam;
        /// Learning rate.
        learning_rate: f64 = 1e-3, in Between(SMALL, LARGE), may change, tune Tuning::number(5e-5, 5e-3, Scale::Log);
        /// Schedule of the learning rate.
        anneal: AnnealKind = AnnealKind::None, may change, tune Tuning::one_of(&[r#""none""#, r#""linear""#]);
        /// Adam, radam: decay of the running mean of gradients.
        beta1: f64 = 0.9, in Decay, unit "per update", may change;
        /// Adam, radam: decay of the running mean of squared gradients.
        beta2: f64 = 0.999, in Decay, unit "per update", may change;
        /// Constant added to the denominator, outside the square root.
        epsilon: f64 = 1e-8, in Between(TINY, LARGE), may change,
            tune Tuning::number(1e-8, 1e-3, Scale::Log).when(&[IsNot("optimizer.kind", "rmsprop")]);
        /// RMSProp: decay of the running mean of squared gradients.
        alpha: f64 = 0.95, in Decay, unit "per update", may change;
        /// RMSProp: momentum (0: none).
        momentum: f64 = 0.0, in Decay;
        /// RMSProp: subtract the squared mean of gradients (Graves 2013).
        centered: bool = true;
        /// Clip gradients to this global norm (0: no clipping).
        max_gradient_norm: f64 = 0.0, in ZeroOr(SMALL, f64::INFINITY), may change,
            tune Tuning::one_of(&["0.0", "1.0", "10.0"]);
    }
}

section! {
    /// How TD errors become a loss.
    pub struct LossConfig = "loss" {
        /// Loss of a TD error, averaged over the batch.
        kind: LossKind = LossKind::Mse, may change,
            tune Tuning::one_of(&[r#""mse""#, r#""huber""#]).when(&[Is("head.kind", "scalar"), Is("agent.kind", "dqn")]);
        /// Huber: |TD error| at which the loss becomes linear.
        delta: f64 = 1.0, in Between(SMALL, LARGE), unit "units of return", may change;
    }
}
