//! [`Optimizer`]: an optimiser's state, and its step.

use thiserror::Error;

use super::OptimizerSpec;
use crate::kernel::{Kernel, select};
use crate::reference::{self, AdamFactors, RmsPropFactors, RmsPropState};

/// The running averages of an optimiser, and how many steps it has made.
///
/// ```
/// use requel_nn::{Optimizer, OptimizerSpec};
///
/// let mut optimizer = Optimizer::new(&OptimizerSpec::adam(0.1), 2);
/// let mut parameters = [1.0, 1.0];
/// optimizer.step(&mut parameters, &[0.5, -2.0]);
/// // Adam's first step is one learning rate against the gradient's sign.
/// assert!((parameters[0] - 0.9).abs() < 1e-6 && (parameters[1] - 1.1).abs() < 1e-6);
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer {
    spec: OptimizerSpec,
    kernel: Kernel,
    learning_rate: f64,
    steps: u64,
    parameter_count: usize,
    buffers: Vec<(&'static str, Vec<f32>)>,
}

/// Why a saved state is not this optimiser's.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum RestoreError {
    /// The saved buffers have other names, or another number of them.
    #[error("optimizer state has the buffers {actual:?}, expected {expected:?}: it was saved by another optimizer")]
    Names {
        /// What was given.
        actual: Vec<String>,
        /// What the optimiser keeps.
        expected: Vec<&'static str>,
    },
    /// A saved buffer has another length.
    #[error("optimizer buffer `{name}` has {actual} numbers, expected {expected}: it was saved for another network")]
    Length {
        /// Which buffer.
        name: &'static str,
        /// What was given.
        actual: usize,
        /// One for each parameter.
        expected: usize,
    },
}

impl Optimizer {
    /// An optimiser that has made no step. The kernel is chosen as in [`crate::Network::new`].
    pub fn new(spec: &OptimizerSpec, parameter_count: usize) -> Optimizer {
        Optimizer::with_kernel(spec, parameter_count, select().unwrap_or(Kernel::SCALAR))
    }

    /// As [`Optimizer::new`], run by `kernel`.
    pub fn with_kernel(spec: &OptimizerSpec, parameter_count: usize, kernel: Kernel) -> Optimizer {
        let names: &[&'static str] = match *spec {
            OptimizerSpec::Adam { .. } => &["gradient_mean", "gradient_square"],
            OptimizerSpec::RmsProp { centered, momentum, .. } => match (centered, momentum > 0.0) {
                (false, false) => &["gradient_square"],
                (true, false) => &["gradient_square", "gradient_mean"],
                (false, true) => &["gradient_square", "velocity"],
                (true, true) => &["gradient_square", "gradient_mean", "velocity"],
            },
        };
        let buffers = names.iter().map(|&name| (name, vec![0.0; parameter_count])).collect();
        Optimizer { spec: *spec, kernel, learning_rate: spec.learning_rate(), steps: 0, parameter_count, buffers }
    }

    /// Changes `parameters` against `gradients`.
    ///
    /// # Panics
    /// If either has another length than the optimiser was made for.
    pub fn step(&mut self, parameters: &mut [f32], gradients: &[f32]) {
        assert_eq!(parameters.len(), self.parameter_count, "parameter buffer of the wrong length");
        assert_eq!(gradients.len(), self.parameter_count, "gradient buffer of the wrong length");
        self.steps += 1;
        match self.spec {
            OptimizerSpec::Adam { beta1, beta2, epsilon, .. } => {
                let factors = adam_factors(self.learning_rate, (beta1, beta2), epsilon, self.steps);
                let [(_, mean), (_, square)] = &mut self.buffers[..] else { unreachable!("Adam keeps two buffers") };
                self.kernel.adam(&factors, parameters, gradients, mean, square);
            }
            OptimizerSpec::RmsProp { alpha, epsilon, momentum, .. } => {
                let factors = RmsPropFactors {
                    alpha: alpha as f32,
                    one_minus_alpha: (1.0 - alpha) as f32,
                    epsilon: epsilon as f32,
                    momentum: momentum as f32,
                    negative_learning_rate: -self.learning_rate as f32,
                };
                let mut state = RmsPropState { square: &mut [], mean: &mut [], velocity: &mut [] };
                for (name, buffer) in &mut self.buffers {
                    match *name {
                        "gradient_square" => state.square = buffer,
                        "gradient_mean" => state.mean = buffer,
                        _ => state.velocity = buffer,
                    }
                }
                reference::rms_prop(&factors, parameters, gradients, state);
            }
        }
    }

    /// What the optimiser was made from.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate of the steps from here on, for schedules. It is not part of what
    /// [`Optimizer::restore`] takes: a schedule sets it again.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// Steps made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The running averages with their names, each with one number for each parameter. With [`Optimizer::steps`] they
    /// are the whole state.
    pub fn buffers(&self) -> impl ExactSizeIterator<Item = (&'static str, &[f32])> {
        self.buffers.iter().map(|(name, buffer)| (*name, buffer.as_slice()))
    }

    /// Puts back what [`Optimizer::steps`] and [`Optimizer::buffers`] gave, in any order.
    ///
    /// # Errors
    /// [`RestoreError`] if a buffer is missing, unknown or of another length; nothing has changed then.
    pub fn restore(&mut self, steps: u64, buffers: &[(&str, &[f32])]) -> Result<(), RestoreError> {
        let saved = |name| buffers.iter().find(|(saved_name, _)| *saved_name == name);
        if buffers.len() != self.buffers.len() || self.buffers.iter().any(|(name, _)| saved(*name).is_none()) {
            let actual = buffers.iter().map(|(name, _)| (*name).to_owned()).collect();
            return Err(RestoreError::Names { actual, expected: self.buffers.iter().map(|(name, _)| *name).collect() });
        }
        let expected = self.parameter_count;
        for &(name, _) in &self.buffers {
            let actual = saved(name).map_or(0, |(_, values)| values.len());
            if actual != expected {
                return Err(RestoreError::Length { name, actual, expected });
            }
        }
        for (name, buffer) in &mut self.buffers {
            if let Some((_, values)) = saved(*name) {
                buffer.copy_from_slice(values);
            }
        }
        self.steps = steps;
        Ok(())
    }
}

/// The factors of step number `steps` (from 1), worked out in `f64` and rounded once.
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
