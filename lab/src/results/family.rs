//! `results/family.md`: the family of algorithms side by side on CartPole-v1.

use std::ops::Range;

use anyhow::Result;
use requel::stats::{highest, median, proportion_interval};

use super::finished::Evaluation;
use super::page::{Page, estimate, figure, mean_estimate, pinning, table};
use super::record::Record;
use super::seeds::{Configuration, SeedRun};
use xtask::workspace;

/// The presets of the family. A configuration's arguments are known when this is compiled, so each is written out.
macro_rules! family {
    ($($name:literal)*) => {
        [$(Configuration::new($name, &["train", "CartPole-v1", "--preset", $name])),*]
    };
}

static FAMILY: [Configuration; 12] = family!(
    "dqn" "double-dqn" "dueling-dqn" "per-dqn" "n-step-dqn" "noisy-dqn" "c51" "qr-dqn" "iqn" "munchausen-dqn" "rainbow"
    "pqn"
);

/// The highest return there is: one per step, up to the time limit.
const HIGHEST_RETURN: f64 = 500.0;

/// The first of the seeds that this page is made with. Tuning used 1000 to 1999 alone.
const FIRST_SEED: u64 = 21_000;

/// Trains and writes the page.
///
/// # Errors
/// When the build or a run fails, or the page cannot be written.
pub fn write(seeds: u64, jobs: usize) -> Result<()> {
    let binary = workspace::release_binary()?;
    let range = FIRST_SEED..FIRST_SEED + seeds;
    let mut record = Record::open("family")?;
    page(&record, &range, jobs)?.write_quietly()?;
    let wanted: Vec<_> = FAMILY.iter().flat_map(|which| range.clone().map(move |seed| (which, seed))).collect();
    record.train(&binary, wanted, jobs, &mut |record, configuration| {
        if record.of(configuration, &range).len() as u64 == seeds {
            page(record, &range, jobs)?.write_quietly()?;
        }
        Ok(())
    })?;
    page(&record, &range, jobs)?.write()
}

fn page(record: &Record, range: &Range<u64>, jobs: usize) -> Result<Page> {
    let mut page = Page::new("family", "The family of algorithms on CartPole-v1", range.clone(), &pinning(jobs))?;
    let runs: Vec<Vec<SeedRun>> = FAMILY.iter().map(|configuration| record.of(configuration, range)).collect();
    let made: usize = runs.iter().map(Vec::len).sum();
    page.add(&format!(
        "{made} of {} runs so far. Each run: `requel train CartPole-v1 --preset NAME --seed S --json --run-dir DIR`",
        FAMILY.len() as u64 * (range.end - range.start)
    ));
    let mut rows = Vec::new();
    for (configuration, runs) in FAMILY.iter().zip(&runs).filter(|(_, runs)| !runs.is_empty()) {
        page.record(configuration, runs);
        rows.push(row(&configuration.name, runs));
    }
    let header = [
        "preset",
        "final policy",
        "final policy at 500.0",
        "best policy kept at 500.0",
        "env steps (median)",
        "updates (median)",
        "process s (median)",
        "process s (longest)",
    ];
    page.add(&table(&header, &rows));
    page.add(
        "*final policy*: mean over seeds of the mean return of the policy at the end of training, greedy, over 100 fresh episodes, with \
         its 95 % bootstrap interval over seeds. *at 500.0*: how many seeds have it on every one of these episodes, with the 95 % \
         interval of that share (Wilson); a hundred episodes cannot see a failure of one in two hundred. *best policy kept*: the same \
         of the policy chosen by the evaluations of training. *env steps*: training stops early once a few evaluations in a row are \
         at 500, else at the budget of the preset. *process s*: by the clock, so other work of the machine counts in it. An environment \
         as easy as this one cannot rank the algorithms.",
    );
    Ok(page)
}

fn row(name: &str, runs: &[SeedRun]) -> Vec<String> {
    let scores = |evaluation: fn(&SeedRun) -> Option<Evaluation>| -> Vec<f64> {
        runs.iter().filter_map(|run| Some(evaluation(run)?.mean)).collect()
    };
    let (last, best) = (scores(|run| run.finished.final_evaluation), scores(|run| run.finished.best_evaluation));
    let of = |value: fn(&SeedRun) -> f64| -> Vec<f64> { runs.iter().map(value).collect() };
    let seconds = of(|run| run.process_seconds);
    vec![
        format!("`{name}`"),
        estimate(mean_estimate(&last), 1),
        share(&last),
        share(&best),
        figure(median(&of(|run| run.finished.env_steps as f64)), 0),
        figure(median(&of(|run| run.finished.updates as f64)), 0),
        figure(median(&seconds), 2),
        figure(highest(&seconds), 2),
    ]
}

/// How many of the scores are the highest return there is.
fn share(scores: &[f64]) -> String {
    let count = scores.iter().filter(|score| **score >= HIGHEST_RETURN).count();
    match proportion_interval(count, scores.len()) {
        Some(interval) => {
            format!("{count} of {} [{:.0} %, {:.0} %]", scores.len(), 100.0 * interval.low, 100.0 * interval.high)
        }
        None => figure(None, 0),
    }
}

#[cfg(test)]
mod tests {
    use requel::config::presets;

    use super::*;
    use crate::results::finished::Finished;

    fn run(seed: u64, best: f64, last: f64) -> SeedRun {
        let evaluation = |mean| Some(Evaluation { mean, std: 0.0, episodes: 100 });
        let finished = Finished {
            env_steps: 1000 * (seed + 1),
            best_evaluation: evaluation(best),
            final_evaluation: evaluation(last),
            ..Finished::sample()
        };
        SeedRun { seed, finished, process_seconds: 1.0 + seed as f64 }
    }

    #[test]
    fn each_is_a_preset_named_once() {
        let mut names: Vec<&str> = FAMILY.iter().map(|configuration| configuration.name.as_ref()).collect();
        assert!(names.iter().all(|name| presets::get(name).is_some()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAMILY.len());
    }

    #[test]
    fn a_row_has_the_final_policy_first_and_every_share_its_interval() {
        let runs: Vec<SeedRun> = [500.0, 499.9, 500.0, 500.0, 500.0]
            .into_iter()
            .enumerate()
            .map(|(seed, best)| run(seed as u64, best, 400.0))
            .collect();
        let expected = ["`x`", "400.0 [400.0, 400.0]", "0 of 5 [0 %, 43 %]", "4 of 5 [38 %, 96 %]"];
        assert_eq!(row("x", &runs)[..4], expected);
        assert_eq!(row("x", &runs)[4..], ["3000", "10", "3.00", "5.00"]);
        // Of three runs no interval of the mean is claimed.
        assert_eq!(row("x", &runs[..3])[1], "400.0");
    }
}
