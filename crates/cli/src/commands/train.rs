//! `requel train`: a new run.

use requel::Trainer;
use requel::run::{Run, Session};

use crate::args::TrainArgs;
use crate::exit::{Exit, Failure};
use crate::{runs, session, settings};

/// Trains in a new directory.
pub fn run(args: &TrainArgs) -> Result<Exit, Failure> {
    let (_, config) = settings::resolve(&args.layers)?;
    // Made first: what is wrong with the config shows here, before anything is written.
    let trainer = Trainer::new(config.clone())?;
    let dir = args.run_dir.clone().unwrap_or_else(|| runs::new_directory(&config));
    let run = Run::create(&dir, &config)?;
    session::train(Session::begin_with(run, trainer)?, args.reporting)
}
