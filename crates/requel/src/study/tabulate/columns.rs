//! The cells of a row: what each column shows of some runs.

use super::markdown::{NONE, estimate, figure, mean_estimate};
use super::verdict;
use super::{Column, Figure, Statistic};
use crate::stats::{highest, lowest, mean, median, proportion_interval, quantile};
use crate::study::{RandomPlay, RunRow, TaskSpec};

/// What the cells need to know about an environment.
pub struct Context<'a> {
    /// Its settings in the study.
    pub task: Option<&'a TaskSpec>,
    /// The target return.
    pub aim: Option<f64>,
    /// Random play in it, if a column needs it.
    pub random: Option<RandomPlay>,
}

/// The cell of a column.
pub fn cell(column: &Column, rows: &[RunRow], context: &Context<'_>) -> String {
    let sample: Vec<f64> = rows.iter().filter_map(|run| column.of.of(run)).collect();
    let decimals = decimals(column, context);
    let plain = |value| figure(value, decimals);
    match column.show {
        Statistic::Mean => estimate(mean_estimate(&sample), decimals),
        Statistic::PlainMean => plain(mean(&sample)),
        Statistic::Median => plain(median(&sample)),
        Statistic::Lowest => plain(lowest(&sample)),
        Statistic::Highest => plain(highest(&sample)),
        Statistic::Quartiles => format!("{} – {}", plain(quantile(&sample, 0.25)), plain(quantile(&sample, 0.75))),
        Statistic::Range => format!("{} – {}", plain(lowest(&sample)), plain(highest(&sample))),
        Statistic::Share => share(column, &sample, context),
        Statistic::Runs => rows.len().to_string(),
        Statistic::Aim => context.aim.map_or_else(|| NONE.into(), |aim| format!("≥ {aim}")),
        Statistic::Published => published(column, context).join(", "),
        Statistic::BesidePublished => {
            let figures = published(column, context).into_iter().filter_map(|text| text.parse().ok());
            match figures.reduce(f64::max) {
                Some(best) => verdict::beside(mean_estimate(&sample), best).into(),
                None => NONE.into(),
            }
        }
        Statistic::Learns => match context.random {
            Some(random) => verdict::learns(mean_estimate(&sample), random.interval, context.aim).into(),
            None => NONE.into(),
        },
        Statistic::Value => match rows {
            [run] => value(column, run, decimals),
            _ => NONE.into(),
        },
        Statistic::Weights => match rows {
            [run] => format!("`{}`", run.weights_blake3.chars().take(12).collect::<String>()),
            _ => NONE.into(),
        },
    }
}

/// The number of decimals in a column.
fn decimals(column: &Column, context: &Context<'_>) -> usize {
    let of_env = context.task.and_then(|task| task.decimals).filter(|_| column.of.is_return());
    column.decimals.or(of_env).unwrap_or(column.of.decimals())
}

fn share(column: &Column, sample: &[f64], context: &Context<'_>) -> String {
    let Some(least) = column.at_least.or(context.aim) else { return NONE.into() };
    let count = sample.iter().filter(|value| **value >= least).count();
    let decimals = column.decimals.unwrap_or(0);
    match proportion_interval(count, sample.len()) {
        Some(interval) => format!(
            "{count} of {} [{:.decimals$} %, {:.decimals$} %]",
            sample.len(),
            100.0 * interval.low,
            100.0 * interval.high
        ),
        None => NONE.into(),
    }
}

fn published(column: &Column, context: &Context<'_>) -> Vec<String> {
    let of = |name: &String| context.task.and_then(|task| task.published.get(name)).cloned();
    column.published.iter().map(|name| of(name).unwrap_or_else(|| NONE.into())).collect()
}

fn value(column: &Column, run: &RunRow, decimals: usize) -> String {
    let score = match column.of {
        Figure::Final => run.last,
        Figure::Best => run.best,
        Figure::ConfirmationFailed => {
            return match run.more.and_then(|more| more.confirmation) {
                Some((failed, of)) => format!("{failed} of {of}"),
                None => NONE.into(),
            };
        }
        of => return figure(of.of(run), decimals),
    };
    score.map_or_else(|| NONE.into(), |score| format!("{:.decimals$} ± {:.decimals$}", score.mean, score.std))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::RowScore;

    fn run(last: f64) -> RunRow {
        let score = RowScore { mean: last, std: 1.5, episodes: 100 };
        RunRow { last: Some(score), env_steps: 1000, weights_blake3: "0123456789abcdef".into(), ..RunRow::default() }
    }

    fn shown(show: Statistic, scores: &[f64], context: &Context<'_>) -> String {
        let column = Column { show, published: vec!["a".into(), "b".into()], ..Column::default() };
        cell(&column, &scores.iter().map(|score| run(*score)).collect::<Vec<_>>(), context)
    }

    #[test]
    fn each_statistic_by_hand() {
        let published = [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "-69.1".to_owned())].into();
        let task = TaskSpec { decimals: Some(2), published, ..TaskSpec::default() };
        let context = Context { task: Some(&task), aim: Some(3.0), random: None };
        let scores = [1.0, 2.0, 3.0, 4.0];
        for (show, expected) in [
            (Statistic::Mean, "2.50"),
            (Statistic::PlainMean, "2.50"),
            (Statistic::Median, "2.50"),
            (Statistic::Lowest, "1.00"),
            (Statistic::Highest, "4.00"),
            (Statistic::Quartiles, "1.75 – 3.25"),
            (Statistic::Range, "1.00 – 4.00"),
            (Statistic::Share, "2 of 4 [15 %, 85 %]"),
            (Statistic::Runs, "4"),
            (Statistic::Aim, "≥ 3"),
            (Statistic::Published, "2, -69.1"),
            (Statistic::BesidePublished, "too few runs"),
            (Statistic::Learns, "–"),
            (Statistic::Value, "–"),
        ] {
            assert_eq!(shown(show, &scores, &context), expected, "{show:?}");
        }
        assert_eq!(shown(Statistic::Value, &[1.0], &context), "1.00 ± 1.50");
        assert_eq!(shown(Statistic::Weights, &[1.0], &context), "`0123456789ab`");
        assert_eq!(shown(Statistic::BesidePublished, &[3.0; 5], &context), "higher, the whole interval");
    }

    #[test]
    fn without_runs_or_an_aim_there_are_dashes() {
        let context = Context { task: None, aim: None, random: None };
        for show in [Statistic::Mean, Statistic::Share, Statistic::Aim, Statistic::BesidePublished] {
            assert_eq!(shown(show, &[], &context), "–", "{show:?}");
        }
        assert_eq!(shown(Statistic::Share, &[1.0], &context), "–");
    }
}
