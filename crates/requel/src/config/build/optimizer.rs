//! The optimiser and the loss of a config.

use requel_nn::{Loss, OptimizerSpec};

use crate::Schedule;
use crate::config::{AnnealKind, Config, LossConfig, LossKind, OptimizerConfig, OptimizerKind};

impl OptimizerConfig {
    /// The optimiser in the network crate's form.
    pub fn spec(&self) -> OptimizerSpec {
        let OptimizerConfig { learning_rate, beta1, beta2, epsilon, alpha, momentum, centered, .. } = *self;
        match self.kind {
            OptimizerKind::Radam => OptimizerSpec::RAdam { learning_rate, beta1, beta2, epsilon },
            OptimizerKind::Adam => OptimizerSpec::Adam { learning_rate, beta1, beta2, epsilon },
            OptimizerKind::Rmsprop => OptimizerSpec::RmsProp { learning_rate, alpha, epsilon, centered, momentum },
        }
    }
}

impl LossConfig {
    /// The loss in the network crate's form.
    pub fn spec(&self) -> Loss {
        match self.kind {
            LossKind::Mse => Loss::Mse,
            LossKind::Huber => Loss::Huber { delta: self.delta as f32 },
        }
    }
}

impl Config {
    /// The schedule of the learning rate.
    pub fn learning_rate(&self) -> Schedule {
        let start = self.optimizer.learning_rate;
        match self.optimizer.anneal {
            AnnealKind::None => Schedule::Constant(start),
            AnnealKind::Linear => Schedule::Linear { start, end: 0.0, env_steps: self.train.env_steps },
        }
    }
}
