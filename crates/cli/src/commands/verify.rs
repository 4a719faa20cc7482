//! `requel verify`: damage in a run, found and named.

use std::io::Write;

use requel::run;
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::runs;
use crate::style::{self, GOOD, paint};

#[derive(Serialize)]
struct Report<'a> {
    run_dir: &'a std::path::Path,
    whole: bool,
    sealed: bool,
    checkpoints: Vec<CheckpointLine<'a>>,
    damage: Vec<String>,
}

#[derive(Serialize)]
struct CheckpointLine<'a> {
    env_steps: u64,
    path: &'a std::path::Path,
    whole: bool,
}

/// Reads the whole run and says what is wrong with it.
pub fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let run = runs::open(args.run.as_deref())?;
    let verified = run::verify(&run)?;
    let damage: Vec<String> = verified.damage.iter().map(ToString::to_string).collect();
    let whole = damage.is_empty();
    let exit = if whole { Exit::Success } else { Exit::Failure };
    let mut out = style::stdout();
    if args.json {
        let checkpoints = verified
            .checkpoints
            .iter()
            .map(|(env_steps, path, whole)| CheckpointLine { env_steps: *env_steps, path, whole: *whole })
            .collect();
        let report = Report { run_dir: run.dir(), whole, sealed: verified.sealed, checkpoints, damage };
        writeln!(out, "{}", serde_json::to_string(&report).map_err(Failure::failed)?)?;
        return Ok(exit);
    }
    for (env_steps, path, whole) in &verified.checkpoints {
        let verdict = if *whole { paint(GOOD, "whole  ") } else { paint(style::BAD, "damaged") };
        writeln!(out, "{verdict} checkpoint of env step {:>13}  {}", grouped(*env_steps), path.display())?;
    }
    for finding in &damage {
        writeln!(out, "{finding}")?;
    }
    if !verified.sealed {
        style::warn(
            "it has no checksums.blake3: a changed config, log or policy is only noticed if the file can no longer be \
            read",
        );
    }
    if whole {
        let count = verified.checkpoints.len();
        let checkpoints = if count == 1 { "checkpoint" } else { "checkpoints" };
        writeln!(out, "{} is intact: {count} {checkpoints}, config, logs and policy", run.dir().display())?;
    }
    Ok(exit)
}
