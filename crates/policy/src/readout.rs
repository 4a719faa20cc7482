//! [`Readout`] and [`ValueSpec`]: what the outputs of a network mean, as plain data.

use requel_nn::{Kernel, NetworkSpec};

use crate::{CategoricalReader, ImplicitQuantileReader, OutOfRange, QuantileReader, Reader, ScalarReader, Support};

/// What a value function is: a network, and what its outputs mean.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ValueSpec {
    /// The network.
    pub network: NetworkSpec,
    /// What it says of each action.
    pub head: Readout,
}

/// What a network says of each action: plain data, which a policy file holds.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields))]
pub enum Readout {
    /// The expected return.
    #[default]
    Scalar,
    /// The logits of `atoms` returns spread evenly from `v_min` to `v_max`.
    Categorical {
        /// How many returns.
        atoms: usize,
        /// The lowest.
        v_min: f32,
        /// The highest.
        v_max: f32,
    },
    /// So many quantiles of the return, at the middles of as many equal parts.
    Quantile {
        /// How many.
        quantiles: usize,
    },
    /// The quantile of the return at a fraction that it is asked for.
    ImplicitQuantile {
        /// How many fractions it is asked for to act, the middles of as many equal parts.
        fractions: usize,
    },
}

impl Readout {
    /// Outputs of the network for each action.
    pub fn atoms(&self) -> usize {
        match self {
            Readout::Scalar | Readout::ImplicitQuantile { .. } => 1,
            Readout::Categorical { atoms, .. } => *atoms,
            Readout::Quantile { quantiles } => *quantiles,
        }
    }

    /// Fractions of each observation that a network reads to act; 1 where it reads none.
    pub fn acting_fractions(&self) -> usize {
        if let Readout::ImplicitQuantile { fractions } = self { *fractions } else { 1 }
    }

    /// What reads outputs so, of up to so many rows at once.
    ///
    /// # Errors
    /// [`OutOfRange`] with the first constant that is.
    pub fn reader(&self, rows: usize, actions: usize, kernel: Kernel) -> Result<Box<dyn Reader>, OutOfRange> {
        let at_least_1 = |field, value: usize| OutOfRange::unless(value > 0, field, value as f64, "at least 1");
        at_least_1("rows", rows)?;
        at_least_1("actions", actions)?;
        Ok(match *self {
            Readout::Scalar => Box::new(ScalarReader),
            Readout::Categorical { atoms, v_min, v_max } => {
                let support = Support { v_min, v_max, atoms };
                support.validate()?;
                Box::new(CategoricalReader::new(support, rows * actions, kernel))
            }
            Readout::Quantile { quantiles } => {
                at_least_1("quantiles", quantiles)?;
                Box::new(QuantileReader { count: quantiles })
            }
            Readout::ImplicitQuantile { fractions } => {
                at_least_1("fractions", fractions)?;
                Box::new(ImplicitQuantileReader { actions })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(head: Readout, outputs: &[f32]) -> [f32; 4] {
        let mut q = [9.0; 4];
        head.reader(2, 2, Kernel::SCALAR).unwrap().q_values(outputs, &mut q);
        q
    }

    /// Two observations, two actions.
    #[test]
    fn hand_worked_tables() {
        assert_eq!(values(Readout::Scalar, &[1.0, 2.0, 3.0, 4.0]), [1.0, 2.0, 3.0, 4.0]);
        // Sure of one of the returns 0, 5 and 10, or of two of them alike.
        let (no, yes) = (-1000.0, 0.0);
        let logits = [yes, no, no, no, no, yes, no, yes, yes, yes, no, yes];
        let head = Readout::Categorical { atoms: 3, v_min: 0.0, v_max: 10.0 };
        assert_eq!(values(head, &logits), [0.0, 10.0, 7.5, 5.0]);
        let outputs = [1.0, 3.0, 0.0, 0.0, -1.0, -2.0, 7.0, 8.0];
        assert_eq!(values(Readout::Quantile { quantiles: 2 }, &outputs), [2.0, 0.0, -1.5, 7.5]);
        // The actions of the first fraction, then those of the second.
        let head = Readout::ImplicitQuantile { fractions: 2 };
        assert_eq!(values(head, &outputs), [0.5, 1.5, 3.0, 3.0]);
    }

    #[test]
    fn what_has_no_mean_is_refused() {
        let refused =
            |head: &Readout, rows, actions| head.reader(rows, actions, Kernel::SCALAR).map(drop).unwrap_err().field;
        assert_eq!(refused(&Readout::Scalar, 0, 1), "rows");
        assert_eq!(refused(&Readout::Scalar, 1, 0), "actions");
        assert_eq!(refused(&Readout::Quantile { quantiles: 0 }, 1, 1), "quantiles");
        assert_eq!(refused(&Readout::ImplicitQuantile { fractions: 0 }, 1, 1), "fractions");
        for (atoms, v_min, v_max, field) in [
            (1, 0.0, 1.0, "atoms"),
            (3, f32::NAN, 1.0, "v_min"),
            (3, 1.0, 1.0, "v_max"),
            (3, 0.0, f32::INFINITY, "v_max"),
            (3, 1e8, 1e8 + 8.0, "v_max"),
        ] {
            assert_eq!(refused(&Readout::Categorical { atoms, v_min, v_max }, 1, 1), field);
        }
    }
}
