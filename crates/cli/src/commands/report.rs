//! `requel report`: a run on one page.

use crate::args::ReportArgs;
use crate::commands::eval;
use crate::exit::{Exit, Failure};
use crate::style::{self, COMMAND, paint};
use crate::subject::Subject;
use crate::{report, runs};

/// Evaluates the run's best policy as its last evaluation did, and writes the page.
pub fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let run = runs::open(args.run.as_deref())?;
    let config = run.config()?;
    let seed = runs::evaluation_seed(&config);
    let subject = Subject::of_run(run.clone(), None)?;
    let evaluation = eval::evaluate(&subject, config.evaluation.final_episodes, seed)?;
    let path = report::write(&run, &evaluation, seed)?;
    style::say(format_args!("wrote {}; open it in a browser", paint(COMMAND, path.display())));
    Ok(Exit::Success)
}
