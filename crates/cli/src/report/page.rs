//! The page and its contents.

use std::path::PathBuf;

use requel::Registry;
use requel::config::Config;
use requel::diagnose::{Evidence, Finding, Severity, findings};
use requel::memory::available_bytes;
use requel::run::{MachineRecord, Provenance, Run, Score, Summary};
use requel::storage::{RealStorage, read_regular_text, replace};
use requel::train::{EnvIdentity, Evaluation};
use serde::Serialize;

use super::course::Course;
use super::replay::{MOST_MOMENTS, Replay};
use super::settings::{self, Row};
use super::stated;
use crate::exit::Failure;
use crate::page::{self, escape};
use crate::runs;
use crate::shell::in_own_name;
use crate::signals::Signals;
use crate::watch::{Acting, Player};

const PAGE: page::Page = page::Page {
    style: include_str!("../../assets/report/report.css"),
    body: include_str!("../../assets/report/report.html"),
    script: include_str!("../../assets/report/report.js"),
};

/// Everything that the page shows.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) env: String,
    pub(super) preset: String,
    pub(super) seed: u64,
    pub(super) directory: String,
    pub(super) goal: Option<f64>,
    /// Whether the final policy reached the goal over many fresh episodes.
    pub(super) solved: bool,
    /// The lowest and the highest possible value, if rewards are bounded.
    pub(super) value_bounds: Option<[f64; 2]>,
    pub(super) score: Score,
    /// The findings of `requel diagnose`.
    pub(super) findings: Vec<Finding>,
    pub(super) summary: Option<Summary>,
    pub(super) wall_seconds: Option<f64>,
    pub(super) course: Course,
    pub(super) replays: Vec<Replay>,
    /// Names of the actions, if known.
    pub(super) actions: Option<Vec<String>>,
    pub(super) returns: Vec<f64>,
    pub(super) settings: Vec<Row>,
    /// How the run was produced, one line each.
    pub(super) made: Vec<String>,
}

/// Writes `report.html` into the run's directory. `evaluation` is that of its best policy, with its `i`-th episode from seed `seed + i`:
/// the worst, the median and the best episode are played again and recorded.
///
/// # Errors
/// If the run cannot be read, its environment fails, the file cannot be written, or a signal comes.
pub fn write(
    run: &Run,
    registry: &Registry,
    (evaluation, seed): (&Evaluation, u64),
    signals: &Signals,
) -> Result<PathBuf, Failure> {
    let config = run.config()?;
    let environment = runs::environment(run);
    let environment = environment.as_ref();
    ["metrics.jsonl", "timing.csv"].into_iter().try_for_each(|name| run.check_file(name))?;
    let metrics = run.dir().join("metrics.jsonl");
    let course =
        Course::read(&metrics).map_err(|e| Failure::failed(format_args!("cannot read {}: {e}", metrics.display())))?;
    let shown = Shown {
        env: config.env.id.clone(),
        preset: config.label().to_owned(),
        seed: config.train.seed,
        directory: run.dir().display().to_string(),
        goal: runs::goal(&config, environment),
        solved: run.summary()?.is_some_and(|summary| summary.is_solved()),
        value_bounds: runs::value_bounds(&config, environment).map(|bounds| [bounds.low, bounds.high]),
        score: evaluation.into(),
        // The page is also made for runs that cannot be examined further.
        findings: found(run, registry),
        summary: run.summary()?,
        wall_seconds: wall_seconds(run),
        course,
        replays: replays(run, (&config, registry), (evaluation, seed), signals)?,
        actions: environment.and_then(actions),
        returns: evaluation.returns.clone(),
        settings: settings::rows(&config),
        made: made(run),
    };
    let path = path(run);
    let page = html(&shown, run, config.evaluation.episodes)?;
    // A process that died while writing the page may have left half of one.
    run.clear_up()?;
    // Complete or absent: whether a run has its page can be checked without reading it.
    replace(&RealStorage, &path, page.as_bytes())
        .map_err(|e| Failure::failed(format_args!("cannot write {}: {e}", path.display())))?;
    Ok(path)
}

/// The path of a run's page.
pub fn path(run: &Run) -> PathBuf {
    run.dir().join("report.html")
}

/// Whether a run has its page, written after its results.
pub fn is_current(run: &Run) -> bool {
    let written = |path: PathBuf| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    written(path(run)).is_some_and(|page| written(run.dir().join("summary.json")).is_none_or(|end| end <= page))
}

fn html(shown: &Shown, run: &Run, episodes: usize) -> Result<String, Failure> {
    let title = format!("{} · {} · seed {}", shown.env, shown.preset, shown.seed);
    let subtitle = format!("preset {}, seed {}, {}", shown.preset, shown.seed, shown.directory);
    let parts = [
        ("{{env}}", escape(&shown.env)),
        ("{{subtitle}}", escape(&subtitle)),
        ("{{tiles}}", stated::tiles(shown)),
        ("{{chosen}}", stated::chosen(shown, episodes)),
        ("{{findings}}", stated::findings(shown)),
        ("{{picture}}", stated::picture(run)),
        ("{{replays}}", note(&shown.replays).to_owned()),
        ("{{evaluations}}", stated::evaluations(shown)),
        ("{{settings-note}}", stated::settings_note(shown)),
        ("{{settings}}", stated::settings(shown)),
        ("{{footer}}", stated::footer(shown)),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(mark, html)| (*mark, html.as_str())).collect();
    PAGE.html(&title, shown, &parts).map_err(Failure::failed)
}

/// Which episodes of an evaluation are shown, worst first, each with its label. Equal returns are shown once.
fn examples(returns: &[f64]) -> Vec<(String, usize)> {
    let mut order: Vec<usize> = (0..returns.len()).collect();
    order.sort_by(|a, b| returns[*a].total_cmp(&returns[*b]));
    let Some(last) = order.len().checked_sub(1) else { return Vec::new() };
    let mut chosen: Vec<(String, usize)> = Vec::new();
    for (label, index) in [("worst", order[0]), ("median", order[last / 2]), ("best", order[last])] {
        match chosen.last_mut().filter(|(_, shown)| returns[*shown] == returns[index]) {
            Some((labels, _)) => labels.push_str(&format!(" and {label}")),
            None => chosen.push((label.to_owned(), index)),
        }
    }
    if let [(label, _)] = &mut chosen[..] {
        *label = if last == 0 { "the only one".into() } else { format!("any of {}", last + 1) };
    }
    chosen
}

/// The caption of the replays.
fn note(replays: &[Replay]) -> &'static str {
    match replays.len() {
        0 | 3.. => "the worst, the median and the best of its evaluation episodes.",
        1 => "its evaluation episodes all have the same return, so one is shown.",
        2 => "the worst and the best of its evaluation episodes; the median has the same return as one of them.",
    }
}

fn replays(
    run: &Run,
    (config, registry): (&Config, &Registry),
    (evaluation, seed): (&Evaluation, u64),
    signals: &Signals,
) -> Result<Vec<Replay>, Failure> {
    let most_steps = u32::try_from(config.evaluation.max_episode_steps).unwrap_or(u32::MAX);
    let record = |(label, index): (String, usize)| {
        let seed = seed.wrapping_add(index as u64);
        let policy = runs::policy(run, registry, 1)?;
        let mut player = Player::new(run.env(registry)?, Acting::Policy(policy), (seed, most_steps))?;
        let fps = player.frames_per_second();
        Ok(Replay::new(label, seed, &player.film_thinned(MOST_MOMENTS, signals)?, fps))
    };
    examples(&evaluation.returns).into_iter().map(record).collect()
}

/// What is wrong with training; if it cannot be examined, the reason.
fn found(run: &Run, registry: &Registry) -> Vec<Finding> {
    let unread = |what: String| Finding {
        check: "unread",
        severity: Severity::Warning,
        evidence: what,
        advice: in_own_name("`requel verify RUN`, which describes the damage").into_owned(),
    };
    match Evidence::of_run(run, registry) {
        Ok(evidence) => {
            let mut found = findings(&evidence);
            found.extend(evidence.unread.into_iter().map(unread));
            found
        }
        Err(error) => vec![unread(format!("it cannot be read: {error}"))],
    }
}

fn actions(environment: &EnvIdentity) -> Option<Vec<String>> {
    Some(environment.action_names.clone()).filter(|names| !names.is_empty())
}

/// Total seconds of all sessions of the run.
fn wall_seconds(run: &Run) -> Option<f64> {
    let text = read_regular_text(&run.dir().join("timing.csv"), available_bytes().unwrap_or(u64::MAX)).ok()?;
    let rows = text.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        Some((cells.next()?.to_owned(), cells.nth(1)?.parse::<f64>().ok()?))
    });
    // Seconds are counted from the start of each session, so its last row has its length.
    let last_of_each: std::collections::BTreeMap<String, f64> = rows.collect();
    (!last_of_each.is_empty()).then(|| last_of_each.values().sum())
}

/// Which program and machine produced the run, and with which command: of the first session, plus the number of sessions.
fn made(run: &Run) -> Vec<String> {
    let mut lines = made_by(run);
    if let Ok(Some(origin)) = run.origin() {
        lines.push(format!("started from the weights of {}", origin.from));
    }
    for segment in run.segments().unwrap_or_default().iter().skip(1) {
        let changes: Vec<String> = segment.changes.iter().map(ToString::to_string).collect();
        lines.push(format!("changed at env step {}: {}", segment.from_env_steps, changes.join(", ")));
    }
    lines
}

fn made_by(run: &Run) -> Vec<String> {
    let records = run.provenance().unwrap_or_default();
    let Some(first) = records.first() else {
        return vec![format!("requel {} on {}", env!("CARGO_PKG_VERSION"), MachineRecord::here(None))];
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
    lines.extend(others.last().map(|version| format!("resumed by requel {version}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_episodes_are_shown_once() {
        let of = |returns: &[f64]| examples(returns);
        let three = [("worst".to_owned(), 1), ("median".to_owned(), 2), ("best".to_owned(), 0)];
        assert_eq!(of(&[3.0, 1.0, 2.0]), three);
        assert_eq!(of(&[500.0; 100]), [("any of 100".to_owned(), 0)]);
        assert_eq!(of(&[500.0, 9.0, 500.0]), [("worst".to_owned(), 1), ("median and best".to_owned(), 0)]);
        assert_eq!(of(&[9.0, 9.0, 500.0]), [("worst and median".to_owned(), 0), ("best".to_owned(), 2)]);
        assert_eq!(of(&[7.0]), [("the only one".to_owned(), 0)]);
        assert!(of(&[]).is_empty());
    }
}
