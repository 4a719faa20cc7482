//! [`Loss`]: what an error costs.

use crate::reference::Real;

/// A loss of one error, as PyTorch defines it. `error` is prediction − target.
///
/// ```
/// use requel_nn::Loss;
///
/// assert_eq!(Loss::Mse.value_and_gradient(3.0), (9.0, 6.0));
/// assert_eq!(Loss::Huber { delta: 1.0 }.value_and_gradient(-3.0), (2.5, -1.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields))]
pub enum Loss {
    /// `error²` (`torch.nn.MSELoss`: no factor ½).
    #[default]
    Mse,
    /// `½·error²` if |error| ≤ δ, and `δ·(|error| − ½δ)` beyond (`torch.nn.HuberLoss`).
    Huber {
        /// Where the parabola becomes a line; finite and above 0.
        delta: f32,
    },
}

impl Loss {
    /// The loss of one error and its derivative.
    ///
    /// # Panics
    /// If Huber's δ is not finite or not above 0; the same holds for [`Loss::mean`] and [`Loss::weighted_mean`].
    #[inline]
    pub fn value_and_gradient(self, error: f32) -> (f32, f32) {
        self.check();
        self.generic_value_and_gradient(error)
    }

    #[inline]
    fn check(self) {
        if let Loss::Huber { delta } = self {
            assert!(delta > 0.0 && delta.is_finite(), "Huber's delta is {delta}, not a finite number above 0");
        }
    }

    /// The mean loss of a batch; `d_errors` receives its gradient, which has the factor 1/n. The sum runs over the batch
    /// in increasing order, in `f64`. An empty batch has the loss 0.
    ///
    /// # Panics
    /// If the two slices differ in length.
    pub fn mean(self, errors: &[f32], d_errors: &mut [f32]) -> f32 {
        self.accumulate(errors, d_errors, |_| 1.0)
    }

    /// Like [`Loss::mean`], with each loss first multiplied by its weight: `Σ w·loss / n`, not divided by the sum of the weights.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn weighted_mean(self, errors: &[f32], weights: &[f32], d_errors: &mut [f32]) -> f32 {
        assert_eq!(errors.len(), weights.len(), "one weight for each error");
        self.accumulate(errors, d_errors, |i| weights[i])
    }

    /// [`Loss::value_and_gradient`] in either precision.
    #[inline]
    pub(crate) fn generic_value_and_gradient<R: Real>(self, error: R) -> (R, R) {
        match self {
            Loss::Mse => (error.times(error), error.plus(error)),
            Loss::Huber { delta } => {
                let delta = R::of(delta.into());
                let half = R::of(0.5);
                let size = if error < R::ZERO { -error } else { error };
                if size > delta {
                    let slope = if error < R::ZERO { -delta } else { delta };
                    (delta.times(size.minus(half.times(delta))), slope)
                } else {
                    (half.times(error).times(error), error)
                }
            }
        }
    }

    #[inline]
    fn accumulate(self, errors: &[f32], d_errors: &mut [f32], weight: impl Fn(usize) -> f32) -> f32 {
        self.check();
        assert_eq!(errors.len(), d_errors.len(), "one gradient for each error");
        let share = 1.0 / errors.len().max(1) as f32;
        let mut sum = 0.0_f64;
        for (i, (&error, d_error)) in errors.iter().zip(d_errors).enumerate() {
            let (value, gradient) = self.generic_value_and_gradient(error);
            sum += f64::from(weight(i) * value);
            *d_error = weight(i) * gradient * share;
        }
        (sum / errors.len().max(1) as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_values() {
        let huber = Loss::Huber { delta: 2.0 };
        for (loss, error, value, gradient) in [
            (Loss::Mse, 0.0, 0.0, 0.0),
            (Loss::Mse, -1.5, 2.25, -3.0),
            (huber, 1.0, 0.5, 1.0),
            (huber, -2.0, 2.0, -2.0),
            (huber, 5.0, 8.0, 2.0),
            (huber, -5.0, 8.0, -2.0),
        ] {
            assert_eq!(loss.value_and_gradient(error), (value, gradient), "{loss:?} of {error}");
        }
        assert!(huber.value_and_gradient(f32::NAN).0.is_nan());
    }

    #[test]
    fn a_delta_that_is_none_is_refused() {
        for delta in [-1.0, 0.0, f32::NAN, f32::INFINITY] {
            let loss = Loss::Huber { delta };
            assert!(std::panic::catch_unwind(|| loss.value_and_gradient(1.0)).is_err(), "{delta}");
            assert!(std::panic::catch_unwind(|| loss.mean(&[], &mut [])).is_err(), "{delta}");
        }
    }

    #[test]
    fn the_mean_and_its_gradient() {
        let mut d = [0.0; 4];
        assert_eq!(Loss::Mse.mean(&[1.0, -2.0, 3.0, 0.0], &mut d), 3.5);
        assert_eq!(d, [0.5, -1.0, 1.5, 0.0]);
        assert_eq!(Loss::Mse.weighted_mean(&[1.0, -2.0, 3.0, 0.0], &[1.0, 0.5, 0.0, 2.0], &mut d), 0.75);
        assert_eq!(d, [0.5, -0.5, 0.0, 0.0]);
        assert_eq!(Loss::Mse.mean(&[], &mut []), 0.0);
    }

    #[test]
    fn the_gradient_is_the_derivative() {
        for loss in [Loss::Mse, Loss::Huber { delta: 0.7 }] {
            for i in -40..40 {
                let error = f64::from(i) * 0.05 + 0.013;
                let value = |e: f64| loss.generic_value_and_gradient(e).0;
                let numeric = (value(error + 1e-6) - value(error - 1e-6)) / 2e-6;
                let analytic = loss.generic_value_and_gradient(error).1;
                assert!((numeric - analytic).abs() < 1e-8, "{loss:?} at {error}: {numeric} against {analytic}");
            }
        }
    }
}
