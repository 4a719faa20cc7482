//! The page and what it shows.

use std::path::PathBuf;

use requel::config::Config;
use requel::run::{Machine, Provenance, Run, Score, Summary};
use requel::train::Evaluation;
use serde::Serialize;

use super::course::Course;
use super::replay::Replay;
use super::settings::{self, Row};
use crate::exit::Failure;
use crate::export::action_meanings;
use crate::page;
use crate::runs;
use crate::watch::{Acting, Player};

const PAGE: page::Page = page::Page {
    style: include_str!("../../assets/report/report.css"),
    body: include_str!("../../assets/report/report.html"),
    script: include_str!("../../assets/report/report.js"),
};

/// Everything that the page shows.
#[derive(Serialize)]
struct Shown {
    world: String,
    preset: String,
    seed: u64,
    directory: String,
    goal: Option<f64>,
    /// Whether the final policy reached the goal over many fresh episodes.
    solved: bool,
    /// The lowest and the highest value that the rewards allow, where they are bounded.
    value_bounds: Option<[f64; 2]>,
    score: Score,
    summary: Option<Summary>,
    wall_seconds: Option<f64>,
    course: Course,
    replays: Vec<Replay>,
    /// What the actions mean, where that is known.
    actions: Option<Vec<&'static str>>,
    returns: Vec<f64>,
    settings: Vec<Row>,
    /// How the run came about, a line each.
    made: Vec<String>,
}

/// Writes `report.html` into the run's directory. `evaluation` is of its best policy, its `i`-th episode from seed
/// `seed + i`: the worst, the median and the best of them are played again to be recorded.
///
/// # Errors
/// If the run cannot be read, its world fails, or the file cannot be written.
pub fn write(run: &Run, evaluation: &Evaluation, seed: u64) -> Result<PathBuf, Failure> {
    let config = run.config()?;
    let metrics = run.dir().join("metrics.jsonl");
    let course =
        Course::read(&metrics).map_err(|e| Failure::failed(format_args!("cannot read {}: {e}", metrics.display())))?;
    let shown = Shown {
        world: config.env.id.clone(),
        preset: config.label().to_owned(),
        seed: config.train.seed,
        directory: run.dir().display().to_string(),
        goal: runs::goal(&config),
        solved: run.summary().is_some_and(|summary| summary.is_solved()),
        value_bounds: runs::value_bounds(&config).map(|bounds| [bounds.low, bounds.high]),
        score: evaluation.into(),
        summary: run.summary(),
        wall_seconds: wall_seconds(run),
        course,
        replays: replays(run, &config, (evaluation, seed))?,
        actions: actions(&config),
        returns: evaluation.returns.clone(),
        settings: settings::rows(&config),
        made: made(run),
    };
    let path = run.dir().join("report.html");
    std::fs::write(&path, html(&shown)?)
        .map_err(|e| Failure::failed(format_args!("cannot write {}: {e}", path.display())))?;
    Ok(path)
}

fn html(shown: &Shown) -> Result<String, Failure> {
    let title = format!("{} · {} · seed {}", shown.world, shown.preset, shown.seed);
    PAGE.html(&title, shown).map_err(Failure::failed)
}

fn replays(run: &Run, config: &Config, (evaluation, seed): (&Evaluation, u64)) -> Result<Vec<Replay>, Failure> {
    let mut order: Vec<usize> = (0..evaluation.returns.len()).collect();
    order.sort_by(|a, b| evaluation.returns[*a].total_cmp(&evaluation.returns[*b]));
    let Some(last) = order.len().checked_sub(1) else { return Ok(Vec::new()) };
    let most_steps = u32::try_from(config.evaluation.max_episode_steps).unwrap_or(u32::MAX);
    let record = |(label, index): (&'static str, usize)| {
        let seed = seed.wrapping_add(index as u64);
        let policy = runs::policy(run, 1)?;
        let mut player = Player::new(runs::world(config)?, Acting::Policy(Box::new(policy)), (seed, most_steps))?;
        let fps = player.frames_per_second();
        Ok(Replay::new(label, seed, &player.film()?, fps))
    };
    [("worst", order[0]), ("median", order[last / 2]), ("best", order[last])].into_iter().map(record).collect()
}

fn actions(config: &Config) -> Option<Vec<&'static str>> {
    action_meanings(&config.env.id, runs::world(config).ok()?.action_space().discrete_n()?)
}

/// Seconds that all sessions of the run took together.
fn wall_seconds(run: &Run) -> Option<f64> {
    let text = std::fs::read_to_string(run.dir().join("timing.csv")).ok()?;
    let rows = text.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        Some((cells.next()?.to_owned(), cells.nth(1)?.parse::<f64>().ok()?))
    });
    // Seconds count from the start of each session, so its last row has its length.
    let last_of_each: std::collections::BTreeMap<String, f64> = rows.collect();
    (!last_of_each.is_empty()).then(|| last_of_each.values().sum())
}

/// Which program made the run, on what, and how it was asked to: of the session that began it, and how many there were.
fn made(run: &Run) -> Vec<String> {
    let mut lines = made_by(run);
    if let Ok(Some(origin)) = run.origin() {
        lines.push(format!("begun from the weights of {}", origin.from));
    }
    for segment in run.segments().unwrap_or_default().iter().skip(1) {
        let changes: Vec<String> = segment.changes.iter().map(ToString::to_string).collect();
        lines.push(format!("from env step {} on: {}", segment.from_env_steps, changes.join(", ")));
    }
    lines
}

fn made_by(run: &Run) -> Vec<String> {
    let records = run.provenance().unwrap_or_default();
    let Some(first) = records.first() else {
        return vec![format!("requel {} on {}", env!("CARGO_PKG_VERSION"), Machine::here())];
    };
    let mut lines = vec![format!("requel {} on {}, kernel {}", first.version(), first.machine, first.machine.kernel)];
    if !first.program.command.is_empty() {
        lines.push(format!("{}, {}", first.program.command.join(" "), first.started));
    }
    let others: Vec<String> =
        records[1..].iter().filter(|record| record.version() != first.version()).map(Provenance::version).collect();
    if records.len() > 1 {
        lines.push(format!("{} sessions", records.len()));
    }
    lines.extend(others.last().map(|version| format!("gone on with by requel {version}")));
    lines
}
