//! `results/environments.md`: what the default presets of small environments learn, beside published figures.

use anyhow::Result;
use requel::stats::{highest, lowest, median, proportion_interval};

use super::finished::Evaluation;
use super::page::{Page, estimate, figure, mean_estimate, pinning, table};
use super::record::Record;
use super::seeds::{Configuration, SeedRun};
use xtask::workspace;

/// An environment, the return that its preset is to reach, and who else has reached what.
struct Environment {
    configuration: Configuration,
    /// Mean return of the final policy that counts as learned (issue 5).
    aim: f64,
    /// The decimals that its returns are shown with.
    decimals: usize,
    /// A figure from elsewhere.
    published: &'static str,
    /// Where that is from, and what is to be known about ours beside it.
    remark: &'static str,
}

static ENVS: [Environment; 5] = [
    Environment {
        configuration: Configuration::new("mountaincar", &["train", "MountainCar-v0"]),
        aim: -105.0,
        decimals: 1,
        published: "-100.8 ± 9.9",
        remark: "RL Baselines3 Zoo, DQN after 120 000 frames, mean ± standard deviation over episodes of one agent. \
                 Ours chooses anew only every sixth frame (`env.action_repeat = 6`, without which ε-greedy exploration \
                 seldom meets the goal), so an env step of ours is six frames; returns count frames on both sides.",
    },
    Environment {
        configuration: Configuration::new("acrobot", &["train", "Acrobot-v1"]),
        aim: -85.0,
        decimals: 1,
        published: "-76.6 ± 11.8",
        remark: "RL Baselines3 Zoo, DQN after 100 000 frames, mean ± standard deviation over episodes of one agent.",
    },
    Environment {
        configuration: Configuration::new("cliff-walking", &["train", "CliffWalking-v1"]),
        aim: -13.0,
        decimals: 1,
        published: "-13",
        remark: "the shortest way along the cliff, the optimum (Sutton & Barto, example 6.6). Environment and greedy policy \
                 are deterministic, so every episode is the same.",
    },
    Environment {
        configuration: Configuration::new("taxi", &["train", "Taxi-v4"]),
        aim: 7.5,
        decimals: 2,
        published: "≥ 7.5",
        remark: "the aim of this project; Gymnasium calls the environment solved at 8. Actions that do nothing are masked.",
    },
    Environment {
        configuration: Configuration::new("frozen-lake", &["train", "FrozenLake-v1"]),
        aim: 0.74,
        decimals: 3,
        published: "0.740",
        remark: "the exact value of the best stationary policy within the limit of 100 steps, by dynamic programming; \
                 Gymnasium calls the environment solved at 0.70. A score over 20 000 episodes has a standard error of 0.003, so about half \
                 of all optimal policies score below 0.740.",
    },
];

/// The first of the seeds that this page is made with. Tuning used 1000 to 1999 alone.
const FIRST_SEED: u64 = 23_000;

/// Trains and writes the page.
///
/// # Errors
/// When the build or a run fails, or the page cannot be written.
pub fn write(seeds: u64, jobs: usize) -> Result<()> {
    let binary = workspace::release_binary()?;
    let range = FIRST_SEED..FIRST_SEED + seeds;
    let mut page =
        Page::new("environments", "Small environments with their default presets", range.clone(), &pinning(jobs))?;
    let mut rows = Vec::new();
    let mut all_runs = Vec::new();
    let mut record = Record::open("environments")?;
    record.complete(&binary, ENVS.iter().map(|env| &env.configuration), &range, jobs)?;
    for env in &ENVS {
        let runs = record.of(&env.configuration, &range);
        page.record(&env.configuration, &runs);
        rows.push(summary(env, &runs));
        all_runs.push(runs);
    }
    let commands: Vec<String> = ENVS.iter().map(|env| format!("- `{}`", env.configuration.shown())).collect();
    page.add(&commands.join("\n"));
    page.add(
        "Mean return of the policy at the end of training and of the best policy kept, greedy, over fresh episodes; mean over seeds \
         with its 95 % bootstrap interval:",
    );
    let header = [
        "env",
        "final policy",
        "range over seeds",
        "best policy kept",
        "aim",
        "final policies at the aim",
        "published",
        "env steps (median)",
        "process s (median, longest)",
    ];
    page.add(&table(&header, &rows));
    page.add("## What the published figures are");
    let remarks: Vec<String> = ENVS.iter().map(|env| format!("- {}: {}", id(env), env.remark)).collect();
    page.add(&remarks.join("\n"));
    page.add("## The final policy of every seed");
    page.add(&by_seed(&all_runs));
    page.write()
}

fn id(env: &Environment) -> &'static str {
    env.configuration.arguments[1]
}

fn summary(env: &Environment, runs: &[SeedRun]) -> Vec<String> {
    let decimals = env.decimals;
    let scores = |evaluation: fn(&SeedRun) -> Option<Evaluation>| -> Vec<f64> {
        runs.iter().filter_map(|run| Some(evaluation(run)?.mean)).collect()
    };
    let (last, best) = (scores(final_of), scores(|run| run.finished.best_evaluation));
    let steps: Vec<f64> = runs.iter().map(|run| run.finished.env_steps as f64).collect();
    let seconds: Vec<f64> = runs.iter().map(|run| run.process_seconds).collect();
    let reached = last.iter().filter(|&&mean| mean >= env.aim).count();
    let interval = proportion_interval(reached, last.len());
    let interval = interval
        .map_or(String::new(), |interval| format!(" [{:.0} %, {:.0} %]", 100.0 * interval.low, 100.0 * interval.high));
    vec![
        format!("**{}**", id(env)),
        estimate(mean_estimate(&last), decimals),
        format!("{} – {}", figure(lowest(&last), decimals), figure(highest(&last), decimals)),
        estimate(mean_estimate(&best), decimals),
        format!("≥ {}", env.aim),
        format!("{reached} of {}{interval}", runs.len()),
        env.published.to_owned(),
        figure(median(&steps), 0),
        format!("{}, {}", figure(median(&seconds), 1), figure(highest(&seconds), 1)),
    ]
}

/// A row for each seed with a column for each environment, of the final policy: mean ± standard deviation over episodes.
fn by_seed(all_runs: &[Vec<SeedRun>]) -> String {
    let mut header = vec!["seed"];
    header.extend(ENVS.iter().map(id));
    let seeds = all_runs.first().map_or(0, Vec::len);
    let rows: Vec<Vec<String>> = (0..seeds)
        .map(|index| {
            let mut row = vec![all_runs[0][index].seed.to_string()];
            row.extend(ENVS.iter().zip(all_runs).map(|(env, runs)| {
                final_of(&runs[index]).map_or_else(
                    || figure(None, 0),
                    |last| format!("{:.2$} ± {:.2$}", last.mean, last.std, env.decimals),
                )
            }));
            row
        })
        .collect();
    table(&header, &rows)
}

fn final_of(run: &SeedRun) -> Option<Evaluation> {
    run.finished.final_evaluation
}

#[cfg(test)]
mod tests {
    use requel::config::presets;

    use super::*;
    use crate::results::finished::Finished;

    fn run(seed: u64, mean: f64) -> SeedRun {
        let finished =
            Finished { final_evaluation: Some(Evaluation { mean, std: 1.5, episodes: 100 }), ..Finished::sample() };
        SeedRun { seed, finished, process_seconds: 2.0 }
    }

    #[test]
    fn every_environment_is_trained_by_the_preset_that_it_is_called_by() {
        for env in &ENVS {
            assert_eq!(presets::default_for(id(env)).unwrap().name, env.configuration.name);
        }
    }

    #[test]
    fn the_summary_counts_what_reaches_the_aim() {
        let row = summary(&ENVS[0], &[run(0, -105.0), run(1, -105.1), run(2, -99.0)]);
        assert_eq!(row[5], "2 of 3 [21 %, 94 %]");
        assert_eq!(row[2], "-105.1 – -99.0");
    }

    #[test]
    fn a_seed_has_a_cell_for_each_environment() {
        let all: Vec<Vec<SeedRun>> = ENVS.iter().map(|_| vec![run(4, 0.75)]).collect();
        let text = by_seed(&all);
        assert!(text.contains("| 4 | 0.8 ± 1.5 | 0.8 ± 1.5 | 0.8 ± 1.5 | 0.75 ± 1.50 | 0.750 ± 1.500 |"), "{text}");
    }
}
