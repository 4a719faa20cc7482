//! [`Optimizer`]: an optimiser's state, and its step.

use std::error::Error;
use std::fmt;

use super::{OptimizerSpec, StepFactors};
use crate::kernel::{Engine, Kernel, select};
use crate::reference::RmsPropState;

/// The running averages of an optimiser, and the number of steps it has made.
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
    engine: Engine,
    learning_rate: f64,
    steps: u64,
    parameter_count: usize,
    buffers: Vec<(&'static str, Vec<f32>)>,
}

/// Why a saved state does not fit this optimiser.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RestoreError {
    /// The saved buffers have other names, or their number differs.
    Names {
        /// The names in the state.
        actual: Vec<String>,
        /// The names that the optimiser uses.
        expected: Vec<&'static str>,
    },
    /// A saved buffer has another length.
    Length {
        /// Which buffer.
        name: &'static str,
        /// Its length.
        actual: usize,
        /// One number per parameter.
        expected: usize,
    },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Names { actual, expected } => write!(
                f,
                "optimizer state has the buffers {actual:?}, expected {expected:?}: another optimizer saved it"
            ),
            RestoreError::Length { name, actual, expected } => write!(
                f,
                "optimizer buffer `{name}` has {actual} numbers, expected {expected}: it was saved for another network"
            ),
        }
    }
}

impl Error for RestoreError {}

impl Optimizer {
    /// An optimiser that has made no steps. The kernel is chosen as in [`crate::Network::new`].
    ///
    /// # Panics
    /// If a constant is out of range; [`OptimizerSpec::validate`] checks that beforehand.
    pub fn new(spec: &OptimizerSpec, parameter_count: usize) -> Optimizer {
        Optimizer::with_kernel(spec, parameter_count, select().unwrap_or(Kernel::SCALAR))
    }

    /// Like [`Optimizer::new`], with `kernel`.
    ///
    /// # Panics
    /// As there.
    pub fn with_kernel(spec: &OptimizerSpec, parameter_count: usize, kernel: Kernel) -> Optimizer {
        if let Err(error) = spec.validate() {
            panic!("{error}");
        }
        let buffers = spec.buffer_names().iter().map(|&name| (name, vec![0.0; parameter_count])).collect();
        Optimizer {
            spec: *spec,
            engine: Engine::single(kernel),
            learning_rate: spec.learning_rate(),
            steps: 0,
            parameter_count,
            buffers,
        }
    }

    /// The same optimiser, with steps over very many parameters computed by up to `threads` threads of rayon's pool (at least 1); the bits
    /// are the same for every number of threads.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Optimizer {
        self.set_threads(threads);
        self
    }

    /// Like [`Optimizer::with_threads`], from now on.
    pub fn set_threads(&mut self, threads: usize) {
        self.engine.threads = threads.max(1);
    }

    /// Changes `parameters` against `gradients`.
    ///
    /// # Panics
    /// If the length of either differs from what the optimiser was created for.
    pub fn step(&mut self, parameters: &mut [f32], gradients: &[f32]) {
        assert_eq!(parameters.len(), self.parameter_count, "parameter buffer of the wrong length");
        assert_eq!(gradients.len(), self.parameter_count, "gradient buffer of the wrong length");
        self.steps += 1;
        match self.spec.step_factors(self.learning_rate, self.steps) {
            StepFactors::Adam(factors) => {
                let [(_, mean), (_, square)] = &mut self.buffers[..] else { unreachable!("Adam keeps two buffers") };
                self.engine.adam(&factors, parameters, gradients, mean, square);
            }
            StepFactors::RmsProp(factors) => {
                let mut state = RmsPropState { square: &mut [], mean: &mut [], velocity: &mut [] };
                for (name, buffer) in &mut self.buffers {
                    match *name {
                        "gradient_square" => state.square = buffer,
                        "gradient_mean" => state.mean = buffer,
                        _ => state.velocity = buffer,
                    }
                }
                self.engine.rms_prop(&factors, parameters, gradients, state);
            }
        }
    }

    /// The spec that the optimiser was created from.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate from the next step on, for schedules. [`Optimizer::restore`] does not restore it: a schedule sets it again.
    ///
    /// # Panics
    /// If it is negative or not finite.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        assert!(learning_rate >= 0.0 && learning_rate.is_finite(), "the learning rate is {learning_rate}");
        self.learning_rate = learning_rate;
    }

    /// Steps made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The running averages by name, each with one number per parameter. Together with [`Optimizer::steps`] they are the whole state.
    pub fn buffers(&self) -> impl ExactSizeIterator<Item = (&'static str, &[f32])> {
        self.buffers.iter().map(|(name, buffer)| (*name, buffer.as_slice()))
    }

    /// Restores what [`Optimizer::steps`] and [`Optimizer::buffers`] returned, in any order.
    ///
    /// # Errors
    /// [`RestoreError`] if a buffer is missing, unknown or has another length; nothing has changed then.
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

#[cfg(test)]
mod tests {
    use super::*;

    const RMS_PROP: OptimizerSpec =
        OptimizerSpec::RmsProp { learning_rate: 0.02, alpha: 0.9, epsilon: 1e-3, centered: true, momentum: 0.5 };

    fn gradient(step: usize, i: usize) -> f32 {
        libm::sinf((step * 7 + i * 3) as f32) * (i as f32 + 0.5)
    }

    /// The textbook's formulas in `f64`, written another way than the kernels'.
    #[test]
    fn constants_that_are_none_are_refused() {
        for rate in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(std::panic::catch_unwind(|| Optimizer::new(&OptimizerSpec::adam(rate), 1)).is_err(), "{rate}");
            let set = || Optimizer::new(&OptimizerSpec::adam(0.1), 1).set_learning_rate(rate);
            assert!(std::panic::catch_unwind(set).is_err(), "{rate}");
        }
    }

    #[test]
    fn twenty_steps_of_each_follow_the_textbook() {
        let count = 5;
        let mut adam = Optimizer::new(&OptimizerSpec::adam(0.01), count);
        let mut rms_prop = Optimizer::new(&RMS_PROP, count);
        let (mut p, mut q) = (vec![0.3_f32; count], vec![0.3_f32; count]);
        for step in 0..20 {
            let g: Vec<f32> = (0..count).map(|i| gradient(step, i)).collect();
            adam.step(&mut p, &g);
            rms_prop.step(&mut q, &g);
        }
        for i in 0..count {
            let (mut m, mut v, mut x) = (0.0_f64, 0.0_f64, f64::from(0.3_f32));
            let (mut s, mut mu, mut b, mut y) = (0.0_f64, 0.0_f64, 0.0_f64, f64::from(0.3_f32));
            for step in 0..20 {
                let g = f64::from(gradient(step, i));
                m = 0.9 * m + 0.1 * g;
                v = 0.999 * v + 0.001 * g * g;
                let t = step as i32 + 1;
                x -= 0.01 * (m / (1.0 - 0.9_f64.powi(t))) / ((v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
                s = 0.9 * s + 0.1 * g * g;
                mu = 0.9 * mu + 0.1 * g;
                b = 0.5 * b + g / ((s - mu * mu).sqrt() + 1e-3);
                y -= 0.02 * b;
            }
            assert!((f64::from(p[i]) - x).abs() < 1e-6, "Adam: {} against {x}", p[i]);
            assert!((f64::from(q[i]) - y).abs() < 1e-5, "RMSProp: {} against {y}", q[i]);
        }
    }

    /// The paper's algorithm 2 in `f64`, with PyTorch's place for ε, over the step at which the variance comes in.
    #[test]
    fn rectified_adam_follows_the_paper() {
        let mut optimizer = Optimizer::new(&OptimizerSpec::radam(0.01), 1);
        let mut p = [0.3_f32];
        let (mut m, mut v, mut x) = (0.0_f64, 0.0_f64, f64::from(0.3_f32));
        let mut rectified = 0;
        for t in 1..=20 {
            let g = gradient(t, 0);
            optimizer.step(&mut p, &[g]);
            let g = f64::from(g);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            let (b1, b2) = (0.9_f64.powi(t as i32), 0.999_f64.powi(t as i32));
            let rho_inf = 2.0 / 0.001 - 1.0;
            let rho = rho_inf - 2.0 * t as f64 * b2 / (1.0 - b2);
            let m_hat = m / (1.0 - b1);
            if rho > 5.0 {
                rectified += 1;
                let r = ((rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)).sqrt();
                x -= 0.01 * r * m_hat * (1.0 - b2).sqrt() / (v.sqrt() + 1e-8);
            } else {
                x -= 0.01 * m_hat;
            }
            assert!((f64::from(p[0]) - x).abs() < 1e-6, "step {t}: {} against {x}", p[0]);
        }
        assert_eq!(rectified, 15);
    }

    #[test]
    fn the_learning_rate_may_change_between_steps() {
        let mut optimizer = Optimizer::new(&OptimizerSpec::radam(0.01), 1);
        let mut p = [1.0_f32];
        optimizer.step(&mut p, &[0.5]);
        let before = p;
        optimizer.set_learning_rate(0.0);
        optimizer.step(&mut p, &[0.5]);
        assert_eq!((p, optimizer.steps()), (before, 2));
    }

    #[test]
    fn a_restored_optimizer_goes_on_with_the_same_bits() {
        for spec in [OptimizerSpec::default(), OptimizerSpec::radam(0.01), RMS_PROP] {
            let mut first = Optimizer::new(&spec, 9);
            let mut p = vec![1.0_f32; 9];
            let g = |step| (0..9).map(|i| gradient(step, i)).collect::<Vec<f32>>();
            (0..5).for_each(|step| first.step(&mut p, &g(step)));
            let mut second = Optimizer::new(&spec, 9);
            let saved: Vec<_> = first.buffers().map(|(name, values)| (name, values.to_vec())).collect();
            let saved: Vec<_> = saved.iter().rev().map(|(name, values)| (*name, &values[..])).collect();
            second.restore(first.steps(), &saved).unwrap();
            let mut q = p.clone();
            for step in 5..10 {
                first.step(&mut p, &g(step));
                second.step(&mut q, &g(step));
            }
            assert_eq!(p, q);
        }
    }

    #[test]
    fn another_optimizers_state_is_refused() {
        let mut adam = Optimizer::new(&OptimizerSpec::default(), 2);
        let error = adam.restore(1, &[("velocity", &[0.0; 2]), ("gradient_mean", &[0.0; 2])]).unwrap_err();
        assert!(matches!(error, RestoreError::Names { .. }), "{error}");
        let error = adam.restore(1, &[("gradient_square", &[0.0; 3]), ("gradient_mean", &[0.0; 2])]).unwrap_err();
        assert_eq!(error, RestoreError::Length { name: "gradient_square", actual: 3, expected: 2 });
        assert_eq!(adam.steps(), 0);
    }

    #[test]
    fn constants_out_of_range_are_refused() {
        assert_eq!(OptimizerSpec::default().validate(), Ok(()));
        assert_eq!(RMS_PROP.validate(), Ok(()));
        assert_eq!(OptimizerSpec::adam(f64::NAN).validate().unwrap_err().field, "learning_rate");
        let spec = OptimizerSpec::Adam { learning_rate: 0.1, beta1: 1.0, beta2: 0.9, epsilon: 0.0 };
        assert_eq!(spec.validate().unwrap_err().field, "beta1");
    }
}
