//! [`HeadSpec`]: the constants of a head, from which it is built.

use std::fmt::Debug;

use requel_nn::Kernel;
use requel_policy::OutOfRange;
use thiserror::Error;

use super::{HeadShape, ValueLoss};
use crate::td::{RuleSpec, TdRule};

/// How a network's outputs are learned: a head with its constants. Your own head implements it. How the outputs are read is defined by
/// the [`Readout`](requel_policy::Readout) of the value function.
pub trait HeadSpec: Debug + Send + Sync {
    /// The head for batches of this shape, learning by this rule.
    ///
    /// # Errors
    /// [`HeadError`] if a constant is out of its range, or the head cannot learn by this rule.
    fn build(&self, rule: &dyn RuleSpec, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn ValueLoss>, HeadError>;

    /// Fractions of a row that the networks read in an update; 1 each if they read none.
    fn fractions(&self) -> FractionCounts {
        FractionCounts { current: 1, next: 1 }
    }
}

/// Numbers of fractions of a row: N and N' in the paper on IQN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FractionCounts {
    /// N: fractions at which the present state's return is learned.
    pub current: usize,
    /// N': fractions of the next state that make its targets.
    pub next: usize,
}

/// Why a head cannot be built.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum HeadError {
    /// A constant is out of its range.
    #[error("{field} is {value}, expected {expected}")]
    OutOfRange {
        /// The constant.
        field: &'static str,
        /// Its value.
        value: f64,
        /// The values it may have.
        expected: &'static str,
    },
    /// Your own head cannot be built like this.
    #[error("{reason}")]
    Refused {
        /// The reason.
        reason: &'static str,
    },
    /// The categorical head learns by greedy rules only: a mixture over actions is not a shift of one distribution.
    #[error(
        "the categorical head (`head.kind`) learns only by rules that value the next state by its best action, such as \
         Q-learning: use a scalar or quantile head, or another rule"
    )]
    CategoricalPolicy,
    /// Residual gradients need a greedy rule.
    #[error(
        "the residual gradient (`agent.bellman_gradient`) needs a rule that values the next state by its best action, such as \
         Q-learning"
    )]
    ResidualPolicy,
}

impl From<OutOfRange> for HeadError {
    fn from(error: OutOfRange) -> Self {
        let OutOfRange { field, value, expected } = error;
        HeadError::OutOfRange { field, value, expected }
    }
}

impl HeadShape {
    /// Checks that a batch has rows and actions.
    pub(super) fn check(self) -> Result<(), HeadError> {
        check_count("rows", self.rows, 1, "at least 1")?;
        check_count("actions", self.actions, 1, "at least 1")
    }

    /// Builds the rule for batches of this shape.
    pub(super) fn rule(self, rule: &dyn RuleSpec, kernel: Kernel) -> Result<Box<dyn TdRule>, HeadError> {
        Ok(rule.build((self.rows, self.actions), kernel)?)
    }
}

pub(super) fn check(is_valid: bool, field: &'static str, value: f64, expected: &'static str) -> Result<(), HeadError> {
    if is_valid { Ok(()) } else { Err(HeadError::OutOfRange { field, value, expected }) }
}

pub(super) fn check_count(
    field: &'static str,
    value: usize,
    least: usize,
    expected: &'static str,
) -> Result<(), HeadError> {
    check(value >= least, field, value as f64, expected)
}

/// Checks where a quantile Huber loss turns from quadratic to linear.
pub(super) fn check_kappa(kappa: f32) -> Result<(), HeadError> {
    check(kappa.is_finite() && kappa >= 0.0, "kappa", kappa.into(), "a finite number of at least 0")
}

#[cfg(test)]
mod tests {
    use requel_nn::Loss;

    use super::*;
    use crate::agent::head::{CategoricalSpec, ImplicitQuantileSpec, QuantileSpec, ScalarSpec};
    use crate::td::{Munchausen, QLearning, Support};

    const SHAPE: HeadShape = HeadShape { rows: 4, actions: 2 };

    #[test]
    fn what_is_no_head_is_refused_with_its_field() {
        let counts = FractionCounts { current: 8, next: 0 };
        let support = |v_min, v_max, atoms| CategoricalSpec { support: Support { v_min, v_max, atoms } };
        let specs: [(&dyn HeadSpec, &str); 7] = [
            (&support(-1.0, 1.0, 1), "atoms"),
            (&support(f32::NAN, 1.0, 3), "v_min"),
            (&support(1.0, 1.0, 3), "v_max"),
            (&ScalarSpec { loss: Loss::Huber { delta: -1.0 } }, "delta"),
            (&QuantileSpec { count: 0, kappa: 1.0 }, "quantiles"),
            (&QuantileSpec { count: 5, kappa: -1.0 }, "kappa"),
            (&ImplicitQuantileSpec { counts, kappa: 1.0 }, "next fractions"),
        ];
        for (spec, field) in specs {
            let error = spec.build(&QLearning, SHAPE, Kernel::SCALAR).unwrap_err();
            assert!(matches!(error, HeadError::OutOfRange { field: found, .. } if found == field), "{field}: {error}");
        }
        let munchausen = |tau| Munchausen { tau, ..Munchausen::default() };
        let scalar = ScalarSpec { loss: Loss::Mse };
        assert!(scalar.build(&munchausen(0.03), SHAPE, Kernel::SCALAR).is_ok());
        let error = scalar.build(&munchausen(0.0), SHAPE, Kernel::SCALAR).unwrap_err();
        assert!(error.to_string().contains("munchausen tau is 0"), "{error}");
        let refused = support(-1.0, 1.0, 3).build(&munchausen(0.03), SHAPE, Kernel::SCALAR).unwrap_err();
        assert_eq!(refused, HeadError::CategoricalPolicy);
    }
}
