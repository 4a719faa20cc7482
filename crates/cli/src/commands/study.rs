//! `requel study`: trains variants × seeds and compares them.

use std::io::Write;
use std::path::{Path, PathBuf};

use requel::Registry;
use requel::run::Run;
use requel::study::{
    CellRows, Comparison, Group, PlannedRun, RunRecord, RunRow, Scoring, Seeds, Study, StudyError, Tables, Task,
    TaskAggregates, built_in, built_ins, check_new,
};
use serde::Serialize;

use crate::advice;
use crate::aggregates;
use crate::args::{Reporting, StudyArgs, Workers};
use crate::commands::compare::Files;
use crate::commands::joining;
use crate::compare;
use crate::exit::{Exit, Failure};
use crate::numbers::counted;
use crate::output;
use crate::progress::JsonLines;
use crate::runs;
use crate::seeds::{Reports, Together};
use crate::shell;
use crate::style::{self, BOLD, COMMAND, MUTED, paint};

/// The study's own file in its directory.
pub const FILE: &str = "study.toml";
/// The complete results of a study, written last.
const EVERYTHING: &str = "study.json";
/// The file that marks the directory of a `requel tune` search.
const SEARCH: &str = "search.json";

impl From<StudyError> for Failure {
    fn from(error: StudyError) -> Self {
        match error {
            StudyError::Env(error) => error.into(),
            StudyError::Run(error) => error.into(),
            error => {
                let hint = error.hint();
                Failure { hint, ..Failure::bad_input(error) }
            }
        }
    }
}

/// Trains the runs that are not finished, and writes the tables.
pub fn run(args: &StudyArgs, registry: &Registry) -> Result<Exit, Failure> {
    let Some(asked) = &args.study else { return list() };
    let kept = find(asked)?;
    if args.print {
        write!(style::stdout(), "{}", kept.text)?;
        return Ok(Exit::Success);
    }
    let out = args.out.clone().unwrap_or_else(|| Path::new(runs::STUDIES).join(&kept.study.name));
    let cells = kept.study.cells(registry).map_err(|error| error.in_text(&kept.asked, &kept.text))?;
    let named = cells.iter().map(|cell| (kept.study.variants[cell.variant].name.as_str(), &cell.config));
    advice::refuse(named, registry)?;
    conduct(&kept, &out, registry, (args.seeds.as_ref(), args.jobs, args.reporting), &args.workers)
}

/// A study with its text.
pub struct Kept {
    study: Study,
    text: String,
    /// The name or file by which it was requested.
    asked: String,
}

/// The study that a directory belongs to.
///
/// # Errors
/// If its file is not a study.
pub fn kept_in(dir: &Path) -> Result<Option<Kept>, Failure> {
    let path = dir.join(FILE);
    if !path.is_file() {
        return Ok(None);
    }
    read(&path).map(Some)
}

/// Continues a study in its directory, with every seed that was started there.
///
/// # Errors
/// As `requel study`.
pub fn go_on(kept: &Kept, dir: &Path, registry: &Registry, reporting: Reporting) -> Result<Exit, Failure> {
    let mut seeds: Vec<u64> = requel::study::find_runs(dir)?
        .iter()
        .map(|run| Ok(run.config()?.train.seed))
        .collect::<Result<_, Failure>>()?;
    seeds.sort_unstable();
    seeds.dedup();
    let own = kept.study.own_seeds();
    let is_its_own = seeds.iter().all(|seed| own.binary_search(seed).is_ok());
    let seeds = match is_its_own && kept.study.has_seeds_apart() {
        // Not every variant has every seed.
        true => None,
        false => Some(Seeds::new(seeds).map_err(StudyError::from)?),
    };
    conduct(kept, dir, registry, (seeds.as_ref(), 0, reporting), &Workers::default())
}

fn find(asked: &str) -> Result<Kept, Failure> {
    if let Some(built_in) = built_in(asked) {
        let study = Study::parse(asked, built_in.toml)?;
        return Ok(Kept { study, text: built_in.toml.to_owned(), asked: asked.to_owned() });
    }
    let path = Path::new(asked);
    if !path.exists() {
        let near = requel::nearest(asked, built_ins().iter().map(|study| study.name));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`requel study` lists the studies that come with requel; your own study is a TOML file".into(),
        };
        return Err(
            Failure::bad_input(format_args!("there is no study `{asked}`, and no file of that name")).hint(hint)
        );
    }
    read(path)
}

/// Read only once: input from a pipe cannot be read again.
fn read(path: &Path) -> Result<Kept, Failure> {
    let text = Study::read_text(path)?;
    let asked = path.display().to_string();
    Ok(Kept { study: Study::parse(&asked, &text)?, text, asked })
}

fn list() -> Result<Exit, Failure> {
    let mut out = style::stdout();
    for built_in in built_ins() {
        let study = Study::parse(built_in.name, built_in.toml)?;
        let variants: Vec<&str> = study.variants.iter().map(|variant| variant.name.as_str()).collect();
        writeln!(out, "{}", paint(BOLD, built_in.name))?;
        writeln!(out, "  {}", study.description)?;
        writeln!(
            out,
            "  {}",
            paint(
                MUTED,
                format_args!("{}, {} seeds: {}", study.envs().join(", "), study.own_seeds().len(), variants.join(", "))
            )
        )?;
    }
    Ok(Exit::Success)
}

fn conduct(
    kept: &Kept,
    out: &Path,
    registry: &Registry,
    (seeds, jobs, reporting): (Option<&Seeds>, usize, Reporting),
    workers: &Workers,
) -> Result<Exit, Failure> {
    let study = &kept.study;
    if Run::open(out).is_ok() {
        return Err(Failure::bad_input(format_args!("{} is a run, so a study cannot be written there", out.display()))
            .hint("name another --out"));
    }
    if out.join(SEARCH).exists() {
        return Err(Failure::bad_input(format_args!(
            "{} is a search by `requel tune`, so a study cannot be written there",
            out.display()
        ))
        .hint("name another --out"));
    }
    if workers.merge || workers.join || workers.only.is_some() || joining::is_joined(out) {
        joining::check_same(study, out)?;
    }
    let scales = study.scales(registry)?;
    let runs = study.plan(out, seeds, registry).map_err(|error| error.in_text(&kept.asked, &kept.text))?;
    let told = Told { study, scales: &scales, out, registry, reporting };
    if workers.merge {
        joining::check_finished(&runs)?;
        // Scores use the scales of this program's environments.
        check_new(&runs, registry)?;
        return told.tell(&runs);
    }
    let is_worker = workers.join || workers.only.is_some();
    let is_joined = is_worker || joining::is_joined(out);
    let runs = joining::share_of(runs, workers);
    if !is_joined {
        check_new(&runs, registry)?;
    }
    std::fs::create_dir_all(out).map_err(|e| Failure::failed(format_args!("cannot create {}: {e}", out.display())))?;
    joining::write(&out.join(FILE), kept.text.as_bytes())?;
    // One run of each variant in each environment: the others differ only in their seeds.
    let mut parents = std::collections::BTreeSet::new();
    let firsts: Vec<&PlannedRun> = runs.iter().filter(|run| parents.insert(run.dir.parent())).collect();
    let labels: Vec<String> = firsts.iter().map(|run| label(study, run)).collect();
    let labelled = firsts.iter().zip(&labels);
    advice::warn_of(labelled.map(|(run, label)| (Some(label.as_str()), &run.config)), registry);
    study.unused()?.iter().for_each(style::warn);
    let names: Vec<String> = study.variants.iter().map(|variant| variant.name.clone()).collect();
    let headline = format!(
        "{} · {} · {}",
        study.name,
        study.envs().join(", "),
        match study.has_seeds_apart() && seeds.is_none() {
            true => format!("{}, {}", counted(names.len(), "variant"), counted(runs.len(), "run")),
            false => {
                let seeds = seeds.unwrap_or(&study.seeds).as_slice().len();
                format!("{} × {}", counted(names.len(), "variant"), counted(seeds, "seed"))
            }
        }
    );
    let together =
        Together { runs: &runs, variants: Some(&names), registry, headline, jobs, reporting, reports: Reports::Left };
    let stopped = if is_joined { joining::train(&together, out, workers)? } else { together.train()? };
    if let Some(exit) = stopped {
        if !reporting.quiet {
            let command = format!("requel resume {}", shell::quoted(out));
            style::say(format_args!("  {}   {}", paint(COMMAND, command), paint(MUTED, "go on")));
        }
        return Ok(exit);
    }
    if is_worker {
        joining::say_end(&together, out, &kept.asked)?;
        return Ok(Exit::Success);
    }
    told.tell(&runs)
}

/// The name of a run's variant, including its environment if there are several.
fn label(study: &Study, run: &PlannedRun) -> String {
    let variant = &study.variants[run.variant].name;
    match study.tasks.is_empty() {
        true => variant.clone(),
        false => format!("{variant} on {}", run.config.env.id),
    }
}

/// Writes and prints the results of the finished runs.
struct Told<'a> {
    study: &'a Study,
    scales: &'a [Task],
    out: &'a Path,
    registry: &'a Registry,
    reporting: Reporting,
}

impl Told<'_> {
    fn tell(&self, runs: &[PlannedRun]) -> Result<Exit, Failure> {
        let Told { study, out, reporting, .. } = *self;
        if !study.tasks.is_empty() {
            return self.tell_tasks(runs);
        }
        let groups = groups(study, runs)?;
        let comparison = compare_variants(study, &groups);
        let written = match self.is_shown_only() {
            true => Vec::new(),
            false => write(study, &comparison, out, &self.tables(&[groups])?)?,
        };
        if reporting.json {
            JsonLines::default().print(&StudyFinished {
                event: "study_finished",
                comparison: &comparison,
                run_dir: out,
            })?;
            return Ok(Exit::Success);
        }
        compare::print(&comparison)?;
        if !reporting.quiet {
            output::say(&written);
        }
        Ok(Exit::Success)
    }

    /// The same for a study of several environments: results per environment, and those of the variants over all environments.
    fn tell_tasks(&self, runs: &[PlannedRun]) -> Result<Exit, Failure> {
        let Told { study, out, reporting, .. } = *self;
        let mut all = Vec::new();
        for task in &study.tasks {
            let of_env: Vec<PlannedRun> = runs.iter().filter(|run| run.config.env.id == task.env).cloned().collect();
            let alone = study.of_env(&task.env);
            let groups = groups(&alone, &of_env)?;
            if !self.is_shown_only() {
                write(&alone, &compare_variants(&alone, &groups), &study.place(out, &task.env), "")?;
            }
            all.push(groups);
        }
        let tables = self.tables(&all)?;
        let everywhere = study.everywhere();
        let compared: Vec<Vec<Group>> =
            all.iter().map(|groups| everywhere.iter().map(|&at| groups[at].clone()).collect()).collect();
        let bootstrap = Scoring::default().bootstrap;
        let found = TaskAggregates::new(self.scales, &compared, study.metric, &bootstrap)
            .ok_or_else(|| Failure::failed("a variant has no score in one environment"))?;
        let written = match self.is_shown_only() {
            true => Vec::new(),
            false => aggregates::write(study, &found, out, &tables)?,
        };
        if reporting.json {
            JsonLines::default().print(&TasksFinished { event: "study_finished", aggregates: &found, run_dir: out })?;
            return Ok(Exit::Success);
        }
        aggregates::print(&found)?;
        if !reporting.quiet {
            output::say(&written);
        }
        Ok(Exit::Success)
    }

    /// Whether everything was already written and nothing can be written.
    fn is_shown_only(&self) -> bool {
        output::is_read_only(&self.out.join(EVERYTHING))
    }

    /// The tables that the study declares, from the runs of its variants in each of its environments.
    fn tables(&self, groups: &[Vec<Group>]) -> Result<String, Failure> {
        let study = self.study;
        if study.tables.is_empty() && study.references.is_empty() {
            return Ok(String::new());
        }
        let mut cells = Vec::new();
        for cell in study.resolve()? {
            let aim = study.tasks.get(cell.env).and_then(|task| task.aim).or(study.threshold);
            let name = cell.name(study);
            let runs = groups[cell.env][cell.variant].runs.iter();
            let rows = runs.map(|run| RunRow::of(&name, run, aim)).collect::<Result<Vec<_>, _>>()?;
            cells.push(CellRows { cell, rows: rows.into_iter().flatten().collect() });
        }
        let tables = Tables { study, cells: &cells, registry: self.registry };
        let mut text = String::new();
        for table in &study.tables {
            text.push_str(&format!("\n{}", tables.render(&table.name)?));
        }
        Ok(format!("{text}\n{}", tables.references()))
    }
}

#[derive(Serialize)]
struct StudyFinished<'a> {
    event: &'static str,
    #[serde(flatten)]
    comparison: &'a Comparison,
    run_dir: &'a Path,
}

#[derive(Serialize)]
struct TasksFinished<'a> {
    event: &'static str,
    #[serde(flatten)]
    aggregates: &'a TaskAggregates,
    run_dir: &'a Path,
}

fn compare_variants(study: &Study, groups: &[Group]) -> Comparison {
    let scoring = Scoring { metric: study.metric, threshold: study.threshold, ..Scoring::default() };
    Comparison::new(groups, &scoring)
}

/// The runs of each variant.
fn groups(study: &Study, runs: &[PlannedRun]) -> Result<Vec<Group>, Failure> {
    let mut groups: Vec<Group> =
        study.variants.iter().map(|variant| Group { name: variant.name.clone(), runs: Vec::new() }).collect();
    for planned in runs {
        groups[planned.variant].runs.push(RunRecord::read(&Run::open(&planned.dir)?)?);
    }
    Ok(groups)
}

/// Writes the tables and pictures, and lists them.
fn write(
    study: &Study,
    comparison: &Comparison,
    out: &Path,
    tables: &str,
) -> Result<Vec<(PathBuf, &'static str)>, Failure> {
    let at = |name: &str| out.join(name);
    let (png, html, csv) = (at("study.png"), at("study.html"), at("study.csv"));
    let title = format!("{} on {}", study.name, study.env);
    Files { png: Some(&png), svg: None, html: Some(&html), csv: Some(&csv) }.write(comparison, &title)?;
    let seeds: Vec<u64> =
        comparison.groups.first().map(|g| g.runs.iter().map(|run| run.seed).collect()).unwrap_or_default();
    let seeds = Seeds::new(seeds).map(|seeds| seeds.to_string()).unwrap_or_default();
    let page = format!(
        "# {title}\n\n{}\n\nSeeds {seeds}, requel {}. `requel study {FILE}` makes it again.\n\n![learning curves and scores](study.png)\n\n{}{tables}",
        study.description,
        env!("CARGO_PKG_VERSION"),
        compare::markdown(comparison)
    );
    let (md, json) = (at("study.md"), at(EVERYTHING));
    output::write(&md, page.as_bytes())?;
    output::write(&json, &serde_json::to_vec_pretty(comparison).map_err(Failure::failed)?)?;
    Ok(vec![
        (html, "curves to hover over and zoom"),
        (png, "a picture of them"),
        (md, "the table in full"),
        (csv, "for a spreadsheet"),
        (json, "everything"),
    ])
}
