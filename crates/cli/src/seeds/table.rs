//! The table of runs that differ in nothing but their seeds.

use std::io::{self, Write};
use std::time::Duration;

use requel::stats::{Bootstrap, Interval, interquartile_mean};
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
    /// Its 95 % interval.
    #[serde(flatten)]
    pub interval: Interval,
}

impl Middle {
    /// Of a figure over runs; `None` where there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let statistic = |sample: &[f64]| interquartile_mean(sample).unwrap_or(f64::NAN);
        let interval = Bootstrap::default().interval(&[values], statistic)?;
        Some(Middle { interquartile_mean: interquartile_mean(values)?, interval })
    }
}

/// The scores of the best and of the final policies of finished runs.
pub fn scores(records: &[RunRecord]) -> (Vec<f64>, Vec<f64>) {
    let summaries = || records.iter().filter_map(|record| record.summary.as_ref());
    let best = summaries().map(|summary| summary.best_evaluation.mean_return).collect();
    (best, summaries().map(|summary| summary.final_evaluation.mean_return).collect())
}

/// Writes a row per run and what they come to together.
///
/// # Errors
/// What the writer returns.
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
        if let Some(Middle { interquartile_mean, interval: Interval { low, high } }) = Middle::of(values) {
            writeln!(
                out,
                "{name:<13} {} {}",
                paint(GOOD, format_args!("{} [{}, {}]", tidy(interquartile_mean), tidy(low), tidy(high))),
                paint(MUTED, format_args!("interquartile mean and 95 % interval over {} seeds", values.len()))
            )?;
        }
    }
    Ok(())
}
