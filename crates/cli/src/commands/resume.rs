//! `requel resume`: continues one run, or all runs of a directory.

use requel::Registry;
use requel::config::{Config, Layers};
use requel::run::{Resumed, Run, Session};
use requel::train::Termination;
use requel::tune::is_search;

use crate::args::ResumeArgs;
use crate::commands::study;
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::{advice, device, runs, seeds, session, style};

/// Continues a run from its newest intact checkpoint.
pub fn run(args: &ResumeArgs, registry: &Registry) -> Result<Exit, Failure> {
    // A finished run continues if its settings change.
    let newest = || match args.set.is_empty() {
        true => runs::newest_whole(runs::is_unfinished),
        false => runs::newest_whole(|run| !run.is_in_use()),
    };
    let dir = args.run.clone().map_or_else(newest, Ok)?;
    if is_search(&dir) {
        let hint = format!("continue it with the command that started it: `requel tune … --run-dir {}`", dir.display());
        return Err(Failure::bad_input(format!("{} is a search", dir.display())).hint(hint));
    }
    if let Some(found) = seeds::below(&dir)? {
        return match study::kept_in(&dir)? {
            Some(_) if !args.set.is_empty() => Err(Failure::bad_input("a study takes its settings from its file")
                .hint("change the file and run it again, or name one of the runs below")),
            Some(kept) => study::go_on(&kept, &dir, registry, args.reporting),
            None => {
                change_all(&found, &args.set, registry)?;
                let configs = found.iter().map(|run| Ok(run.config()?)).collect::<Result<Vec<_>, Failure>>()?;
                advice::warn_of(configs.iter().map(|config| (None, config)), registry);
                seeds::resume(&dir, &found, registry, args.reporting)
            }
        };
    }
    let run = runs::open(Some(&dir))?;
    let summary = run.summary();
    if let Err(error) = &summary {
        style::warn(format_args!("{error}; writing it again"));
    }
    let finished = run.is_finished() || summary.is_err();
    let was_asked = matches!(&summary, Ok(Some(summary)) if summary.termination == Termination::Asked);
    let dir = run.dir().display().to_string();
    let before = run.config()?;
    let (session, resumed) = match changed(&run, &args.set)? {
        Some((layers, config)) => {
            advice::warn_of_unused(&layers, &config);
            Session::extend_with(run.clone(), run.trainer_of(config, registry)?)?
        }
        None => Session::resume_with(run.clone(), run.trainer(registry)?)?,
    };
    for damaged in &resumed.damaged {
        style::warn(format_args!("{damaged}; using the checkpoint before it"));
    }
    if resumed.begins_new_episodes {
        style::warn(
            "this environment cannot save its state: training continues with new episodes, and the results will differ \
            from those of a run that was never interrupted",
        );
    }
    if !args.reporting.quiet {
        match resumed.env_steps {
            _ if resumed.changed.is_some() => say_changes(&dir, &resumed),
            _ if was_asked => style::say(format_args!(
                "an observer ended {dir}; only its final evaluation is repeated. To continue training, change the \
                 budget: `requel resume {dir} --set train.env_steps=N`"
            )),
            _ if finished => style::say(format_args!("{dir} is finished; only its final evaluation is repeated")),
            0 => style::say(format_args!("{dir} has no checkpoint yet; training starts from the beginning")),
            steps => style::say(format_args!("continuing {dir} from env step {}", grouped(steps))),
        }
    }
    if resumed.changed.is_some() {
        warn_of_jumps(&before, &session);
    }
    device::tell(session.trainer(), args.reporting.quiet);
    if !finished {
        advice::warn_of([(None, session.trainer().config())], registry);
    }
    session::train(args.execution.of(session, registry.machine()), registry, args.reporting)
}

/// The config with which a run continues if settings were given, and its layers.
fn changed(run: &Run, set: &[String]) -> Result<Option<(Layers, Config)>, Failure> {
    if set.is_empty() {
        return Ok(None);
    }
    let last = run.segments()?.pop().expect("there is always one");
    let layers = set.iter().try_fold(Layers::new().record(&last.path)?, |layers, one| layers.set(one))?;
    let config = layers.resolve()?;
    last.config.check_changes(&config)?;
    Ok(Some((layers, config)))
}

/// Records the new settings in each run. All are checked first, so that nothing is changed if one run refuses them.
fn change_all(found: &[Run], set: &[String], registry: &Registry) -> Result<(), Failure> {
    let configs = found.iter().map(|run| changed(run, set)).collect::<Result<Vec<_>, _>>()?;
    // What is set is the same for all.
    if let Some((layers, config)) = configs.iter().flatten().next() {
        advice::warn_of_unused(layers, config);
    }
    for (run, config) in found.iter().zip(configs) {
        if let Some((_, config)) = config {
            Session::extend_with(run.clone(), run.trainer_of(config, registry)?)?;
        }
    }
    Ok(())
}

fn say_changes(dir: &str, resumed: &Resumed) {
    let Some(segment) = &resumed.changed else { return };
    style::say(format_args!(
        "continuing {dir} from env step {}, as segment {}:",
        grouped(resumed.env_steps),
        segment.number
    ));
    segment.changes.iter().for_each(|change| style::say(format_args!("  {change}")));
}

/// Warns of values that jump here because they depend on the budget or a schedule that was changed.
fn warn_of_jumps(before: &Config, session: &Session) {
    let (config, env_steps) = (session.trainer().config(), session.trainer().env_steps());
    let same_course = before.optimizer == config.optimizer && before.exploration == config.exploration;
    let rates = [before, config].map(|config| config.learning_rate().at(env_steps));
    if same_course && rates[0] != rates[1] {
        style::warn(format_args!(
            "the learning rate jumps from {:.3e} to {:.3e} here: it is annealed over `train.env_steps`, which changed",
            rates[0], rates[1]
        ));
    }
}
