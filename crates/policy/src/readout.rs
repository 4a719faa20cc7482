//! [`Readout`] and [`ValueSpec`]: what the outputs of a network mean, as plain data, and the corresponding [`Reader`]s.

use std::fmt;

use requel_nn::{Kernel, NetworkSpec, SoftmaxRows, lanes};
use serde_json::Value;

use crate::description::Fields;
use crate::{OutOfRange, Reader, Support};

/// A value function: a network, and what its outputs mean.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ValueSpec {
    /// The network.
    pub network: NetworkSpec,
    /// What its outputs mean.
    pub head: Readout,
}

/// What the outputs of a network mean: plain data, stored in a policy file.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields))]
pub enum Readout {
    /// The expected return.
    #[default]
    Scalar,
    /// The logits of `atoms` returns spread evenly from `v_min` to `v_max`.
    Categorical {
        /// The number of returns.
        atoms: usize,
        /// The lowest.
        v_min: f32,
        /// The highest.
        v_max: f32,
    },
    /// This many quantiles of the return, at the midpoints of equal parts.
    Quantile {
        /// The number of quantiles.
        quantiles: usize,
    },
    /// The quantile of the return at a fraction that the network reads.
    ImplicitQuantile {
        /// The number of fractions used for acting, at the midpoints of equal parts.
        fractions: usize,
    },
}

/// How the value of an action, the expected return, is computed from the network's numbers for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Mean {
    /// The single number is the value.
    Itself,
    /// The softmax of the numbers gives the probabilities of these returns.
    OfReturns(Vec<f32>),
    /// The mean of this many numbers.
    OfAtoms(usize),
    /// The mean over this many rows of the network, one for each fraction that it reads.
    OfFractions(usize),
}

impl fmt::Display for Readout {
    /// For one action, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Readout::Scalar => f.write_str("an expected return"),
            Readout::Categorical { atoms, v_min, v_max } => {
                write!(f, "a categorical distribution of {atoms} atoms from {v_min} to {v_max}")
            }
            Readout::Quantile { quantiles } => write!(f, "{quantiles} quantiles"),
            Readout::ImplicitQuantile { fractions } => write!(f, "implicit quantiles, {fractions} of them for acting"),
        }
    }
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

    /// Whether the network reads fractions in addition to an observation.
    pub fn reads_fractions(&self) -> bool {
        matches!(self, Readout::ImplicitQuantile { .. })
    }

    /// Fractions per observation that the network reads for acting; 1 if it reads none.
    pub fn acting_fractions(&self) -> usize {
        if let Readout::ImplicitQuantile { fractions } = self { *fractions } else { 1 }
    }

    /// How the value of an action is computed from its numbers.
    pub fn mean(&self) -> Mean {
        match *self {
            Readout::Scalar => Mean::Itself,
            Readout::Categorical { atoms, v_min, v_max } => {
                let support = Support { v_min, v_max, atoms };
                Mean::OfReturns((0..atoms).map(|atom| support.atom(atom)).collect())
            }
            Readout::Quantile { quantiles } => Mean::OfAtoms(quantiles),
            Readout::ImplicitQuantile { fractions } => Mean::OfFractions(fractions),
        }
    }

    /// The readout described in a policy file.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(crate) fn of_description(value: &Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "head")?;
        let head = match fields.text("kind")? {
            "scalar" => Readout::Scalar,
            "categorical" => Readout::Categorical {
                atoms: fields.size("atoms")?,
                v_min: fields.number("v_min")?,
                v_max: fields.number("v_max")?,
            },
            "quantile" => Readout::Quantile { quantiles: fields.size("quantiles")? },
            "implicit-quantile" => Readout::ImplicitQuantile { fractions: fields.size("fractions")? },
            other => return Err(format!("head: `{other}` is not a kind of head that this version knows")),
        };
        fields.finish()?;
        Ok(head)
    }

    /// The reader for this, for up to this many rows at once.
    ///
    /// # Errors
    /// [`OutOfRange`] for the first constant that is.
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

/// Outputs that are the values.
#[derive(Clone, Copy, Debug)]
pub struct ScalarReader;

impl Reader for ScalarReader {
    fn atoms(&self) -> usize {
        1
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        q.copy_from_slice(outputs);
    }
}

/// Values that are the means of distributions, given by the logits of returns on a support.
#[derive(Clone, Debug)]
pub struct CategoricalReader {
    support: Support,
    /// Number of distributions at once.
    most: usize,
    /// The return of each atom.
    returns: Vec<f32>,
    valued: SoftmaxRows,
    /// Number of distributions in the last call.
    valued_count: usize,
}

impl CategoricalReader {
    /// For `most` distributions at a time, rows × actions; larger inputs are processed in parts of that size.
    pub fn new(support: Support, most: usize, kernel: Kernel) -> Self {
        CategoricalReader {
            support,
            most,
            returns: (0..support.atoms).map(|atom| support.atom(atom)).collect(),
            valued: SoftmaxRows::new((most, support.atoms), kernel),
            valued_count: 0,
        }
    }

    /// The support of the distributions.
    pub fn support(&self) -> &Support {
        &self.support
    }

    /// The return of each atom.
    pub fn returns(&self) -> &[f32] {
        &self.returns
    }

    /// The distributions whose means [`Reader::q_values`] computed; `None` unless there were exactly `count` of them.
    #[inline]
    pub fn last(&self, count: usize) -> Option<&SoftmaxRows> {
        (self.valued_count == count).then_some(&self.valued)
    }
}

impl Reader for CategoricalReader {
    fn atoms(&self) -> usize {
        self.support.atoms
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        let atoms = self.support.atoms;
        assert_eq!(outputs.len(), q.len() * atoms, "outputs are rows × actions × atoms");
        // If there are more rows than in a batch, a batch at a time.
        let most = self.most;
        for (outputs, q) in outputs.chunks(most * atoms).zip(q.chunks_mut(most)) {
            self.valued.work_out(outputs, (0..q.len()).map(|row| row * atoms));
            self.valued.means(&self.returns, q);
        }
        self.valued_count = q.len();
    }
}

/// Values that are the means of this many quantiles.
#[derive(Clone, Copy, Debug)]
pub struct QuantileReader {
    /// Quantiles of each action.
    pub count: usize,
}

impl Reader for QuantileReader {
    fn atoms(&self) -> usize {
        self.count
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        let count = self.count;
        assert_eq!(outputs.len(), q.len() * count, "outputs are rows × actions × quantiles");
        for (q, quantiles) in q.iter_mut().zip(outputs.chunks_exact(count)) {
            *q = lanes::sum(quantiles) / count as f32;
        }
    }
}

/// Values that are the means over the fractions at which the network was evaluated.
#[derive(Clone, Copy, Debug)]
pub struct ImplicitQuantileReader {
    /// Actions of the environment.
    pub actions: usize,
}

impl Reader for ImplicitQuantileReader {
    fn atoms(&self) -> usize {
        1
    }

    /// The mean over the fractions, which are added in increasing order.
    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        let actions = self.actions;
        assert!(q.len().is_multiple_of(actions), "q is rows × actions");
        assert!(!q.is_empty() && outputs.len().is_multiple_of(q.len()), "outputs are (rows × fractions) × actions");
        let fractions = outputs.len() / q.len();
        for (q, outputs) in q.chunks_exact_mut(actions).zip(outputs.chunks_exact(actions * fractions)) {
            q.fill(0.0);
            for values in outputs.chunks_exact(actions) {
                q.iter_mut().zip(values).for_each(|(q, value)| *q += value);
            }
            q.iter_mut().for_each(|q| *q /= fractions as f32);
        }
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
