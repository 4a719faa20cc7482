//! Statistics of a batch and its loss.

use super::{Statistic, Statistics, ValueLoss};

/// Room for sorting the TD errors of a batch.
pub(super) struct BatchMeasure {
    errors: Vec<f32>,
}

impl BatchMeasure {
    /// For batches of this many rows.
    pub fn new(rows: usize) -> Self {
        BatchMeasure { errors: vec![0.0; rows] }
    }

    /// Records the quantiles of the TD errors of the last batch of `loss`, and the largest magnitude in `values`.
    pub fn record(&mut self, loss: &dyn ValueLoss, values: &[f32], statistics: &mut Statistics) {
        self.errors.copy_from_slice(loss.td_errors());
        self.errors.sort_unstable_by(f32::total_cmp);
        let last = self.errors.len() - 1;
        for (statistic, tenths) in
            [(Statistic::TdErrorMedian, 5), (Statistic::TdErrorP90, 9), (Statistic::TdErrorMax, 10)]
        {
            // The quantile's position is rounded up: of two candidates, the greater.
            statistics.record(statistic, f64::from(self.errors[(last * tenths).div_ceil(10)]));
        }
        record_largest(values, statistics);
    }
}

/// Records the largest magnitude among the values of actions, if there is one.
pub(super) fn record_largest(values: &[f32], statistics: &mut Statistics) {
    // Actions that are not allowed have the value −∞.
    let magnitudes = values.iter().filter(|value| value.is_finite()).map(|value| value.abs());
    if let Some(largest) = magnitudes.max_by(f32::total_cmp) {
        statistics.record(Statistic::LargestQ, f64::from(largest));
    }
}
