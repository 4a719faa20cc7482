//! `requel train --from`: what a new run begins from.

use std::path::PathBuf;

use requel::Registry;
use requel::policy_file::PolicyFile;
use requel::run::{Beginning, Run, Weights};

use crate::args::{Layers, TrainArgs, Which};
use crate::exit::Failure;
use crate::{missing, runs};

/// What was named, if something was, and the layers of settings that go with it.
///
/// # Errors
/// If it is no run and no policy, or lacks what is asked for.
pub fn read(args: &TrainArgs, layers: Layers, registry: &Registry) -> Result<(Option<Beginning>, Layers), Failure> {
    let Some(from) = &args.from else { return Ok((None, layers)) };
    if missing::is_missing(from) {
        return Err(missing::no_such_path(from, "name a run's directory or a policy's file"));
    }
    if !from.is_file() {
        let run = Run::open(from)?;
        // Found out first: that a program does not have the run's own environment says who has it.
        if layers.env.as_ref().is_none_or(|id| run.config().is_ok_and(|config| config.env.id == *id)) {
            drop(run.env_factory(registry)?);
        }
        let weights = if args.weights == Which::Last { Weights::Last } else { Weights::Best };
        let beginning = Beginning::from_run(&run, weights, registry)?;
        let beginning = if args.with_replay { beginning.with_replay(&run)? } else { beginning };
        let settings = run.segments()?.pop().expect("there is always one").path;
        return Ok((Some(beginning), unless_named(layers, settings)));
    }
    runs::refuse_packed(from)?;
    if args.with_replay || args.weights == Which::Last {
        return Err(Failure::bad_input(format_args!(
            "{} is a policy's file: it has one set of weights and no replay buffer",
            from.display()
        ))
        .hint("name the run that it is of"));
    }
    let beginning = Beginning::from_file(from)?;
    let mut layers = layers;
    if layers.env.is_none() && layers.config.is_none() {
        let policy = beginning.policy();
        runs::policy_env(policy, from, registry)?;
        layers.env = Some(policy.env_id.clone());
        // Before what is set: that counts more.
        layers.set.splice(0..0, made_so(policy));
    }
    Ok((Some(beginning), layers))
}

/// The run's settings, where nothing else says which.
fn unless_named(mut layers: Layers, settings: PathBuf) -> Layers {
    if layers.env.is_none() && layers.preset.is_none() && layers.algo.is_none() && layers.config.is_none() {
        layers.config = Some(settings);
    }
    layers
}

/// How the policy's environment is made, as settings.
fn made_so(policy: &PolicyFile) -> Vec<String> {
    let env = &policy.env;
    let mut set: Vec<String> = env.options.iter().map(|(name, value)| format!("env.options.{name}={value}")).collect();
    set.push(format!("env.frame_stack={}", env.frame_stack));
    set.push(format!("env.action_repeat={}", env.action_repeat));
    set.push(format!("env.sticky_actions={}", env.sticky_actions));
    set
}
