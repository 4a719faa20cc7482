//! A comparison as text: for a spreadsheet, and in Markdown.

use std::time::Duration;

use requel::stats::{Estimate, Interval, LEAST_RUNS, coverage};
use requel::study::{Comparison, GroupResult, Metric, Reached};
use requel::train::Budget;

use super::axis::label;
use crate::numbers::{duration, grouped};

/// The column of the last 100 training episodes, which may be the score.
const LAST_100: &str = "training, last 100";

/// The kind of return that is the score.
pub fn score_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Final => "final",
        Metric::Best => "best",
        Metric::Training => "training",
    }
}

/// The score in words.
pub fn scored(metric: Metric) -> &'static str {
    match metric {
        Metric::Final => "return of the final policy",
        Metric::Best => "return of the best policy",
        Metric::Training => "return of the last 100 training episodes",
    }
}

/// A value with a sensible number of decimals.
pub fn short(value: f64) -> String {
    match value.abs() {
        v if !v.is_finite() => "-".into(),
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// An interval: `[180.3, 240.1]`.
pub fn interval(interval: &Interval) -> String {
    format!("[{}, {}]", short(interval.low), short(interval.high))
}

/// A value, with its interval if it has one; `-` if there is no value.
pub fn estimate(estimate: Option<&Estimate>) -> String {
    match estimate {
        None => "-".into(),
        Some(Estimate { value, interval: None }) => short(*value),
        Some(Estimate { value, interval: Some(ends) }) => format!("{} {}", short(*value), interval(ends)),
    }
}

/// How soon a threshold was reached: `12,000 (8 of 10)`.
pub fn reached(reached: &Reached, runs: usize) -> String {
    let steps = reached.median_env_steps.map_or("-".into(), |steps| grouped(steps as u64));
    format!("{steps} ({} of {runs})", reached.runs)
}

/// Seconds, if known.
pub fn seconds(group: &GroupResult) -> String {
    group.wall_seconds.map_or("-".into(), |seconds| duration(Duration::from_secs_f64(seconds)))
}

/// A row per group; cells without a value are empty.
pub fn csv(comparison: &Comparison) -> String {
    let mut out = String::from(
        "group,runs,score_iqm,score_low,score_high,train_return_last_100_iqm,train_return_last_100_low,\
         train_return_last_100_high,p_over_first,p_over_first_low,p_over_first_high,p_over_previous,p_over_previous_low,\
         p_over_previous_high,threshold,runs_that_reached_it,median_env_steps_to_it,mean_over_training_iqm,\
         mean_over_training_low,mean_over_training_high,interval_coverage,budget_env_steps,budget_episodes,median_env_steps,\
         median_wall_seconds\n",
    );
    let three = |estimate: Option<Estimate>| match estimate {
        Some(Estimate { value, interval: Some(Interval { low, high }) }) => format!("{value},{low},{high}"),
        Some(Estimate { value, interval: None }) => format!("{value},,"),
        None => ",,".into(),
    };
    let one = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    for group in &comparison.groups {
        let name = format!("\"{}\"", group.name.replace('"', "\"\""));
        let reached = group.reached;
        let (env_steps, episodes) = match group.budget {
            Budget::EnvSteps(steps) => (steps.to_string(), String::new()),
            Budget::Episodes(episodes) => (String::new(), episodes.to_string()),
        };
        let cells = [
            name,
            group.runs.len().to_string(),
            three(Some(group.score)),
            three(group.train_return_last_100),
            three(group.improvement_over_first),
            three(group.improvement_over_previous),
            one(comparison.threshold),
            reached.map(|r| r.runs.to_string()).unwrap_or_default(),
            one(reached.and_then(|r| r.median_env_steps)),
            three(group.mean_over_training),
            one(coverage(group.runs.len()).filter(|_| comparison.confidence == 0.95)),
            env_steps,
            episodes,
            group.env_steps.to_string(),
            one(group.wall_seconds),
        ];
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

/// The heading of the full table, and the cells of each group.
pub fn cells(comparison: &Comparison) -> (Vec<String>, Vec<Vec<String>>) {
    let to = comparison.threshold.map(|threshold| format!("env steps to {}", label(threshold)));
    let mut heading = vec!["", "runs"];
    let twice = comparison.metric == Metric::Training;
    heading.extend(if twice { vec![LAST_100] } else { vec![scored(comparison.metric), LAST_100] });
    heading.extend(["P> previous", "P> first"]);
    heading.extend(to.as_deref());
    heading.extend(["mean over training", "env steps", "time"]);
    let row = |group: &GroupResult| {
        let mut cells = vec![group.name.clone(), group.runs.len().to_string(), estimate(Some(&group.score))];
        if !twice {
            cells.push(estimate(group.train_return_last_100.as_ref()));
        }
        cells.extend([
            estimate(group.improvement_over_previous.as_ref()),
            estimate(group.improvement_over_first.as_ref()),
        ]);
        cells.extend(group.reached.as_ref().map(|r| reached(r, group.runs.len())));
        cells.extend([estimate(group.mean_over_training.as_ref()), grouped(group.env_steps as u64), seconds(group)]);
        cells
    };
    (heading.into_iter().map(str::to_owned).collect(), comparison.groups.iter().map(row).collect())
}

/// The table in Markdown, followed by the meaning of its columns.
pub fn markdown(comparison: &Comparison) -> String {
    let (heading, rows) = cells(comparison);
    let mut out = format!("| {} |\n|---|{}\n", heading.join(" | "), "---:|".repeat(heading.len() - 1));
    for mut cells in rows {
        cells[0] = format!("**{}**", cells[0].replace('|', "\\|"));
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    for caveat in &comparison.caveats {
        out.push_str(&format!("\n**Note**: {caveat}.\n"));
    }
    out.push_str(&format!("\n{}\n", how_to_read(comparison)));
    out
}

/// What the columns mean.
fn how_to_read(comparison: &Comparison) -> String {
    let percent = (100.0 * comparison.confidence).round();
    let scored = match comparison.metric {
        Metric::Training => String::new(),
        policy => format!(
            "*Return of the {} policy*: greedy, over fresh episodes that nothing was chosen by.\n",
            score_name(policy)
        ),
    };
    let mut text = format!(
        "A number with brackets is the interquartile mean over seeds with its {percent} % percentile interval by the \
         bootstrap (Agarwal et al. 2021); of fewer than {LEAST_RUNS} runs there is none.\n\
         {scored}*Training, last 100*: the last 100 training episodes, exploration included.\n\
         *P>*: the probability that a run scores higher than one of the row before, or of the first row, ties counted half; \
         0.5 says that neither is better.\n"
    );
    if let Some(threshold) = comparison.threshold {
        text.push_str(&format!(
            "*Env steps to {}*: median env steps before the first evaluation there, and how many of the runs ever got there; \
             those that did not count as later than all.\n",
            label(threshold)
        ));
    }
    text.push_str(
        "*Mean over training*: the area under the evaluation curve over its width.\n\
         *Env steps* and *time* are medians of a run; time depends on the machine and on what else ran.",
    );
    text
}
