//! [`Reader`]: from the outputs of a network to the values of actions.

use std::fmt::Debug;

use requel_nn::{Kernel, SoftmaxRows, lanes};

use crate::Support;

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
    /// Distributions at once.
    most: usize,
    /// The return of each atom.
    returns: Vec<f32>,
    valued: SoftmaxRows,
    /// How many distributions were last valued.
    valued_count: usize,
}

impl CategoricalReader {
    /// For `most` distributions at a time, rows × actions; more are read so many at a time.
    pub fn new(support: Support, most: usize, kernel: Kernel) -> Self {
        CategoricalReader {
            support,
            most,
            returns: (0..support.atoms).map(|atom| support.atom(atom)).collect(),
            valued: SoftmaxRows::new((most, support.atoms), kernel),
            valued_count: 0,
        }
    }

    /// What the distributions are over.
    pub fn support(&self) -> &Support {
        &self.support
    }

    /// The return of each atom.
    pub fn returns(&self) -> &[f32] {
        &self.returns
    }

    /// The distributions that [`Reader::q_values`] took the means of, `None` where it was not exactly `count` of them.
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
        // Of more rows than a batch has, a batch at a time.
        let most = self.most;
        for (outputs, q) in outputs.chunks(most * atoms).zip(q.chunks_mut(most)) {
            self.valued.work_out(outputs, (0..q.len()).map(|row| row * atoms));
            self.valued.means(&self.returns, q);
        }
        self.valued_count = q.len();
    }
}

/// Values that are the means of so many quantiles.
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

/// Values that are the means over the fractions that a network was asked for.
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
