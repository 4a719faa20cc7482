//! [`SoftmaxRows`]: rows of logits as probabilities.

use crate::{Kernel, lanes, math};

/// Rows of logits and their softmax: computed once and used for values, losses and gradients. Sums have the order of [`math::exp_rows`].
#[derive(Clone, Debug)]
pub struct SoftmaxRows {
    kernel: Kernel,
    atoms: usize,
    /// Where each row starts among the logits.
    starts: Vec<usize>,
    /// Rows × atoms: `exp(logit − max)`, the row's softmax times its sum.
    powers: Vec<f32>,
    /// For each row: the largest logit.
    maxima: Vec<f32>,
    /// For each row: the sum of its powers.
    sums: Vec<f32>,
    /// For each row: the logarithm of the sum.
    logs: Vec<f32>,
    /// For each row: 0, for rows that all start there.
    zeros: (Vec<usize>, Vec<f32>),
}

impl SoftmaxRows {
    /// Room for this many rows of this many atoms.
    pub fn new((rows, atoms): (usize, usize), kernel: Kernel) -> Self {
        SoftmaxRows {
            kernel,
            atoms,
            starts: vec![0; rows],
            powers: vec![0.0; rows * atoms],
            maxima: vec![0.0; rows],
            sums: vec![0.0; rows],
            logs: vec![0.0; rows],
            zeros: (vec![0; rows], vec![0.0; rows]),
        }
    }

    /// Processes the rows of `logits` that start at `starts`.
    ///
    /// # Panics
    /// If there are more rows than there is room for, or one does not lie within the logits.
    pub fn work_out(&mut self, logits: &[f32], starts: impl Iterator<Item = usize>) {
        self.starts.clear();
        self.starts.extend(starts);
        let (rows, room) = (self.starts.len(), self.maxima.len());
        assert!(rows <= room, "{rows} rows where there is room for {room}");
        let of_rows = (&mut self.maxima[..rows], &mut self.sums[..rows]);
        math::exp_rows(self.kernel, self.atoms, (logits, &self.starts), &mut self.powers[..rows * self.atoms], of_rows);
    }

    /// `Σ_i softmax(logits)_i·z_i` of each row, to `means`: the powers are weighted before they are divided by their sum.
    ///
    /// # Panics
    /// If there is not one mean per row and one `z` per atom.
    pub fn means(&self, z: &[f32], means: &mut [f32]) {
        let rows = self.starts.len();
        let (starts, zeros) = (&self.zeros.0[..rows], &self.zeros.1[..rows]);
        math::dot_rows(self.kernel, self.atoms, &self.powers[..rows * self.atoms], (z, starts), zeros, means);
        means.iter_mut().zip(&self.sums).for_each(|(mean, sum)| *mean /= sum);
    }

    /// The softmax of a row, to `probabilities`.
    #[inline(always)]
    pub fn probabilities(&self, row: usize, probabilities: &mut [f32]) {
        let powers = &self.powers[row * self.atoms..][..self.atoms];
        let scale = 1.0 / self.sums[row];
        lanes::fill(probabilities, (powers, powers), |power, _| power * scale);
    }

    /// The cross-entropy `−Σ_i m_i·ln softmax(logits)_i` of each row, to `losses`, from the logits that [`SoftmaxRows::work_out`]
    /// was given (Bellemare, Dabney & Munos 2017, algorithm 1). `targets` is rows × atoms; each row of it sums to 1.
    ///
    /// # Panics
    /// If the lengths do not match.
    pub fn cross_entropies(&mut self, logits: &[f32], targets: &[f32], losses: &mut [f32]) {
        let rows = self.starts.len();
        math::dot_rows(self.kernel, self.atoms, targets, (logits, &self.starts), &self.maxima[..rows], losses);
        self.logs[..rows].copy_from_slice(&self.sums[..rows]);
        math::ln_all(self.kernel, &mut self.logs[..rows]);
        losses.iter_mut().zip(&self.logs).for_each(|(loss, log)| *loss = log - *loss);
    }

    /// `scale` times the gradient of a row's cross-entropy with respect to its logits, `softmax(logits) − m`, to `d_logits`.
    ///
    /// # Panics
    /// If the lengths are not those of a row.
    #[inline(always)]
    pub fn gradient(&self, row: usize, target: &[f32], (scale, d_logits): (f32, &mut [f32])) {
        let powers = &self.powers[row * self.atoms..][..self.atoms];
        let share = 1.0 / self.sums[row];
        lanes::fill(d_logits, (powers, target), |power, m| scale * (power * share - m));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_cross_entropy() {
        // Logits ln 1, ln 2, ln 1 (and 5 more, which softmax does not see): ¼, ½, ¼.
        let logits = [5.0, 5.0 + std::f32::consts::LN_2, 5.0];
        let mut rows = SoftmaxRows::new((1, 3), Kernel::fastest());
        rows.work_out(&logits, [0].into_iter());
        let (mut loss, mut d, target) = ([0.0], [0.0; 3], [0.5, 0.5, 0.0]);
        rows.cross_entropies(&logits, &target, &mut loss);
        rows.gradient(0, &target, (1.0, &mut d));
        // ½·ln 4 + ½·ln 2.
        assert!((loss[0] - 1.5 * std::f32::consts::LN_2).abs() < 1e-6, "{loss:?}");
        for (d, expected) in d.iter().zip([-0.25, 0.0, 0.25]) {
            assert!((d - expected).abs() < 1e-6, "{d} against {expected}");
        }
    }

    #[test]
    fn huge_logits_overflow_nothing() {
        let logits = [0.0, 0.0, 0.0, 1000.0, -1000.0, 0.0];
        let mut rows = SoftmaxRows::new((2, 3), Kernel::fastest());
        rows.work_out(&logits, [0, 3].into_iter());
        let (mut probabilities, mut means, mut losses) = ([0.0; 3], [0.0; 2], [0.0; 2]);
        rows.probabilities(1, &mut probabilities);
        rows.means(&[6.0, 0.0, 3.0], &mut means);
        rows.cross_entropies(&logits, &[0.0, 1.0, 0.0, 0.0, 1.0, 0.0], &mut losses);
        assert_eq!((probabilities, means, losses), ([1.0, 0.0, 0.0], [3.0, 6.0], [3f32.ln(), 2000.0]));
    }
}
