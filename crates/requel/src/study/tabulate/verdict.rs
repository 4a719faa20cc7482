//! What the interval of a mean supports.

use crate::stats::{Estimate, Interval};

/// Whether scores are above random play, and at the goal: in each case by the whole interval.
pub fn learns(scores: Option<Estimate>, random: Interval, goal: Option<f64>) -> &'static str {
    match scores.and_then(|scores| scores.interval) {
        None => "too few runs",
        // A goal that random play reaches means nothing.
        Some(interval) if interval.low <= random.high => "not shown",
        Some(interval) if goal.is_some_and(|goal| interval.low >= goal) => "**learns, to the goal**",
        Some(_) => "learns",
    }
}

/// Whether scores are above or below a figure from another source.
pub fn beside(scores: Option<Estimate>, published: f64) -> &'static str {
    match scores.and_then(|scores| scores.interval) {
        None => "too few runs",
        Some(interval) if interval.low >= published => "higher, the whole interval",
        Some(interval) if interval.high < published => "lower, the whole interval",
        Some(_) => "within the interval",
    }
}

#[cfg(test)]
mod tests {
    use super::super::markdown::mean_estimate;
    use super::*;

    #[test]
    fn learning_needs_the_whole_interval() {
        let random = Interval { low: 20.0, high: 25.0 };
        let verdict = |scores: &[f64]| learns(mean_estimate(scores), random, Some(475.0));
        assert_eq!(verdict(&[500.0; 5]), "**learns, to the goal**");
        assert_eq!(verdict(&[500.0, 500.0, 500.0, 500.0, 400.0]), "learns");
        assert_eq!(verdict(&[9.0, 9.0, 9.0, 9.0, 500.0]), "not shown");
        assert_eq!(verdict(&[500.0; 4]), "too few runs");
        // No goal, nothing that reaches it.
        let scores = mean_estimate(&[500.0; 5]);
        assert_eq!(learns(scores, random, None), "learns");
        assert_eq!(learns(scores, Interval { low: 490.0, high: 510.0 }, Some(475.0)), "not shown");
    }

    #[test]
    fn a_figure_from_elsewhere_is_beaten_by_the_whole_interval() {
        let verdict = |scores: &[f64]| beside(mean_estimate(scores), -69.1);
        assert_eq!(verdict(&[-65.0; 5]), "higher, the whole interval");
        assert_eq!(verdict(&[-65.0, -66.0, -66.0, -67.0, -90.0]), "within the interval");
        assert_eq!(verdict(&[-75.0; 5]), "lower, the whole interval");
        assert_eq!(verdict(&[-65.0; 4]), "too few runs");
    }
}
