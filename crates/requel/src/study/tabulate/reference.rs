//! [`Reference`]: others' runs, of which a few order statistics are known.

use serde::Deserialize;

use super::markdown::{NONE, figure, table};
use super::{Column, Figure, Statistic};
use crate::stats::{KnownQuantile, Placement, median};

/// Known results of other people's runs of the same algorithm.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Reference {
    /// The variant that is compared with it.
    pub variant: String,
    /// The figure that it is about.
    #[serde(default)]
    pub of: Figure,
    /// The number of runs that it covers.
    pub runs: usize,
    /// The known quantiles: a level from 0 (lowest) to 1 (highest) and its value.
    pub quantiles: Vec<(f64, f64)>,
}

/// How far our median may be from the reference's, as a fraction of it.
const MEDIAN_TOLERANCE: f64 = 0.15;

/// The level at which a test rejects.
const SIGNIFICANCE: f64 = 0.05;

impl Reference {
    /// Its cells in such columns.
    pub(super) fn row(&self, columns: &[Column]) -> Vec<String> {
        let known = |level: f64| self.quantiles.iter().find(|known| known.0 == level).map(|known| known.1);
        let shown = |level: f64| figure(known(level), 0);
        let cell = |column: &Column| match column.show {
            Statistic::Runs => self.runs.to_string(),
            _ if column.of != self.of => NONE.into(),
            Statistic::Median => shown(0.5),
            Statistic::Quartiles => format!("{} – {}", shown(0.25), shown(0.75)),
            Statistic::Range => format!("{} – {}", shown(0.0), shown(1.0)),
            // All of them fall short if the highest does.
            Statistic::Share if column.at_least.zip(known(1.0)).is_some_and(|(least, high)| high < least) => "0".into(),
            _ => NONE.into(),
        };
        columns.iter().map(cell).collect()
    }

    /// Our runs compared with it: Mathisen's test at each known quantile, and the medians.
    pub(super) fn comparison(&self, sample: &[f64]) -> String {
        let place = |&(level, value): &(f64, f64)| {
            Some((level, value, KnownQuantile { size: self.runs, level, value }.placement(sample)?))
        };
        let placements: Vec<(f64, f64, Placement)> = self.quantiles.iter().filter_map(place).collect();
        let row = |(level, value, placement): &(f64, f64, Placement)| {
            vec![
                level_name(*level),
                format!("{value:.0}"),
                format!("{} of {}", placement.below, sample.len()),
                format!("{:.1}", placement.expected),
                format!("{:.3}", placement.p_value),
            ]
        };
        let header = ["reference's", "value", "ours below", "expected", "p"].map(String::from);
        let smallest = placements.iter().map(|(.., placement)| placement.p_value).fold(1.0, f64::min);
        format!(
            "## {} against its reference\n\n{}\n{}\n{}\n",
            self.variant,
            table(&header, &placements.iter().map(row).collect::<Vec<_>>()),
            self.median_verdict(sample),
            rank_verdict(smallest, placements.len()),
        )
    }

    fn median_verdict(&self, sample: &[f64]) -> String {
        let theirs = self.quantiles.iter().find(|known| known.0 == 0.5).map(|known| known.1);
        let (Some(ours), Some(theirs)) = (median(sample), theirs) else { return "- Medians: not comparable".into() };
        let difference = ours / theirs - 1.0;
        let verdict = if difference.abs() <= MEDIAN_TOLERANCE { "within" } else { "**outside**" };
        format!("- Medians: ours {ours:.1}, reference {theirs:.0}: {:+.1} %, {verdict} ±15 %", 100.0 * difference)
    }
}

fn rank_verdict(smallest: f64, tests: usize) -> String {
    let adjusted = (smallest * tests as f64).min(1.0);
    let verdict = if adjusted < SIGNIFICANCE { "**rejects**" } else { "does not reject" };
    format!(
        "- Rank tests: smallest p {smallest:.3} of {tests}, adjusted {adjusted:.3}: {verdict} that both are one distribution"
    )
}

fn level_name(level: f64) -> String {
    match level {
        0.0 => "lowest".into(),
        0.25 => "lower quartile".into(),
        0.5 => "median".into(),
        0.75 => "upper quartile".into(),
        1.0 => "highest".into(),
        level => format!("{level} quantile"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(quantiles: &[(f64, f64)]) -> Reference {
        Reference { variant: "x".into(), of: Figure::Training, runs: 27, quantiles: quantiles.to_vec() }
    }

    #[test]
    fn the_median_is_judged_on_both_sides() {
        let verdict = |sample: &[f64]| reference(&[(0.5, 200.0)]).median_verdict(sample);
        assert!(verdict(&[230.0]).contains("+15.0 %, within"));
        assert!(verdict(&[231.0]).contains("+15.5 %, **outside**"));
        assert!(verdict(&[169.0]).contains("-15.5 %, **outside**"));
        assert!(verdict(&[]).contains("not comparable"));
    }

    #[test]
    fn the_rank_verdict_counts_its_tests() {
        assert!(rank_verdict(0.02, 5).contains("adjusted 0.100: does not reject"));
        assert!(rank_verdict(0.002, 5).contains("adjusted 0.010: **rejects**"));
    }

    #[test]
    fn a_comparison_has_a_row_for_each_known_quantile() {
        let sample: Vec<f64> = (0..20).map(|index| 150.5 + 5.0 * f64::from(index)).collect();
        let text = reference(&[(0.0, 138.0), (0.5, 195.0), (1.0, 378.0)]).comparison(&sample);
        for row in ["| lowest | 138 | 0 of 20 |", "| median | 195 | 9 of 20 | 10.0 |", "| highest | 378 | 20 of 20 |"] {
            assert!(text.contains(row), "{text}");
        }
    }

    #[test]
    fn a_row_has_what_is_known() {
        let column = |show, of| Column { show, of, at_least: Some(475.0), ..Column::default() };
        let columns = [
            column(Statistic::Runs, Figure::Final),
            column(Statistic::Quartiles, Figure::Training),
            column(Statistic::Range, Figure::Training),
            column(Statistic::Median, Figure::Final),
            column(Statistic::Share, Figure::Training),
        ];
        let row = reference(&[(0.0, 138.0), (0.25, 172.0), (1.0, 378.0)]).row(&columns);
        assert_eq!(row, ["27", "172 – –", "138 – 378", "–", "0"]);
    }
}
