//! `requel report`: a run on one page.

use std::path::PathBuf;

use requel::Registry;
use requel::run::Run;

use crate::args::ReportArgs;
use crate::commands::eval;
use crate::exit::{Exit, Failure};
use crate::signals::Signals;
use crate::style::{self, COMMAND, paint};
use crate::subject::Subject;
use crate::{report, runs};

/// Writes the page of a run.
pub fn run(args: &ReportArgs, registry: &Registry) -> Result<Exit, Failure> {
    let run = runs::open_with_policy(args.run.as_deref())?;
    let path = write(&run, registry, &Signals::listen()?)?;
    style::say(format_args!("wrote {}; open it in a browser", paint(COMMAND, path.display())));
    Ok(Exit::Success)
}

/// Evaluates the run's best policy as its last evaluation did, and writes the page.
///
/// # Errors
/// If the run has no policy, its environment fails, the disk refuses, or a signal comes.
pub fn write(run: &Run, registry: &Registry, signals: &Signals) -> Result<PathBuf, Failure> {
    let config = run.config()?;
    let seed = runs::evaluation_seed(&config);
    let subject = Subject::of_run(run.clone(), registry)?;
    let evaluation = eval::evaluate(&subject, (config.evaluation.final_episodes, seed), signals)?;
    report::write(run, registry, (&evaluation, seed), signals)
}
