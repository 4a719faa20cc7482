//! The table of runs that differ only in their seeds.

use std::io::{self, Write};
use std::time::Duration;

use requel::stats::{Bootstrap, Estimate, Interval, LEAST_RUNS, coverage};
use requel::study::RunRecord;
use serde::Serialize;

use crate::numbers::{duration, grouped};
use crate::show::tidy;
use crate::style::{GOOD, MUTED, paint};
use crate::table::Table;

/// The interquartile mean of a figure over runs, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Middle {
    /// The interquartile mean.
    pub interquartile_mean: f64,
    /// The lower end of its 95 % interval; `None` if there are too few runs for one.
    pub low: Option<f64>,
    /// The upper end, likewise.
    pub high: Option<f64>,
}

impl Middle {
    /// For a figure over runs; `None` if there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let Estimate { value, interval } = Estimate::interquartile_mean(values, &Bootstrap::default())?;
        let ends = |end: fn(Interval) -> f64| interval.map(end);
        Some(Middle { interquartile_mean: value, low: ends(|i| i.low), high: ends(|i| i.high) })
    }
}

/// The scores of the best and of the final policies of finished runs.
pub fn scores(records: &[RunRecord]) -> (Vec<f64>, Vec<f64>) {
    let summaries = || records.iter().filter_map(|record| record.summary.as_ref());
    let best = summaries().map(|summary| summary.best_evaluation.mean_return).collect();
    (best, summaries().map(|summary| summary.final_evaluation.mean_return).collect())
}

/// Writes a row per run and the results over all runs.
///
/// # Errors
/// The error of the writer.
pub fn write(out: &mut impl Write, records: &[RunRecord]) -> io::Result<()> {
    let mut table =
        Table::new(&[">seed", ">best policy", ">final policy", ">last 100", ">env steps", ">time", "weights"]);
    for record in records {
        let seed = record.config.train.seed.to_string();
        let Some(summary) = &record.summary else {
            table.row([seed, "unfinished".into()]);
            continue;
        };
        table.row([
            seed,
            tidy(summary.best_evaluation.mean_return),
            tidy(summary.final_evaluation.mean_return),
            summary.train_return_last_100.map_or("-".into(), tidy),
            grouped(summary.env_steps),
            record.wall_seconds.map_or("-".into(), |s| duration(Duration::from_secs_f64(s))),
            summary.weights_blake3[..8].to_owned(),
        ]);
    }
    table.write(out)?;
    let (best, last) = scores(records);
    writeln!(out)?;
    for (name, values) in [("best policy", &best), ("final policy", &last)] {
        let Some(middle) = Middle::of(values) else { continue };
        let value = tidy(middle.interquartile_mean);
        let (figure, what) = match (middle.low, middle.high) {
            (Some(low), Some(high)) => {
                (format!("{value} [{}, {}]", tidy(low), tidy(high)), "interquartile mean and 95 % interval")
            }
            _ => (value, "interquartile mean"),
        };
        let what = format!("{what} over {} seeds", values.len());
        writeln!(out, "{name:<13} {} {}", paint(GOOD, figure), paint(MUTED, what))?;
    }
    if let Some(doubt) = doubt(best.len()) {
        writeln!(out, "{}", paint(MUTED, doubt))?;
    }
    if let Some(first) = records.first() {
        writeln!(out, "{}", paint(MUTED, chosen_by(first)))?;
    }
    Ok(())
}

/// Why figures over this many seeds are uncertain, if they are.
fn doubt(seeds: usize) -> Option<String> {
    match coverage(seeds) {
        None => Some(format!("no interval for fewer than {LEAST_RUNS} seeds: use more to tell skill from luck")),
        Some(share) if share < 0.935 => Some(format!(
            "over {seeds} seeds, such an interval contains the true value in about {:.0} % of cases (simulated)",
            100.0 * share
        )),
        Some(_) => None,
    }
}

/// Why the best policy may score below the final one.
fn chosen_by(record: &RunRecord) -> String {
    format!(
        "the best policy was chosen by evaluations over {} episodes each; both scores are over fresh episodes",
        record.config.evaluation.episodes
    )
}
