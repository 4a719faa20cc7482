//! [`StepFactors`]: the numbers of one step of an optimiser, whatever executes it.

use super::OptimizerSpec;
use crate::reference::{AdamFactors, RmsPropFactors};

/// The factors of an optimiser's step, computed in `f64` and rounded once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepFactors {
    /// Of Adam and of rectified Adam: see [`crate::reference::adam`].
    Adam(AdamFactors<f32>),
    /// Of RMSProp: see [`crate::reference::rms_prop`].
    RmsProp(RmsPropFactors<f32>),
}

impl OptimizerSpec {
    /// The factors of step number `step`, counted from 1, with this learning rate.
    pub fn step_factors(&self, learning_rate: f64, step: u64) -> StepFactors {
        match *self {
            OptimizerSpec::Adam { beta1, beta2, epsilon, .. } => {
                StepFactors::Adam(adam_factors(learning_rate, (beta1, beta2), epsilon, step))
            }
            OptimizerSpec::RAdam { beta1, beta2, epsilon, .. } => {
                StepFactors::Adam(radam_factors(learning_rate, (beta1, beta2), epsilon, step))
            }
            OptimizerSpec::RmsProp { alpha, epsilon, momentum, .. } => StepFactors::RmsProp(RmsPropFactors {
                alpha: alpha as f32,
                one_minus_alpha: (1.0 - alpha) as f32,
                epsilon: epsilon as f32,
                momentum: momentum as f32,
                negative_learning_rate: -learning_rate as f32,
            }),
        }
    }

    /// The names of the running averages that the optimiser keeps for each parameter.
    pub fn buffer_names(&self) -> &'static [&'static str] {
        match *self {
            OptimizerSpec::Adam { .. } | OptimizerSpec::RAdam { .. } => &["gradient_mean", "gradient_square"],
            OptimizerSpec::RmsProp { centered, momentum, .. } => match (centered, momentum > 0.0) {
                (false, false) => &["gradient_square"],
                (true, false) => &["gradient_square", "gradient_mean"],
                (false, true) => &["gradient_square", "velocity"],
                (true, true) => &["gradient_square", "gradient_mean", "velocity"],
            },
        }
    }
}

/// The factors of step number `steps` (from 1), computed in `f64` and rounded once.
fn adam_factors(learning_rate: f64, (beta1, beta2): (f64, f64), epsilon: f64, steps: u64) -> AdamFactors<f32> {
    let correction1 = 1.0 - libm::pow(beta1, steps as f64);
    let correction2 = 1.0 - libm::pow(beta2, steps as f64);
    AdamFactors {
        one_minus_beta1: (1.0 - beta1) as f32,
        beta2: beta2 as f32,
        one_minus_beta2: (1.0 - beta2) as f32,
        inverse_root_correction: (1.0 / correction2.sqrt()) as f32,
        epsilon: epsilon as f32,
        negative_step: (-learning_rate / correction1) as f32,
    }
}

/// Rectified Adam's step as one of Adam's: with the rectification r, `p ← p − lr·r·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε)`;
/// and while the variance is left out, `p ← p − lr/(1 − β₁ᵗ) · m/(√v·0 + 1)`.
fn radam_factors(learning_rate: f64, (beta1, beta2): (f64, f64), epsilon: f64, steps: u64) -> AdamFactors<f32> {
    /// The average must be longer than this for the variance of its root to be bounded.
    const SHORTEST: f64 = 5.0;
    let adam = adam_factors(learning_rate, (beta1, beta2), epsilon, steps);
    let power = libm::pow(beta2, steps as f64);
    let longest = 2.0 / (1.0 - beta2) - 1.0;
    let length = longest - 2.0 * steps as f64 * power / (1.0 - power);
    if length <= SHORTEST {
        return AdamFactors { inverse_root_correction: 0.0, epsilon: 1.0, ..adam };
    }
    let share = |length: f64| (length - 4.0) * (length - 2.0) / length;
    let rectification = (share(length) / share(longest)).sqrt();
    let correction1 = 1.0 - libm::pow(beta1, steps as f64);
    let negative_step = (-learning_rate * rectification * (1.0 - power).sqrt() / correction1) as f32;
    AdamFactors { inverse_root_correction: 1.0, negative_step, ..adam }
}
