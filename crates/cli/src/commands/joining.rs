//! `requel study --only`, `--join` and `--merge`: a study that several machines train.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use requel::storage::RealStorage;
use requel::study::{Claims, PlannedRun, Standing, Study, train_claimed};
use serde::Serialize;

use crate::args::Workers;
use crate::commands::study::FILE;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::JsonLines;
use crate::seeds::Together;
use crate::shell;
use crate::style::{self, COMMAND, MUTED, paint};

/// Where workers claim runs, in a study's directory.
const CLAIMS: &str = "claims";

/// Whether workers train, or have trained, the study in a directory.
pub fn is_joined(dir: &Path) -> bool {
    dir.join(CLAIMS).is_dir()
}

/// Refuses to take part in a study that differs from the one in the directory: the tables would belong to neither.
///
/// # Errors
/// If it differs.
pub fn check_same(study: &Study, dir: &Path) -> Result<(), Failure> {
    let path = dir.join(FILE);
    let there = match patiently(|| Study::read(&path)) {
        Ok(there) => there,
        Err(_) if !path.exists() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let differences = [
        ("name", there.name != study.name),
        ("env", there.envs() != study.envs() || there.tasks != study.tasks),
        ("metric", there.metric != study.metric),
        ("threshold", there.threshold != study.threshold),
        ("set", there.set != study.set),
        ("variant", there.variants != study.variants),
        ("table", there.tables != study.tables || there.references != study.references),
    ];
    // Seeds may be added on the command line as well.
    let differing: Vec<&str> = differences.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    if differing.is_empty() {
        return Ok(());
    }
    let verb = if differing.len() == 1 { "differs" } else { "differ" };
    let text = format!("{} holds another study: {} {verb}", dir.display(), differing.join(", "));
    Err(Failure::bad_input(text).hint("choose another --out, or use the study.toml in that directory"))
}

/// The runs that this process trains.
pub fn share_of(runs: Vec<PlannedRun>, workers: &Workers) -> Vec<PlannedRun> {
    workers.only.map_or_else(|| runs.clone(), |share| share.of(runs.iter().cloned()))
}

/// Trains runs next to other workers. Returns `Some` with the exit if a signal came.
///
/// # Errors
/// If a run fails, or the directory cannot be used.
pub fn train(together: &Together<'_>, dir: &Path, workers: &Workers) -> Result<Option<Exit>, Failure> {
    let place = dir.join(CLAIMS);
    let lease = Duration::from_secs(workers.lease);
    let claims = patiently(|| Claims::open(Arc::new(RealStorage), &place, lease))
        .map_err(|error| Failure::failed(format_args!("cannot create {}: {error}", place.display())))?;
    together.train_by(|runs, crew, board| train_claimed(runs, crew, claims, board))
}

/// Writes a file of a study, unless it already exists; other workers may write it at the same time.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    patiently(|| output::write(path, bytes))
}

/// The message of a worker when it has finished.
///
/// # Errors
/// If stdout is closed.
pub fn say_end(together: &Together<'_>, dir: &Path, study: &str) -> Result<(), Failure> {
    if together.reporting.json {
        JsonLines::default().print(&WorkerFinished {
            event: "worker_finished",
            runs: together.runs.len(),
            run_dir: dir,
        })?;
    } else if !together.reporting.quiet {
        let out = shell::quoted(dir);
        let command = format!("requel study {} --out {out} --merge", shell::quoted(Path::new(study)));
        style::say(format_args!(
            "  {}   {}",
            paint(COMMAND, command),
            paint(MUTED, "the tables, once all workers are done")
        ));
    }
    Ok(())
}

#[derive(Serialize)]
struct WorkerFinished<'a> {
    event: &'static str,
    runs: usize,
    run_dir: &'a Path,
}

/// Refuses to write tables while some runs are not finished.
///
/// # Errors
/// If one is not.
pub fn check_finished(runs: &[PlannedRun]) -> Result<(), Failure> {
    const NAMED: usize = 3;
    let left: Vec<&PlannedRun> = runs.iter().filter(|run| run.standing() != Standing::Finished).collect();
    if left.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = left.iter().take(NAMED).map(|run| run.dir.display().to_string()).collect();
    if left.len() > NAMED {
        names.push(format!("{} more", left.len() - NAMED));
    }
    let text = format!("{} of {} runs are not finished: {}", left.len(), runs.len(), names.join(", "));
    Err(Failure::failed(text).hint("the same command without --merge trains them"))
}

/// A shared file system may refuse something now and allow it a moment later.
fn patiently<T, E>(mut call: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    for _ in 0..ATTEMPTS {
        if let Ok(value) = call() {
            return Ok(value);
        }
        std::thread::sleep(PAUSE);
    }
    call()
}

const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);
