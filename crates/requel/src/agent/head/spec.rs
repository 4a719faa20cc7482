//! [`HeadSpec`]: which head, with its constants.

use requel_nn::{Kernel, Loss};
use requel_policy::OutOfRange;
use thiserror::Error;

use super::{
    CategoricalHead, FractionCounts, HeadShape, ImplicitQuantileHead, QuantileHead, Rule, ScalarHead, ValueLoss,
};
use crate::td::Support;

/// What a network's outputs mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeadSpec {
    /// The expected return of each action.
    Scalar {
        /// What an error costs.
        loss: Loss,
    },
    /// C51: probabilities on a fixed support.
    Categorical {
        /// The support.
        support: Support,
    },
    /// QR-DQN: quantiles at fixed fractions.
    Quantile {
        /// Quantiles of each action.
        count: usize,
        /// Where the loss turns from quadratic to linear, in units of the return; 0 for linear throughout.
        kappa: f32,
    },
    /// IQN: quantiles at any fraction.
    ImplicitQuantile {
        /// Fractions of a row in an update.
        counts: FractionCounts,
        /// Where the loss turns from quadratic to linear, in units of the return; 0 for linear throughout.
        kappa: f32,
    },
}

/// Why there is no such head.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum HeadError {
    /// A constant is out of its range.
    #[error("{field} is {value}, expected {expected}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// What it was.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// The categorical head has no Munchausen rule: a mixture over actions is not a shift of one distribution.
    #[error("the categorical head cannot learn by Munchausen's rule; use the scalar or a quantile head, or Q-learning")]
    CategoricalMunchausen,
}

impl From<OutOfRange> for HeadError {
    fn from(error: OutOfRange) -> Self {
        let OutOfRange { field, value, expected } = error;
        HeadError::OutOfRange { field, value, expected }
    }
}

impl HeadSpec {
    /// Numbers of each action in a network row: see [`Reader::atoms`](requel_policy::Reader::atoms).
    pub fn atoms(&self) -> usize {
        match *self {
            HeadSpec::Scalar { .. } | HeadSpec::ImplicitQuantile { .. } => 1,
            HeadSpec::Categorical { support } => support.atoms,
            HeadSpec::Quantile { count, .. } => count,
        }
    }

    /// The head for batches of this shape, learning by this rule.
    ///
    /// # Errors
    /// [`HeadError`] if a constant is out of its range, or the rule is none for this head.
    pub fn build(&self, rule: Rule, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn ValueLoss>, HeadError> {
        self.validate(rule, shape)?;
        Ok(match *self {
            HeadSpec::Scalar { loss } => Box::new(ScalarHead::new(loss, rule, shape, kernel)),
            HeadSpec::Categorical { support } => Box::new(CategoricalHead::new(support, shape, kernel)),
            HeadSpec::Quantile { count, kappa } => Box::new(QuantileHead::new((count, kappa), rule, shape, kernel)),
            HeadSpec::ImplicitQuantile { counts, kappa } => {
                Box::new(ImplicitQuantileHead::new((counts, kappa), rule, shape, kernel))
            }
        })
    }

    fn validate(&self, rule: Rule, shape: HeadShape) -> Result<(), HeadError> {
        let kappa_is_valid = |kappa: f32| {
            check(kappa.is_finite() && kappa >= 0.0, "kappa", kappa.into(), "a finite number of at least 0")
        };
        check_shape(shape)?;
        match *self {
            HeadSpec::Scalar { loss } => {
                if let Loss::Huber { delta } = loss {
                    let is_valid = delta > 0.0 && delta.is_finite();
                    check(is_valid, "delta", delta.into(), "a finite number above 0")?;
                }
            }
            HeadSpec::Categorical { support } => support.validate()?,
            HeadSpec::Quantile { count, kappa } => {
                check_count("quantiles", count, 1, "at least 1")?;
                kappa_is_valid(kappa)?;
            }
            HeadSpec::ImplicitQuantile { counts, kappa } => {
                check_count("fractions", counts.current, 1, "at least 1")?;
                check_count("next fractions", counts.next, 1, "at least 1")?;
                kappa_is_valid(kappa)?;
            }
        }
        let Rule::Munchausen(constants) = rule else { return Ok(()) };
        if matches!(self, HeadSpec::Categorical { .. }) {
            return Err(HeadError::CategoricalMunchausen);
        }
        let (alpha, tau, clip) = (constants.alpha, constants.tau, constants.clip);
        check((0.0..=1.0).contains(&alpha), "munchausen alpha", alpha.into(), "from 0 to 1")?;
        check(tau.is_finite() && tau > 0.0, "munchausen tau", tau.into(), "a finite number above 0")?;
        check(clip <= 0.0, "munchausen clip", clip.into(), "a number of at most 0")
    }
}

fn check(is_valid: bool, field: &'static str, value: f64, expected: &'static str) -> Result<(), HeadError> {
    if is_valid { Ok(()) } else { Err(HeadError::OutOfRange { field, value, expected }) }
}

fn check_count(field: &'static str, value: usize, least: usize, expected: &'static str) -> Result<(), HeadError> {
    check(value >= least, field, value as f64, expected)
}

fn check_shape(shape: HeadShape) -> Result<(), HeadError> {
    check_count("rows", shape.rows, 1, "at least 1")?;
    check_count("actions", shape.actions, 1, "at least 1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::td::Munchausen;

    const SHAPE: HeadShape = HeadShape { rows: 4, actions: 2 };

    #[test]
    fn what_is_no_head_is_refused_with_its_field() {
        let counts = FractionCounts { current: 8, next: 0 };
        let support = |v_min, v_max, atoms| HeadSpec::Categorical { support: Support { v_min, v_max, atoms } };
        for (spec, field) in [
            (support(-1.0, 1.0, 1), "atoms"),
            (support(f32::NAN, 1.0, 3), "v_min"),
            (support(1.0, 1.0, 3), "v_max"),
            (HeadSpec::Scalar { loss: Loss::Huber { delta: -1.0 } }, "delta"),
            (HeadSpec::Quantile { count: 0, kappa: 1.0 }, "quantiles"),
            (HeadSpec::Quantile { count: 5, kappa: -1.0 }, "kappa"),
            (HeadSpec::ImplicitQuantile { counts, kappa: 1.0 }, "next fractions"),
        ] {
            let error = spec.build(Rule::QLearning, SHAPE, Kernel::SCALAR).unwrap_err();
            assert!(matches!(error, HeadError::OutOfRange { field: found, .. } if found == field), "{field}: {error}");
        }
        let munchausen = |tau| Rule::Munchausen(Munchausen { tau, ..Munchausen::default() });
        let scalar = HeadSpec::Scalar { loss: Loss::Mse };
        assert!(scalar.build(munchausen(0.03), SHAPE, Kernel::SCALAR).is_ok());
        let error = scalar.build(munchausen(0.0), SHAPE, Kernel::SCALAR).unwrap_err();
        assert!(error.to_string().contains("munchausen tau is 0"), "{error}");
        let refused = support(-1.0, 1.0, 3).build(munchausen(0.03), SHAPE, Kernel::SCALAR).unwrap_err();
        assert_eq!(refused, HeadError::CategoricalMunchausen);
    }
}
