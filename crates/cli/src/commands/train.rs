//! `requel train`: a new run.

use requel::Trainer;
use requel::run::{Run, Session};

use crate::args::{Every, Layers, TrainArgs};
use crate::exit::{Exit, Failure};
use crate::{runs, session, settings};

/// Trains in a new directory.
pub fn run(args: &TrainArgs) -> Result<Exit, Failure> {
    let (_, config) = settings::resolve(&with_saving(args))?;
    // Made first: what is wrong with the config shows here, before anything is written.
    let trainer = Trainer::new(config.clone())?;
    let dir = args.run_dir.clone().unwrap_or_else(|| runs::new_directory(&config));
    let run = Run::create(&dir, &config)?;
    let mut session = Session::begin_with(run, trainer)?;
    if let Some(Every::Minutes(pause)) = args.every {
        session = session.saving_every(pause);
    }
    session::train(session, args.reporting)
}

/// The layers with what `--every` and `--keep` stand for.
fn with_saving(args: &TrainArgs) -> Layers {
    let mut layers = args.layers.clone();
    if let Some(Every::Steps(steps)) = args.every {
        layers.set.push(format!("checkpoint.every_steps={steps}"));
    }
    layers.set.extend(args.keep.map(|keep| format!("checkpoint.keep={keep}")));
    layers
}
