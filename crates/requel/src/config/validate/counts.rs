//! The range of every whole number.

use super::check::Fault;
use crate::config::{AgentKind, Config, TargetKind};

/// Names the first count that is out of its range.
pub(super) fn check(config: &Config) -> Result<(), Fault> {
    let Config { env, agent, network, replay, exploration, train, evaluation, checkpoint, log, .. } = config;
    within("env.frame_stack", env.frame_stack as u64, 1, 1_000)?;
    within("env.action_repeat", env.action_repeat.into(), 1, 1_000)?;
    within("agent.n_step", agent.n_step as u64, 1, 1_000)?;
    check_head(config)?;
    if network.hidden.contains(&0) {
        return Err(("network.hidden", "has a layer without units".into()));
    }
    for [channels, kernel, stride] in &network.conv {
        if [channels, kernel, stride].contains(&&0) {
            return Err(("network.conv", format!("has a layer [{channels}, {kernel}, {stride}] with a 0 in it")));
        }
    }
    at_least("replay.capacity", replay.capacity as u64, 1)?;
    at_least("replay.batch_size", replay.batch_size as u64, 1)?;
    check_target(config)?;
    if agent.kind == AgentKind::Pqn {
        check_pqn(config)?;
    }
    at_least("exploration.env_steps", exploration.env_steps, 1)?;
    if train.env_steps == 0 && train.episodes == 0 {
        return Err(("train.env_steps", "and `train.episodes` are both 0: training would never end".into()));
    }
    // TOML has no larger numbers, and a run's config is TOML.
    within("train.seed", train.seed, 0, i64::MAX as u64)?;
    within("train.num_envs", train.num_envs as u64, 1, 65_536)?;
    at_least("train.every_steps", train.every_steps, 1)?;
    // What is between two looks at a signal takes seconds at most: the updates of a step, and the steps of an action.
    within("train.updates", train.updates, 1, 10_000)?;
    // Every return is kept until the score is told.
    within("evaluation.episodes", evaluation.episodes as u64, 1, 1_000_000)?;
    within("evaluation.final_episodes", evaluation.final_episodes as u64, 1, 1_000_000)?;
    within("evaluation.confirm_episodes", evaluation.confirm_episodes as u64, 0, 1_000_000)?;
    at_least("evaluation.max_episode_steps", evaluation.max_episode_steps, 1)?;
    at_least("checkpoint.keep", checkpoint.keep as u64, 2)?;
    at_least("log.every_steps", log.every_steps, 1)
}

fn check_head(config: &Config) -> Result<(), Fault> {
    let head = &config.head;
    within("head.atoms", head.atoms as u64, 2, 10_000)?;
    within("head.quantiles", head.quantiles as u64, 1, 10_000)?;
    within("head.fractions", head.fractions as u64, 1, 10_000)?;
    within("head.target_fractions", head.target_fractions as u64, 1, 10_000)?;
    within("head.acting_fractions", head.acting_fractions as u64, 1, 10_000)?;
    within("head.cosines", head.cosines as u64, 1, 10_000)
}

fn check_target(config: &Config) -> Result<(), Fault> {
    let target = &config.target;
    match (target.every_updates, target.every_env_steps) {
        _ if target.kind == TargetKind::None => Ok(()),
        (0, 0) => Err(("target.every_updates", "and `target.every_env_steps` are both 0".into())),
        (1.., 1..) => Err((
            "target.every_env_steps",
            "and `target.every_updates` are both set: set the one that does not count to 0".into(),
        )),
        _ => Ok(()),
    }
}

fn check_pqn(config: &Config) -> Result<(), Fault> {
    let pqn = &config.pqn;
    within("pqn.rollout_steps", pqn.rollout_steps as u64, 1, 1_000_000)?;
    within("pqn.epochs", pqn.epochs as u64, 1, 1_000)?;
    at_least("pqn.minibatches", pqn.minibatches as u64, 1)?;
    let steps = pqn.rollout_steps * config.train.num_envs;
    if !steps.is_multiple_of(pqn.minibatches) {
        let reason = format!(
            "is {}, which does not divide a rollout of {steps} (`pqn.rollout_steps` × `train.num_envs`)",
            pqn.minibatches
        );
        return Err(("pqn.minibatches", reason));
    }
    Ok(())
}

fn within(key: &'static str, value: u64, low: u64, high: u64) -> Result<(), Fault> {
    if (low..=high).contains(&value) { Ok(()) } else { Err((key, format!("is {value}, not between {low} and {high}"))) }
}

fn at_least(key: &'static str, value: u64, least: u64) -> Result<(), Fault> {
    if value >= least { Ok(()) } else { Err((key, format!("is {value}, not {least} or more"))) }
}
