//! `results/notebook.md`: is our `notebook` preset the notebook's algorithm, and what does replay change?

use anyhow::Result;
use requel::stats::{highest, lowest, median, quantile};

use super::page::{Page, estimate, figure, mean_estimate, pinning, table};
use super::seeds::{Configuration, SeedRun};
use super::statistics::{KnownQuantile, Placement};
use xtask::workspace;

/// The mean return over 100 episodes at which CartPole-v1 counts as solved (Gymnasium's `reward_threshold`).
const SOLVED_RETURN: f64 = 475.0;

/// How far our median may be from the reference's, as a part of it (issue 2).
const MEDIAN_TOLERANCE: f64 = 0.15;

/// The level at which a test rejects.
const SIGNIFICANCE: f64 = 0.05;

/// One row of the page: a configuration and what is known of the same algorithm elsewhere.
struct Study {
    configuration: Configuration,
    /// How many runs the reference is of, and its quantiles as (level, value); empty where there is no reference.
    reference: (usize, &'static [(f64, f64)]),
}

/// Reference: last-100 mean returns of independent implementations of the notebook's algorithm (the design's section 2).
const STUDIES: [Study; 3] = [
    Study {
        configuration: Configuration::new(
            "notebook-residual",
            &["train", "CartPole-v1", "--preset", "notebook", "--set", "agent.bellman_gradient=residual"],
        ),
        reference: (27, &[(0.0, 138.0), (0.25, 172.0), (0.5, 195.0), (0.75, 220.0), (1.0, 378.0)]),
    },
    Study {
        configuration: Configuration::new(
            "notebook-semi",
            &["train", "CartPole-v1", "--preset", "notebook", "--set", "agent.bellman_gradient=semi"],
        ),
        reference: (20, &[(0.0, 140.0), (0.5, 202.0), (1.0, 360.0)]),
    },
    Study {
        configuration: Configuration::new("notebook-naive", &["train", "CartPole-v1", "--preset", "notebook-naive"]),
        reference: (0, &[]),
    },
];

/// The first of the seeds that this page is made with. Tuning used 1000 to 1999 alone.
const FIRST_SEED: u64 = 22_000;

/// Trains and writes the page.
///
/// # Errors
/// When the build or a run fails, or the page cannot be written.
pub fn write(seeds: u64, jobs: usize) -> Result<()> {
    let binary = workspace::release_binary()?;
    let range = FIRST_SEED..FIRST_SEED + seeds;
    let mut page = Page::new("notebook", "The notebook's algorithm on CartPole-v1", range.clone(), &pinning(jobs))?;
    let mut rows = Vec::new();
    let mut comparisons = String::new();
    for study in &STUDIES {
        let configuration = &study.configuration;
        let runs = configuration.train(&binary, range.clone(), jobs)?;
        page.record(configuration, &runs);
        let sample: Vec<f64> = runs.iter().filter_map(|run| run.finished.train_return_last_100).collect();
        rows.push(our_row(&configuration.name, &sample, &runs));
        if study.reference.0 > 0 {
            rows.push(reference_row(&configuration.name, study.reference));
            comparisons.push_str(&comparison(study, &sample));
        }
    }
    let commands: Vec<String> = STUDIES.iter().map(|study| format!("- `{}`", study.configuration.shown())).collect();
    page.add(&commands.join("\n"));
    page.add(
        "Mean training return of the last 100 episodes, over seeds (the behaviour policy, ε = 0.1, not an evaluation), and of the final \
         policy, greedy, over 100 fresh episodes, the mean over seeds with its 95 % bootstrap interval:",
    );
    let header =
        ["", "runs", "median", "quartiles", "range", "runs at 475 or more", "final policy", "median env steps"];
    page.add(&table(&header, &rows));
    page.add(&comparisons);
    page.add(METHOD);
    page.write()
}

const METHOD: &str = "\
## How they are compared

Of the reference only the order statistics above are known, not the value of each run, so a Mann-Whitney or
Kolmogorov-Smirnov test cannot be made. Mathisen's test can (Annals of Mathematical Statistics 14, 1943): it counts how many of
our runs lie below one order statistic of the reference. Were both samples from one continuous distribution, every
interleaving of the two would be equally likely and that count would have a negative hypergeometric distribution, exactly. The
p-values are two-sided. A reference quantile that lies between two of its runs takes the less significant of both, and the
reference is known to whole numbers only. The tests of one configuration are not independent; the verdict is Bonferroni's, the
smallest p-value times the number of tests, against 0.05. Not rejecting is no proof of equality: with samples of this size
only a shift of the order of the quartile range would be seen reliably.";

fn our_row(name: &str, sample: &[f64], runs: &[SeedRun]) -> Vec<String> {
    let solved = sample.iter().filter(|&&value| value >= SOLVED_RETURN).count();
    let steps: Vec<f64> = runs.iter().map(|run| run.finished.env_steps as f64).collect();
    let last: Vec<f64> = runs.iter().filter_map(|run| Some(run.finished.final_evaluation?.mean)).collect();
    vec![
        format!("**{name}**"),
        sample.len().to_string(),
        figure(median(sample), 1),
        format!("{} – {}", figure(quantile(sample, 0.25), 1), figure(quantile(sample, 0.75), 1)),
        format!("{} – {}", figure(lowest(sample), 1), figure(highest(sample), 1)),
        solved.to_string(),
        estimate(mean_estimate(&last), 1),
        figure(median(&steps), 0),
    ]
}

fn reference_row(name: &str, (runs, quantiles): (usize, &[(f64, f64)])) -> Vec<String> {
    let known = |level: f64| figure(quantiles.iter().find(|known| known.0 == level).map(|known| known.1), 0);
    vec![
        format!("{name}, reference"),
        runs.to_string(),
        known(0.5),
        format!("{} – {}", known(0.25), known(0.75)),
        format!("{} – {}", known(0.0), known(1.0)),
        "0".into(),
        "–".into(),
        "–".into(),
    ]
}

/// The tests of one configuration as a section.
fn comparison(study: &Study, sample: &[f64]) -> String {
    let (size, quantiles) = study.reference;
    let placements: Vec<(f64, f64, Placement)> = quantiles
        .iter()
        .filter_map(|&(level, value)| Some((level, value, KnownQuantile { size, level, value }.placement(sample)?)))
        .collect();
    let rows: Vec<Vec<String>> = placements
        .iter()
        .map(|(level, value, placement)| {
            vec![
                level_name(*level).to_owned(),
                format!("{value:.0}"),
                format!("{} of {}", placement.below, sample.len()),
                format!("{:.1}", placement.expected),
                format!("{:.3}", placement.p_value),
            ]
        })
        .collect();
    let smallest = placements.iter().map(|(.., placement)| placement.p_value).fold(1.0, f64::min);
    format!(
        "## {} against its reference\n\n{}\n{}\n{}\n\n",
        study.configuration.name,
        table(&["reference's", "value", "ours below", "expected", "p"], &rows),
        median_verdict(sample, quantiles),
        rank_verdict(smallest, placements.len()),
    )
}

fn median_verdict(sample: &[f64], quantiles: &[(f64, f64)]) -> String {
    let theirs = quantiles.iter().find(|known| known.0 == 0.5).map(|known| known.1);
    let (Some(ours), Some(theirs)) = (median(sample), theirs) else { return "- Medians: not comparable".into() };
    let difference = ours / theirs - 1.0;
    let verdict = if difference.abs() <= MEDIAN_TOLERANCE { "within" } else { "**outside**" };
    format!("- Medians: ours {ours:.1}, reference {theirs:.0}: {:+.1} %, {verdict} ±15 %", 100.0 * difference)
}

fn rank_verdict(smallest: f64, tests: usize) -> String {
    let adjusted = (smallest * tests as f64).min(1.0);
    let verdict = if adjusted < SIGNIFICANCE { "**rejects**" } else { "does not reject" };
    format!(
        "- Rank tests: smallest p {smallest:.3} of {tests}, adjusted {adjusted:.3}: {verdict} that both are one distribution"
    )
}

fn level_name(level: f64) -> &'static str {
    match level {
        0.0 => "lowest",
        0.25 => "lower quartile",
        0.5 => "median",
        0.75 => "upper quartile",
        1.0 => "highest",
        _ => "quantile",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_judged_on_both_sides() {
        let reference = [(0.5, 200.0)];
        assert!(median_verdict(&[230.0], &reference).contains("+15.0 %, within"));
        assert!(median_verdict(&[231.0], &reference).contains("+15.5 %, **outside**"));
        assert!(median_verdict(&[169.0], &reference).contains("-15.5 %, **outside**"));
        assert!(median_verdict(&[], &reference).contains("not comparable"));
    }

    #[test]
    fn the_rank_verdict_counts_its_tests() {
        assert!(rank_verdict(0.02, 5).contains("adjusted 0.100: does not reject"));
        assert!(rank_verdict(0.002, 5).contains("adjusted 0.010: **rejects**"));
    }

    #[test]
    fn a_comparison_has_a_row_for_each_known_quantile() {
        let sample: Vec<f64> = (0..20).map(|index| 150.5 + 5.0 * f64::from(index)).collect();
        let text = comparison(&STUDIES[0], &sample);
        for row in ["| lowest | 138 | 0 of 20 |", "| median | 195 | 9 of 20 | 10.0 |", "| highest | 378 | 20 of 20 |"] {
            assert!(text.contains(row), "{text}");
        }
    }
}
