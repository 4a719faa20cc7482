//! [`Learned`], the results of updates.

use thiserror::Error;

use super::Statistics;

/// The results of one or more updates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Learned {
    /// Number of updates.
    pub updates: u64,
    /// Sum of the updates' mean losses.
    pub loss_sum: f64,
    /// Sum of the updates' means of q(s, a) for the actions taken.
    pub q_sum: f64,
    /// Other statistics.
    pub statistics: Statistics,
}

/// A number in learning that is NaN or infinite.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("{site} is {value}")]
pub struct LearningFault {
    /// Where: `loss`, `mean q`, `gradient` or `weight`.
    pub site: &'static str,
    /// The number.
    pub value: f32,
}

impl Learned {
    /// The results of one update: the mean loss of its batch and the mean q(s, a), both before the step.
    pub(crate) fn update(loss: f32, mean_q: f32) -> Result<Self, LearningFault> {
        let faulty = [("loss", loss), ("mean q", mean_q)].into_iter().find(|(_, value)| !value.is_finite());
        if let Some((site, value)) = faulty {
            return Err(LearningFault { site, value });
        }
        let (loss_sum, q_sum) = (f64::from(loss), f64::from(mean_q));
        Ok(Learned { updates: 1, loss_sum, q_sum, ..Learned::default() })
    }

    /// Adds another report to this one.
    pub fn add(&mut self, other: Learned) {
        self.updates += other.updates;
        self.loss_sum += other.loss_sum;
        self.q_sum += other.q_sum;
        if other.updates > 0 {
            self.statistics.add(&other.statistics);
        }
    }
}
