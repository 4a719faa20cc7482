//! `results/family.md`: the family of algorithms side by side on CartPole-v1.

use anyhow::Result;
use requel::stats::{highest, median};

use super::page::{Page, figure, iqm_with_interval, pinning, table};
use super::record::Record;
use super::seeds::{Configuration, SeedRun};
use crate::workspace;

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
    let mut page = Page::new("family", "The family of algorithms on CartPole-v1", range.clone(), &pinning(jobs))?;
    let mut rows = Vec::new();
    let mut record = Record::open("family")?;
    record.complete(&binary, &FAMILY, &range, jobs)?;
    for configuration in &FAMILY {
        let runs = record.of(configuration, &range);
        page.record(configuration, &runs);
        rows.push(row(&configuration.name, &runs));
    }
    page.add("Each run: `requel train CartPole-v1 --preset NAME --seed S --json --run-dir DIR`");
    let header = [
        "preset",
        "solved",
        "final return, IQM",
        "env steps (median)",
        "updates (median)",
        "process s (median)",
        "process s (longest)",
    ];
    page.add(&table(&header, &rows));
    page.add(
        "*solved*: the best policy kept, greedy, has a mean return of 500.0 over 100 fresh episodes. *final return*: the \
         same evaluation of the policy at the end of training, interquartile mean over seeds with its 95 % bootstrap \
         interval (Agarwal et al. 2021). *env steps*: training stops early once a few evaluations in a row are at 500, \
         else at the budget of the preset. *process s*: by the clock, so other work of the machine counts in it. An environment as easy as this one cannot rank the algorithms; the table shows that \
         each works.",
    );
    page.add(
        "How the presets were chosen: their numbers on seeds from 1000 on. One exception: with `stop_after = 3` a first run \
         over seeds 0 to 19 gave `dqn` 19 and `dueling-dqn` 18, each miss at 490 to 495, upon which dqn, dueling-dqn, n-step-dqn, \
         noisy-dqn, munchausen-dqn, iqn and rainbow got five scores in a row in place of three.",
    );
    page.write()
}

fn row(name: &str, runs: &[SeedRun]) -> Vec<String> {
    let solved = runs.iter().filter(|run| is_solved(run)).count();
    let last: Vec<f64> =
        runs.iter().filter_map(|run| run.finished.final_evaluation.map(|evaluation| evaluation.mean)).collect();
    let of = |value: fn(&SeedRun) -> f64| -> Vec<f64> { runs.iter().map(value).collect() };
    let seconds = of(|run| run.process_seconds);
    vec![
        format!("`{name}`"),
        format!("{solved} of {}", runs.len()),
        iqm_with_interval(&last, 1),
        figure(median(&of(|run| run.finished.env_steps as f64)), 0),
        figure(median(&of(|run| run.finished.updates as f64)), 0),
        figure(median(&seconds), 2),
        figure(highest(&seconds), 2),
    ]
}

fn is_solved(run: &SeedRun) -> bool {
    run.finished.best_evaluation.is_some_and(|best| best.mean >= HIGHEST_RETURN)
}

#[cfg(test)]
mod tests {
    use requel::config::presets;

    use super::*;
    use crate::results::finished::{Evaluation, Finished};

    fn run(seed: u64, best: f64, last: f64) -> SeedRun {
        let evaluation = |mean| Some(Evaluation { mean, std: 0.0, episodes: 100 });
        let finished = Finished {
            env_steps: 1000 * (seed + 1),
            updates: 10,
            episodes: 5,
            wall_seconds: 1.0,
            train_return_last_100: None,
            best_evaluation: evaluation(best),
            final_evaluation: evaluation(last),
            failed: None,
            weights_blake3: "ab".into(),
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
    fn a_row_counts_by_the_best_policy_and_averages_the_last() {
        let runs: Vec<SeedRun> = [500.0, 499.9, 500.0, 500.0, 500.0]
            .into_iter()
            .enumerate()
            .map(|(seed, best)| run(seed as u64, best, 400.0))
            .collect();
        assert_eq!(row("x", &runs), ["`x`", "4 of 5", "400.0 [400.0, 400.0]", "3000", "10", "3.00", "5.00"]);
        // Of three runs no interval is claimed.
        assert_eq!(row("x", &runs[..3]), ["`x`", "2 of 3", "400.0", "2000", "10", "2.00", "3.00"]);
    }
}
