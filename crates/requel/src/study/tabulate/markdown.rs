//! Figures and tables as Markdown.

use std::fmt::Write as _;

use crate::stats::{self, Bootstrap, Estimate, Interval, LEAST_RUNS};

/// What is shown if there is no figure.
pub const NONE: &str = "–";

/// A table.
pub fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), " --- |".repeat(header.len()));
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// A figure, or a dash if there is none.
pub fn figure(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| NONE.into(), |value| format!("{value:.decimals$}"))
}

/// The mean of a sample with its 95 % bootstrap interval, which too few seeds do not have; `None` if there is no sample.
pub fn mean_estimate(sample: &[f64]) -> Option<Estimate> {
    let mean = |sample: &[f64]| stats::mean(sample).unwrap_or(f64::NAN);
    let enough = sample.len() >= LEAST_RUNS;
    let interval = enough.then(|| Bootstrap::default().interval(&[sample], mean)).flatten();
    Some(Estimate { value: stats::mean(sample)?, interval })
}

/// An estimate with its interval if it has one; a dash if there is no estimate.
pub fn estimate(estimate: Option<Estimate>, decimals: usize) -> String {
    match estimate {
        Some(Estimate { value, interval: Some(Interval { low, high }) }) => {
            format!("{value:.decimals$} [{low:.decimals$}, {high:.decimals$}]")
        }
        estimate => figure(estimate.map(|estimate| estimate.value), decimals),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_one_column_per_header() {
        let text = table(&["a".into(), "b".into()], &[vec!["1".into(), "2".into()]]);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }

    #[test]
    fn a_mean_of_few_has_no_interval_and_a_missing_figure_is_a_dash() {
        assert_eq!(estimate(mean_estimate(&[1.0, 2.0, 6.0]), 1), "3.0");
        let five = estimate(mean_estimate(&[0.0, 1.0, 2.0, 3.0, 9.0]), 1);
        assert!(five.starts_with("3.0 [0.") || five.starts_with("3.0 [1."), "{five}");
        assert_eq!(estimate(mean_estimate(&[]), 1), "–");
        assert_eq!(figure(None, 1), "–");
    }
}
