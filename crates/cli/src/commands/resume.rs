//! `requel resume`: a run that goes on, or all runs of a directory.

use requel::run::Session;

use crate::args::ResumeArgs;
use crate::commands::study;
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::{runs, seeds, session, style};

/// Goes on with a run from its newest whole checkpoint.
pub fn run(args: &ResumeArgs) -> Result<Exit, Failure> {
    let dir = args.run.clone().map_or_else(runs::newest_whole, Ok)?;
    if let Some(found) = seeds::below(&dir)? {
        return match study::kept_in(&dir)? {
            Some(kept) => study::go_on(&kept, &dir, args.reporting),
            None => seeds::resume(&dir, &found, args.reporting),
        };
    }
    let run = runs::open(Some(&dir))?;
    let finished = run.summary().is_some();
    let dir = run.dir().display().to_string();
    let (session, resumed) = Session::resume(run)?;
    for damaged in &resumed.damaged {
        style::warn(format_args!("{damaged}; using the checkpoint before it"));
    }
    if !args.reporting.quiet {
        match resumed.env_steps {
            _ if finished => style::say(format_args!("{dir} is finished; only its last evaluation is made again")),
            0 => style::say(format_args!("{dir} has no checkpoint yet; training begins anew")),
            steps => style::say(format_args!("going on with {dir} from env step {}", grouped(steps))),
        }
    }
    session::train(args.execution.of(session), args.reporting)
}
