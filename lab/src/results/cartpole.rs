//! `results/cartpole.md`: is the final policy of the default preset right on CartPole-v1, on every seed, how fast, and does it stay
//! right when training goes on?

use std::path::Path;

use anyhow::{Context, Result};
use requel::stats::{highest, median, proportion_interval};
use serde_json::Value;

use super::page::{Page, figure, pinning, table};
use super::seeds::{Configuration, SeedRun};
use xtask::workspace;

/// The default of CartPole-v1, its final policy scored over a thousand episodes.
const DEFAULT: Configuration = Configuration::new(
    "cartpole",
    &["train", "CartPole-v1", "--set", "evaluation.final_episodes=1000", "--threads", "1"],
);

/// The same trained on.
const TRAINED_ON: Configuration = Configuration::new(
    "cartpole-trained-on",
    &["train", "CartPole-v1", "--set", "train.env_steps=200000", "--set", "evaluation.stop_after=0", "--threads", "1"],
);

/// The first seeds of the two tables. Tuning used 1000 to 1999 alone.
const FIRST_SEED: u64 = 20_000;
const FIRST_SEED_TRAINED_ON: u64 = 20_500;

/// The highest return there is: one per step, up to the time limit.
const HIGHEST_RETURN: f64 = 500.0;
/// The mean return at which CartPole-v1 counts as solved.
const GOAL: f64 = 475.0;
/// No value is above this: 1 / (1 − γ).
const HIGHEST_VALUE: f64 = 100.0;

/// Trains and writes the page; half as many runs are trained on.
///
/// # Errors
/// When the build or a run fails, or the page cannot be written.
pub fn write(seeds: u64, jobs: usize) -> Result<()> {
    let binary = workspace::release_binary()?;
    let range = FIRST_SEED..FIRST_SEED + seeds;
    let mut page = Page::new("cartpole", "CartPole-v1 with its default", range.clone(), &pinning(jobs))?;
    let runs = DEFAULT.train(&binary, range, jobs)?;
    page.record(&DEFAULT, &runs);
    page.add(&format!("Each run: `{}`", DEFAULT.shown()));
    let courses = runs.iter().map(|run| Course::read(&DEFAULT.run_dir(run.seed))).collect::<Result<Vec<_>>>()?;
    page.add(&summary(&runs, &courses));

    let longer = FIRST_SEED_TRAINED_ON..FIRST_SEED_TRAINED_ON + seeds.div_ceil(2);
    let first_and_last = (longer.start, longer.end - 1);
    let runs_on = TRAINED_ON.train(&binary, longer, jobs)?;
    page.record(&TRAINED_ON, &runs_on);
    let courses = runs_on.iter().map(|run| Course::read(&TRAINED_ON.run_dir(run.seed))).collect::<Result<Vec<_>>>()?;
    page.add("## Trained on");
    page.add(&format!(
        "The same without stopping, for 200,000 env steps, seeds {} to {}. Each run: `{}`",
        first_and_last.0,
        first_and_last.1,
        TRAINED_ON.shown()
    ));
    page.add(&trained_on(&runs_on, &courses));

    page.add("## Every run that stopped by itself");
    page.add(&by_seed(&runs));
    page.add(
        "*final policy*: mean return of the policy at the end of training over 1,000 fresh greedy episodes, and how many of them \
         ended before 500 steps. *confirmed*: the same of the 1,000 other episodes that training stopped for. *process*: seconds \
         from start to exit, the 1,000 episodes of the confirmation and of the last evaluation included.",
    );
    page.write()
}

/// What a run's log tells of its course.
#[derive(Debug, Default, PartialEq)]
struct Course {
    /// Env step and mean return of each evaluation.
    evaluations: Vec<(u64, f64)>,
    /// The largest mean Q of a line of the log.
    largest_mean_q: f64,
}

impl Course {
    fn read(run_dir: &Path) -> Result<Self> {
        let path = run_dir.join("metrics.jsonl");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::of(&text)
    }

    fn of(metrics: &str) -> Result<Self> {
        let mut course = Course { evaluations: Vec::new(), largest_mean_q: f64::NEG_INFINITY };
        for line in metrics.lines() {
            let line: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
            match line["event"].as_str() {
                Some("evaluation") => {
                    let (step, mean) = (line["env_steps"].as_u64(), line["mean_return"].as_f64());
                    course.evaluations.push(step.zip(mean).context("an evaluation without figures")?);
                }
                Some("train") => {
                    let mean_q = line["mean_q"].as_f64().unwrap_or(f64::NEG_INFINITY);
                    course.largest_mean_q = course.largest_mean_q.max(mean_q);
                }
                _ => {}
            }
        }
        Ok(course)
    }

    /// The share of the evaluations of the last half that reach the goal.
    fn late_share(&self) -> f64 {
        let last = self.evaluations.last().map_or(0, |(step, _)| *step);
        let late: Vec<f64> =
            self.evaluations.iter().filter(|(step, _)| 2 * step > last).map(|(_, mean)| *mean).collect();
        late.iter().filter(|mean| **mean >= GOAL).count() as f64 / late.len().max(1) as f64
    }
}

fn count_of(count: usize, of: usize) -> String {
    let interval = proportion_interval(count, of).map_or(String::new(), |interval| {
        format!(" (95 % interval {:.1} to {:.1} %)", 100.0 * interval.low, 100.0 * interval.high)
    });
    format!("**{count} of {of}**{interval}")
}

fn final_mean(run: &SeedRun) -> f64 {
    run.finished.final_evaluation.map_or(f64::NAN, |last| last.mean)
}

fn summary(runs: &[SeedRun], courses: &[Course]) -> String {
    let seconds: Vec<f64> = runs.iter().map(|run| run.process_seconds).collect();
    let steps: Vec<f64> = runs.iter().map(|run| run.finished.env_steps as f64).collect();
    let mean_q: Vec<f64> = courses.iter().map(|course| course.largest_mean_q).collect();
    let best = |run: &&SeedRun| run.finished.best_evaluation.is_some_and(|best| best.mean >= HIGHEST_RETURN);
    format!(
        "- Final policy's mean return over 1,000 fresh episodes is at least 499: {}\n\
         - Not one of the 1,000 fails (500.0): {}; of the best policy kept: {}\n\
         - Largest mean Q: {} (the rewards allow {HIGHEST_VALUE})\n\
         - Process time: median **{} s**, longest **{} s**\n\
         - Environment steps: median {}, most {}",
        count_of(runs.iter().filter(|run| final_mean(run) >= 499.0).count(), runs.len()),
        count_of(runs.iter().filter(|run| final_mean(run) >= HIGHEST_RETURN).count(), runs.len()),
        count_of(runs.iter().filter(best).count(), runs.len()),
        figure(highest(&mean_q), 1),
        figure(median(&seconds), 2),
        figure(highest(&seconds), 2),
        figure(median(&steps), 0),
        figure(highest(&steps), 0),
    )
}

fn trained_on(runs: &[SeedRun], courses: &[Course]) -> String {
    let shares: Vec<f64> = courses.iter().map(Course::late_share).collect();
    let mean_q: Vec<f64> = courses.iter().map(|course| course.largest_mean_q).collect();
    format!(
        "- At least 95 % of the evaluations of the last half reach {GOAL}: {}\n\
         - Their share, mean over the runs: {:.3}, least {:.3}\n\
         - Final policy's mean return over 100 fresh episodes is 500.0: {}; at least {GOAL}: {}\n\
         - Largest mean Q: {} (the rewards allow {HIGHEST_VALUE})",
        count_of(shares.iter().filter(|share| **share >= 0.95).count(), runs.len()),
        shares.iter().sum::<f64>() / shares.len().max(1) as f64,
        shares.iter().copied().fold(f64::INFINITY, f64::min),
        count_of(runs.iter().filter(|run| final_mean(run) >= HIGHEST_RETURN).count(), runs.len()),
        count_of(runs.iter().filter(|run| final_mean(run) >= GOAL).count(), runs.len()),
        figure(highest(&mean_q), 1),
    )
}

fn by_seed(runs: &[SeedRun]) -> String {
    let header = ["seed", "final policy", "confirmed", "env steps", "updates", "process s", "weights (BLAKE3)"];
    let row = |run: &SeedRun| {
        let confirmed =
            run.finished.failed.map_or_else(|| "–".into(), |(failed, of)| format!("{failed} of {of} failed"));
        vec![
            run.seed.to_string(),
            figure(run.finished.final_evaluation.map(|last| last.mean), 3),
            confirmed,
            run.finished.env_steps.to_string(),
            run.finished.updates.to_string(),
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
        let evaluation = Some(Evaluation { mean, std: 0.0, episodes: 1000 });
        let finished = Finished {
            env_steps: 1000 * (seed + 1),
            updates: 10,
            episodes: 5,
            wall_seconds: 1.0,
            train_return_last_100: None,
            best_evaluation: evaluation,
            final_evaluation: evaluation,
            failed: Some((0, 1000)),
            weights_blake3: "0123456789abcdef".into(),
        };
        SeedRun { seed, finished, process_seconds }
    }

    #[test]
    fn the_summary_counts_final_policies_with_an_interval() {
        let course = || Course { evaluations: vec![], largest_mean_q: 99.5 };
        let text =
            summary(&[run(0, 500.0, 2.0), run(1, 499.5, 6.0), run(2, 498.0, 3.0)], &[course(), course(), course()]);
        assert!(text.contains("at least 499: **2 of 3** (95 % interval 20.8 to 93.9 %)"), "{text}");
        assert!(text.contains("fails (500.0): **1 of 3**") && text.contains("Largest mean Q: 99.5"), "{text}");
        assert!(text.contains("median **3.00 s**, longest **6.00 s**"), "{text}");
    }

    #[test]
    fn the_late_share_is_of_the_last_half() {
        let metrics = "{\"event\":\"train\",\"env_steps\":1,\"mean_q\":null}\n\
                       {\"event\":\"train\",\"env_steps\":1,\"mean_q\":3.5}\n\
                       {\"event\":\"evaluation\",\"env_steps\":100,\"mean_return\":500.0}\n\
                       {\"event\":\"evaluation\",\"env_steps\":150,\"mean_return\":474.9}\n\
                       {\"event\":\"evaluation\",\"env_steps\":200,\"mean_return\":475.0}\n";
        let course = Course::of(metrics).unwrap();
        assert_eq!((course.late_share(), course.largest_mean_q), (0.5, 3.5));
    }

    #[test]
    fn the_table_shows_a_prefix_of_the_hash() {
        assert!(by_seed(&[run(0, 500.0, 2.0)]).contains("| 0 of 1000 failed | 1000 | 10 | 2.00 | `0123456789ab` |"));
    }
}
