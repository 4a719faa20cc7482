//! `requel train --from`: what a new run starts from.

use std::path::PathBuf;

use requel::Registry;
use requel::policy_file::PolicyFile;
use requel::run::{Beginning, Run, Weights};

use crate::args::{Layers, TrainArgs, Which};
use crate::exit::Failure;
use crate::{missing, runs};

/// The starting point named on the command line, if any, and the layers of settings that go with it.
///
/// # Errors
/// If it is neither a run nor a policy, or lacks what was requested.
pub fn read(args: &TrainArgs, layers: Layers, registry: &Registry) -> Result<(Option<Beginning>, Layers), Failure> {
    let Some(from) = &args.from else { return Ok((None, layers)) };
    if missing::is_missing(from) {
        return Err(missing::no_such_path(from, "name a run's directory or a policy's file"));
    }
    if !from.is_file() {
        let run = Run::open(from)?;
        // Checked first: if this program lacks the run's own environment, the error names the program that has it.
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
            "{} is a policy file: it holds one set of weights and no replay buffer",
            from.display()
        ))
        .hint("name the run that it came from"));
    }
    let beginning = Beginning::from_file(from)?;
    let mut layers = layers;
    if layers.env.is_none() && layers.config.is_none() {
        let policy = beginning.policy();
        runs::policy_env(policy, from, registry)?;
        layers.env = Some(policy.env_id.clone());
        // Added before the settings on the command line, which take precedence.
        layers.set.splice(0..0, made_so(policy));
    }
    Ok((Some(beginning), layers))
}

/// The run's settings, used unless an environment, a preset or a file is named.
fn unless_named(mut layers: Layers, settings: PathBuf) -> Layers {
    if layers.env.is_none() && layers.preset.is_none() && layers.algo.is_none() && layers.config.is_none() {
        layers.config = Some(settings);
    }
    layers
}

/// The settings that create the policy's environment.
fn made_so(policy: &PolicyFile) -> Vec<String> {
    let env = &policy.env;
    let mut set: Vec<String> = env.options.iter().map(|(name, value)| format!("env.options.{name}={value}")).collect();
    set.push(format!("env.frame_stack={}", env.frame_stack));
    set.push(format!("env.action_repeat={}", env.action_repeat));
    set.push(format!("env.sticky_actions={}", env.sticky_actions));
    set
}
