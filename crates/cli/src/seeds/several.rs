//! `requel train --seeds`, and continuing it.

use std::io::Write;
use std::path::{Path, PathBuf};

use requel::run::Run;
use requel::study::{PlannedRun, RunRecord, Seeds, find_runs, fingerprint};
use requel::{Config, Registry};
use serde::Serialize;

use super::table::{self, Middle};
use super::{Reports, Together};
use crate::args::Reporting;
use crate::exit::{Exit, Failure};
use crate::progress::JsonLines;
use crate::runs;
use crate::shell;
use crate::style::{self, COMMAND, MUTED, paint};

/// Trains `config` with each of the seeds, in separate directories below `dir`; its default depends only on the config, so that the same
/// command finds the runs it started.
///
/// # Errors
/// If the config cannot be trained, another run already has the place of one, or a run fails.
pub fn train(
    config: &Config,
    seeds: &Seeds,
    dir: Option<&Path>,
    (registry, jobs, reporting): (&Registry, usize, Reporting),
) -> Result<Exit, Failure> {
    // Created first: errors in the config are reported before anything is written.
    registry.trainer(config.clone())?;
    let dir = dir.map_or_else(|| default_directory(config), Path::to_path_buf);
    if Run::open(&dir).is_ok() {
        return Err(Failure::bad_input(format_args!(
            "{} is itself a run, so other runs cannot be written \
                                                   there",
            dir.display()
        ))
        .hint("choose another --run-dir"));
    }
    let plan = |seed: &u64| PlannedRun::new(&dir, 0, config, *seed);
    let planned = seeds.as_slice().iter().map(plan).collect::<Result<Vec<_>, _>>()?;
    together(&dir, planned, (registry, jobs, reporting))
}

/// Continues the unfinished runs below `dir`.
///
/// # Errors
/// If a run cannot be read, or fails.
pub fn resume(dir: &Path, found: &[Run], registry: &Registry, reporting: Reporting) -> Result<Exit, Failure> {
    let planned = |run: &Run| Ok(PlannedRun { dir: run.dir().to_path_buf(), variant: 0, config: run.config()? });
    let planned = found.iter().map(planned).collect::<Result<Vec<_>, Failure>>()?;
    together(dir, planned, (registry, 0, reporting))
}

fn together(
    dir: &Path,
    planned: Vec<PlannedRun>,
    (registry, jobs, reporting): (&Registry, usize, Reporting),
) -> Result<Exit, Failure> {
    let first = &planned[0].config;
    let headline = format!("{} · {} · {} seeds", first.env.id, runs::settings_named(first), planned.len());
    let together =
        Together { runs: &planned, variants: None, registry, headline, jobs, reporting, reports: Reports::Written };
    if let Some(exit) = together.train()? {
        if !reporting.quiet {
            say_command(("requel resume", dir), "go on");
        }
        return Ok(exit);
    }
    let records = planned
        .iter()
        .map(|planned| Ok(RunRecord::read(&Run::open(&planned.dir)?)?))
        .collect::<Result<Vec<_>, Failure>>()?;
    if reporting.json {
        let (best, last) = table::scores(&records);
        JsonLines::default().print(&SeedsFinished {
            event: "seeds_finished",
            seeds: records.iter().map(|record| record.config.train.seed).collect(),
            best_evaluation: Middle::of(&best),
            final_evaluation: Middle::of(&last),
            run_dir: dir,
        })?;
        return Ok(Exit::Success);
    }
    let mut out = style::stdout();
    table::write(&mut out, &records)?;
    out.flush()?;
    if !reporting.quiet {
        style::say("");
        say_command(("requel compare", dir), "learning curves; --png, --svg and --html write files");
        say_command(("requel watch", &records[0].dir), "watch one of them");
    }
    Ok(Exit::Success)
}

#[derive(Serialize)]
struct SeedsFinished<'a> {
    event: &'static str,
    seeds: Vec<u64>,
    best_evaluation: Option<Middle>,
    final_evaluation: Option<Middle>,
    run_dir: &'a Path,
}

/// The runs below `dir`, if it is not a run itself but contains some.
pub fn below(dir: &Path) -> Result<Option<Vec<Run>>, Failure> {
    if Run::open(dir).is_ok() || !dir.is_dir() {
        return Ok(None);
    }
    let found = find_runs(dir)?;
    Ok((!found.is_empty()).then_some(found))
}

fn default_directory(config: &Config) -> PathBuf {
    Path::new(runs::ROOT).join(Run::name(config, &fingerprint(config)[..8]).replacen(
        &format!("__{}__", config.train.seed),
        "__seeds__",
        1,
    ))
}

fn say_command((command, dir): (&str, &Path), what: &str) {
    style::say(format_args!(
        "  {}   {}",
        paint(COMMAND, format_args!("{command} {}", shell::quoted(dir))),
        paint(MUTED, what)
    ));
}
