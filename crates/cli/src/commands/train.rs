//! `requel train`: a new run.

use requel::Registry;
use requel::run::{Run, Session};

use super::beginning;
use crate::args::{Layers, OnNan, TrainArgs};
use crate::every::Every;
use crate::exit::{Exit, Failure};
use crate::{advice, device, runs, seeds, session, settings};

/// Trains in a new directory.
pub fn run(args: &TrainArgs, registry: &Registry) -> Result<Exit, Failure> {
    let (beginning, layers) = beginning::read(args, with_saving(args), registry)?;
    let (layers, config) = settings::resolve(&layers, registry)?;
    settings::refuse_to_learn_nothing(&layers, &config, registry)?;
    advice::warn_of([(None, &config)], registry);
    advice::warn_of_unused(&layers, &config);
    if let Some(list) = &args.seeds {
        if matches!(args.every, Some(Every::Minutes(_))) {
            return Err(Failure::bad_input("--every cannot be in minutes when used with --seeds")
                .hint("give env steps, such as `--every 20000`"));
        }
        return seeds::train(&config, list, args.run_dir.as_deref(), (registry, args.jobs, args.reporting));
    }
    // Created first: errors in the config are reported before anything is written.
    let mut trainer = registry.trainer(config.clone())?;
    device::tell(&trainer, args.reporting.quiet);
    let mut session = match (beginning, &args.run_dir) {
        (None, Some(dir)) => Session::create(dir, trainer)?,
        (None, None) => Session::create_in_first_free(runs::new_directories(&config), trainer)?,
        (Some(beginning), dir) => {
            beginning.apply(&mut trainer)?;
            let run = match dir {
                Some(dir) => Run::create_from(dir, &trainer, &beginning)?,
                None => Run::create_from_in_first_free(runs::new_directories(&config), &trainer, &beginning)?,
            };
            Session::resume_with(run, trainer)?.0
        }
    };
    if let Some(Every::Minutes(pause)) = args.every {
        session = session.saving_every(pause);
    }
    session::train(args.execution.of(session, registry.machine()), registry, args.reporting)
}

/// The layers with what `--every`, `--keep` and `--on-nan` stand for.
fn with_saving(args: &TrainArgs) -> Layers {
    let mut layers = args.layers.clone();
    if let Some(Every::Steps(steps)) = args.every {
        layers.set.push(format!("checkpoint.every_steps={steps}"));
    }
    layers.set.extend(args.keep.map(|keep| format!("checkpoint.keep={keep}")));
    layers.set.extend(args.on_nan.map(|on_nan| match on_nan {
        OnNan::Stop => "train.on_nan=stop".to_owned(),
        OnNan::Skip => "train.on_nan=skip".to_owned(),
    }));
    layers
}
