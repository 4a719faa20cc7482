//! Which values go together.

use super::check::Fault;
use crate::config::{AgentKind, AnnealKind, BellmanGradient, Config, HeadKind, ReplayKind, TargetKind, ValueClip};

/// Names the first key that is at odds with another.
pub(super) fn check(config: &Config) -> Result<(), Fault> {
    let Config { agent, optimizer, target, train, .. } = config;
    check_head(config)?;
    check_rule(config)?;
    check_value_clip(config)?;
    if agent.bellman_gradient == BellmanGradient::Residual && target.kind != TargetKind::None {
        let reason = "is `residual`, which differentiates the target and so needs `target.kind = \"none\"`";
        return Err(("agent.bellman_gradient", reason.into()));
    }
    if optimizer.anneal == AnnealKind::Linear && train.env_steps == 0 {
        return Err(("optimizer.anneal", "is `linear`, which ends at `train.env_steps`, and that is 0".into()));
    }
    match agent.kind {
        AgentKind::Naive => Ok(()),
        AgentKind::Dqn => check_replay(config),
        AgentKind::Pqn => check_pqn(config),
    }
}

fn check_head(config: &Config) -> Result<(), Fault> {
    let (head, network) = (&config.head, &config.network);
    if head.kind != HeadKind::ImplicitQuantile {
        return Ok(());
    }
    if network.hidden.is_empty() && network.conv.is_empty() {
        let reason =
            "is `implicit-quantile`, which needs a layer in `network.hidden` or `network.conv` to embed fractions in";
        return Err(("head.kind", reason.into()));
    }
    if config.target.kind == TargetKind::None && head.fractions != head.target_fractions {
        let reason = format!(
            "is {}, but without a target network one pass looks at both states: set it to `head.fractions`, {}",
            head.target_fractions, head.fractions
        );
        return Err(("head.target_fractions", reason));
    }
    Ok(())
}

fn check_value_clip(config: &Config) -> Result<(), Fault> {
    let (agent, key) = (&config.agent, "agent.value_clip");
    if agent.value_clip == ValueClip::OFF {
        return Ok(());
    }
    if config.head.uses_support() {
        let reason = "does not go with `head.kind = \"categorical\"`, whose support bounds the values: set `head.v_min` and `head.v_max`";
        return Err((key, reason.into()));
    }
    if agent.bellman_gradient == BellmanGradient::Residual {
        let reason = "does not go with `agent.bellman_gradient = \"residual\"`, which differentiates the target";
        return Err((key, reason.into()));
    }
    Ok(())
}

fn check_rule(config: &Config) -> Result<(), Fault> {
    let (agent, scalar) = (&config.agent, config.head.kind == HeadKind::Scalar);
    if agent.munchausen && config.head.kind == HeadKind::Categorical {
        let reason = "does not go with `head.kind = \"categorical\"`: use a scalar or quantile head";
        return Err(("agent.munchausen", reason.into()));
    }
    if agent.munchausen && agent.double {
        let reason = "does not go with `agent.double`: its softmax policy chooses where double Q-learning would";
        return Err(("agent.munchausen", reason.into()));
    }
    if agent.munchausen && agent.n_step > 1 {
        let reason = format!(
            "does not go with `agent.n_step` = {}: its bonus is of one step (Vieillard et al. 2020), and the rewards of those after \
             the first would be without it; set `agent.n_step` to 1",
            agent.n_step
        );
        return Err(("agent.munchausen", reason));
    }
    if agent.bellman_gradient == BellmanGradient::Residual && (agent.munchausen || !scalar) {
        let reason = "is `residual`, which is for Q-learning with `head.kind = \"scalar\"`";
        return Err(("agent.bellman_gradient", reason.into()));
    }
    if agent.kind == AgentKind::Naive && agent.n_step > 1 {
        let reason = format!("is {}, but the naive agent learns from each step as it comes", agent.n_step);
        return Err(("agent.n_step", reason));
    }
    Ok(())
}

fn check_pqn(config: &Config) -> Result<(), Fault> {
    let agent = &config.agent;
    let without = |key, is_set: bool, what: &str| {
        if is_set { Err((key, format!("is {what}, which `agent.kind = \"pqn\"` does not use"))) } else { Ok(()) }
    };
    without("agent.double", agent.double, "true")?;
    without("agent.munchausen", agent.munchausen, "true")?;
    without("agent.n_step", agent.n_step > 1, "above 1")?;
    without("agent.bellman_gradient", agent.bellman_gradient == BellmanGradient::Residual, "`residual`")?;
    without("head.kind", config.head.kind != HeadKind::Scalar, "not `scalar`")?;
    without("network.noisy", config.network.noisy, "true")?;
    without("target.kind", config.target.kind != TargetKind::None, "not `none`")
}

fn check_replay(config: &Config) -> Result<(), Fault> {
    let replay = &config.replay;
    if replay.start >= replay.capacity {
        let reason =
            format!("is {}, but a buffer of `replay.capacity` {} never holds more", replay.start, replay.capacity);
        return Err(("replay.start", reason));
    }
    if replay.kind == ReplayKind::Prioritized && config.importance_env_steps() == 0 {
        let reason = "is 0, which stands for `train.env_steps`, and that is 0 too".into();
        return Err(("replay.importance_env_steps", reason));
    }
    let without_replacement = replay.kind == ReplayKind::Uniform && !replay.replacement;
    if without_replacement && replay.batch_size > replay.start + 1 {
        let reason = format!(
            "is {}, more than the {} transitions at which `replay.start` lets learning start (batches are drawn without replacement)",
            replay.batch_size,
            replay.start + 1
        );
        return Err(("replay.batch_size", reason));
    }
    Ok(())
}
