//! [`Readout`]: what the outputs of a network mean.

use std::fmt::Debug;

use requel_nn::Kernel;
use serde::{Deserialize, Serialize};

use super::spec::{check_quantiles, check_shape, check_support};
use super::{CategoricalReader, HeadError, HeadShape, ImplicitQuantileReader, QuantileReader, ScalarReader};
use crate::td::Support;

/// From the outputs of a network to the values of actions. A reader knows no network: it turns numbers into numbers.
///
/// Outputs are laid out action by action: network rows × actions × [`Reader::atoms`]. A network row is a row of the batch, but
/// for implicit quantiles, where it is one fraction of a row: all fractions of row 0 first.
pub trait Reader: Debug + Send {
    /// Numbers of each action in a network row: the network has actions × atoms outputs.
    fn atoms(&self) -> usize;

    /// The expected return of each action, rows × actions, from the outputs of any number of rows. How many fractions a row has
    /// follows from the lengths.
    ///
    /// # Panics
    /// If the lengths do not go together.
    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]);
}

/// What a network says of each action: plain data, which a policy file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
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

    /// What reads outputs so, of up to as many rows at once as `shape` has.
    ///
    /// # Errors
    /// [`HeadError`] if a constant is out of its range.
    pub fn reader(&self, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn Reader>, HeadError> {
        check_shape(shape)?;
        Ok(match *self {
            Readout::Scalar => Box::new(ScalarReader),
            Readout::Categorical { atoms, v_min, v_max } => {
                let support = Support { v_min, v_max, atoms };
                check_support(support)?;
                Box::new(CategoricalReader::new(support, shape, kernel))
            }
            Readout::Quantile { quantiles } => {
                check_quantiles(quantiles)?;
                Box::new(QuantileReader { count: quantiles })
            }
            Readout::ImplicitQuantile { .. } => Box::new(ImplicitQuantileReader { actions: shape.actions }),
        })
    }
}
