//! `results/cartpole.md`: does the default preset solve CartPole-v1, on every seed, and how fast?

use anyhow::Result;
use requel::stats::{highest, median};

use super::page::{Page, figure, pinning, table};
use super::seeds::{Configuration, SeedRun};
use crate::workspace;

/// The default preset of CartPole-v1.
const CARTPOLE: Configuration =
    Configuration { name: "cartpole", arguments: &["train", "CartPole-v1", "--preset", "cartpole"] };

/// The highest return there is: one per step, up to the time limit.
const HIGHEST_RETURN: f64 = 500.0;

/// What one run may take on one core, seconds (issue 2).
const SECONDS_ALLOWED: f64 = 5.0;

/// Trains and writes the page.
///
/// # Errors
/// When the build or a run fails, or the page cannot be written.
pub fn write(seeds: u64) -> Result<()> {
    let binary = workspace::release_binary()?;
    let mut page = Page::new("cartpole", "CartPole-v1 with the preset `cartpole`", seeds, &pinning(1))?;
    let runs = CARTPOLE.train(&binary, seeds, 1)?;
    page.record(CARTPOLE.name, &runs);
    page.add(&format!("Each run: `{}`", CARTPOLE.shown()));
    page.add(&summary(&runs));
    page.add(&by_seed(&runs));
    page.add(
        "*best evaluation*: mean ± standard deviation of the return of the best policy kept, greedy, over the number of fresh \
         episodes given. *training*: seconds as the program counts them; *process*: seconds from start to exit.",
    );
    page.write()
}

fn summary(runs: &[SeedRun]) -> String {
    let solved = runs.iter().filter(|run| is_solved(run)).count();
    let seconds: Vec<f64> = runs.iter().map(|run| run.process_seconds).collect();
    let steps: Vec<f64> = runs.iter().map(|run| run.finished.env_steps as f64).collect();
    let slow = seconds.iter().filter(|&&seconds| seconds > SECONDS_ALLOWED).count();
    format!(
        "- Best policy's evaluation is {HIGHEST_RETURN:.1}: **{solved} of {}** seeds\n\
         - Process time: median **{} s**, longest **{} s**; over {SECONDS_ALLOWED} s: {slow}\n\
         - Environment steps: median {}, most {}",
        runs.len(),
        figure(median(&seconds), 2),
        figure(highest(&seconds), 2),
        figure(median(&steps), 0),
        figure(highest(&steps), 0),
    )
}

fn is_solved(run: &SeedRun) -> bool {
    run.finished.best_evaluation.is_some_and(|best| best.mean >= HIGHEST_RETURN)
}

fn by_seed(runs: &[SeedRun]) -> String {
    let header =
        ["seed", "best evaluation", "episodes", "env steps", "updates", "training s", "process s", "weights (BLAKE3)"];
    let row = |run: &SeedRun| {
        let best = run.finished.best_evaluation;
        vec![
            run.seed.to_string(),
            format!("{} ± {}", figure(best.map(|best| best.mean), 1), figure(best.map(|best| best.std), 1)),
            best.map_or_else(|| "–".into(), |best| best.episodes.to_string()),
            run.finished.env_steps.to_string(),
            run.finished.updates.to_string(),
            format!("{:.2}", run.finished.wall_seconds),
            format!("{:.2}", run.process_seconds),
            format!("`{}`", run.finished.weights_blake3.chars().take(12).collect::<String>()),
        ]
    };
    table(&header, &runs.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::finished::{Evaluation, Finished};

    fn run(seed: u64, mean: f64, process_seconds: f64) -> SeedRun {
        let finished = Finished {
            env_steps: 1000 * (seed + 1),
            updates: 10,
            episodes: 5,
            wall_seconds: 1.0,
            train_return_last_100: None,
            best_evaluation: Some(Evaluation { mean, std: 0.0, episodes: 100 }),
            final_evaluation: None,
            weights_blake3: "0123456789abcdef".into(),
        };
        SeedRun { seed, finished, process_seconds }
    }

    #[test]
    fn the_summary_counts_what_is_solved_and_what_is_slow() {
        let text = summary(&[run(0, 500.0, 2.0), run(1, 499.99, 6.0), run(2, 500.0, 3.0)]);
        assert!(text.contains("**2 of 3** seeds"), "{text}");
        assert!(text.contains("median **3.00 s**, longest **6.00 s**; over 5 s: 1"), "{text}");
        assert!(text.contains("Environment steps: median 2000, most 3000"), "{text}");
    }

    #[test]
    fn the_table_shows_a_prefix_of_the_hash() {
        assert!(by_seed(&[run(0, 500.0, 2.0)]).contains("| `0123456789ab` |"));
    }
}
