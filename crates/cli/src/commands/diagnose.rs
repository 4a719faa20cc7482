//! `requel diagnose`: what is wrong with a training run.

use std::io::Write;
use std::path::Path;

use requel::Registry;
use requel::diagnose::{Evidence, Finding, Severity, findings};
use requel::run::{Run, RunError};
use requel::study::find_runs;
use serde::Serialize;

use crate::args::DiagnoseArgs;
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::runs;
use crate::style::{BAD, BOLD, COMMAND, GOOD, MUTED, WARNING, paint, warn};

#[derive(Serialize)]
struct Line<'a> {
    run: &'a Path,
    findings: &'a [Finding],
}

/// Diagnoses one run, or all runs below a directory.
pub fn run(args: &DiagnoseArgs, registry: &Registry) -> Result<Exit, Failure> {
    let mut out = anstream::stdout().lock();
    let (runs, mut exit) = (wanted(args.run.as_deref())?, Exit::Success);
    let is_alone = runs.len() == 1;
    for run in runs {
        let evidence = match Evidence::of_run(&run, registry) {
            Ok(evidence) => evidence,
            Err(error) if is_alone => return Err(error.into()),
            // A damaged run does not keep the others from being diagnosed.
            Err(error) => {
                warn(format_args!("skipping {}: {error}", run.dir().display()));
                exit = Exit::Failure;
                continue;
            }
        };
        for unread in &evidence.unread {
            warn(format_args!("{}: {unread}", run.dir().display()));
        }
        let found = findings(&evidence);
        if args.json {
            let line = Line { run: run.dir(), findings: &found };
            writeln!(out, "{}", serde_json::to_string(&line).map_err(Failure::failed)?)?;
        } else {
            write(&mut out, &run, &evidence, &found)?;
        }
    }
    Ok(exit)
}

fn wanted(dir: Option<&Path>) -> Result<Vec<Run>, Failure> {
    match dir {
        Some(dir) if Run::open(dir).is_err() => {
            let found = if dir.is_dir() { find_runs(dir).map_err(Failure::failed)? } else { Vec::new() };
            if found.is_empty() {
                return Err(RunError::NotARun { path: dir.to_path_buf() }.into());
            }
            Ok(found)
        }
        dir => Ok(vec![runs::open(dir)?]),
    }
}

fn write(out: &mut impl Write, run: &Run, evidence: &Evidence, found: &[Finding]) -> Result<(), Failure> {
    let (config, counts) = (&evidence.config, evidence.counts);
    writeln!(
        out,
        "{} {}",
        paint(BOLD, run.dir().display()),
        paint(
            MUTED,
            format_args!(
                "{}, preset {}, seed {}, {} env steps, {} updates{}",
                config.env.id,
                config.preset,
                config.train.seed,
                grouped(counts.env_steps),
                grouped(counts.updates),
                if evidence.is_finished() { "" } else { ", not finished" }
            )
        )
    )?;
    if found.is_empty() {
        writeln!(out, "  {}", paint(GOOD, "nothing found"))?;
    }
    for Finding { check, severity, evidence, advice } in found {
        let style = match severity {
            Severity::Fault => BAD,
            Severity::Warning => WARNING,
            Severity::Note => MUTED,
        };
        let severity = paint(style, format_args!("{:<7}", severity.word()));
        writeln!(out, "  {severity} {}", paint(BOLD, check))?;
        writeln!(out, "          {evidence}")?;
        writeln!(out, "          {} {advice}", paint(COMMAND, "try:"))?;
    }
    Ok(())
}
