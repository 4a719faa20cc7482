//! What values a [`Config`] may hold, and which go together.

use super::{
    AgentKind, AnnealKind, BellmanGradient, Config, ConfigError, HeadKind, Place, ReplayKind, TargetKind, ValueClip,
};

impl Config {
    /// Checks a config that was put together in code; [`Layers`](super::Layers) checks those from text.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] with the first key that is out of range or at odds with another.
    pub fn check(&self) -> Result<(), ConfigError> {
        let place = || Place { source: "the config".into(), line: None };
        check(self).map_err(|(key, reason)| ConfigError::InvalidValue { key: key.into(), reason, place: place() })
    }
}

/// Names the first key that is out of range, with the rest of a sentence that the key begins.
pub(super) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    let Config {
        agent, network, optimizer, loss, replay, target, exploration, train, evaluation, checkpoint, log, ..
    } = config;

    check_env(config)?;
    within("agent.gamma", agent.gamma, 0.0, 1.0)?;
    within("agent.n_step", agent.n_step as f64, 1.0, 1_000.0)?;
    positive("agent.reward_scale", agent.reward_scale)?;
    within("agent.reward_clip", agent.reward_clip, 0.0, f64::MAX)?;
    check_head(config)?;
    check_rule(config)?;
    if agent.bellman_gradient == BellmanGradient::Residual && target.kind != TargetKind::None {
        let reason = "is `residual`, which differentiates the target and so needs `target.kind = \"none\"`";
        return Err(("agent.bellman_gradient", reason.into()));
    }
    within("network.noisy_sigma", network.noisy_sigma, 0.0, 100.0)?;
    if network.hidden.contains(&0) {
        return Err(("network.hidden", "has a layer without units".into()));
    }
    for [channels, kernel, stride] in &network.conv {
        if [channels, kernel, stride].contains(&&0) {
            return Err(("network.conv", format!("has a layer [{channels}, {kernel}, {stride}] with a 0 in it")));
        }
    }
    positive("optimizer.learning_rate", optimizer.learning_rate)?;
    below_one("optimizer.beta1", optimizer.beta1)?;
    below_one("optimizer.beta2", optimizer.beta2)?;
    positive("optimizer.epsilon", optimizer.epsilon)?;
    below_one("optimizer.alpha", optimizer.alpha)?;
    below_one("optimizer.momentum", optimizer.momentum)?;
    within("optimizer.max_gradient_norm", optimizer.max_gradient_norm, 0.0, f64::INFINITY)?;
    if optimizer.anneal == AnnealKind::Linear && train.env_steps == 0 {
        return Err(("optimizer.anneal", "is `linear`, which ends at `train.env_steps`, and that is 0".into()));
    }
    positive("loss.delta", loss.delta)?;
    at_least("replay.capacity", replay.capacity as u64, 1)?;
    at_least("replay.batch_size", replay.batch_size as u64, 1)?;
    match agent.kind {
        AgentKind::Naive => {}
        AgentKind::Dqn => check_replay(config)?,
        AgentKind::Pqn => check_pqn(config)?,
    }
    if target.kind != TargetKind::None {
        within("target.tau", target.tau, 0.0, 1.0)?;
        match (target.every_updates, target.every_env_steps) {
            (0, 0) => return Err(("target.every_updates", "and `target.every_env_steps` are both 0".into())),
            (1.., 1..) => {
                return Err((
                    "target.every_env_steps",
                    "and `target.every_updates` are both set: set the one that does not count to 0".into(),
                ));
            }
            _ => {}
        }
    }
    within("exploration.start", exploration.start, 0.0, 1.0)?;
    within("exploration.end", exploration.end, 0.0, 1.0)?;
    at_least("exploration.env_steps", exploration.env_steps, 1)?;
    if train.env_steps == 0 && train.episodes == 0 {
        return Err(("train.env_steps", "and `train.episodes` are both 0: training would never end".into()));
    }
    if i64::try_from(train.seed).is_err() {
        // TOML has no larger numbers, and a run's config is TOML.
        return Err(("train.seed", format!("is {}, above {}", train.seed, i64::MAX)));
    }
    within("train.num_envs", train.num_envs as f64, 1.0, 65_536.0)?;
    at_least("train.every_steps", train.every_steps, 1)?;
    at_least("train.updates", train.updates, 1)?;
    // Every return is kept until the score is told.
    within("evaluation.episodes", evaluation.episodes as f64, 1.0, 1e6)?;
    within("evaluation.final_episodes", evaluation.final_episodes as f64, 1.0, 1e6)?;
    within("evaluation.confirm_episodes", evaluation.confirm_episodes as f64, 0.0, 1e6)?;
    at_least("evaluation.max_episode_steps", evaluation.max_episode_steps, 1)?;
    if evaluation.stop_return.is_some_and(f64::is_nan) {
        return Err(("evaluation.stop_return", "is not a number".into()));
    }
    at_least("checkpoint.keep", checkpoint.keep as u64, 2)?;
    at_least("log.every_steps", log.every_steps, 1)
}

fn check_env(config: &Config) -> Result<(), (&'static str, String)> {
    let env = &config.env;
    within("env.frame_stack", env.frame_stack as f64, 1.0, 1_000.0)?;
    at_least("env.action_repeat", env.action_repeat.into(), 1)?;
    within("env.sticky_actions", env.sticky_actions, 0.0, 1.0)
}

fn check_head(config: &Config) -> Result<(), (&'static str, String)> {
    let (head, network) = (&config.head, &config.network);
    within("head.atoms", head.atoms as f64, 2.0, 10_000.0)?;
    let (v_min, v_max) = (head.v_min.number(), head.v_max.number());
    within("head.v_min", v_min.unwrap_or(0.0), -1e30, 1e30)?;
    within("head.v_max", v_max.unwrap_or(0.0), -1e30, 1e30)?;
    if let (Some(v_min), Some(v_max)) = (v_min, v_max)
        && v_min as f32 >= v_max as f32
    {
        return Err(("head.v_min", format!("is {v_min}, not below `head.v_max` {v_max}")));
    }
    check_value_clip(config)?;
    within("head.quantiles", head.quantiles as f64, 1.0, 10_000.0)?;
    within("head.kappa", head.kappa, 0.0, 1e30)?;
    within("head.fractions", head.fractions as f64, 1.0, 10_000.0)?;
    within("head.target_fractions", head.target_fractions as f64, 1.0, 10_000.0)?;
    within("head.acting_fractions", head.acting_fractions as f64, 1.0, 10_000.0)?;
    within("head.cosines", head.cosines as f64, 1.0, 10_000.0)?;
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

fn check_value_clip(config: &Config) -> Result<(), (&'static str, String)> {
    let (agent, key) = (&config.agent, "agent.value_clip");
    if let Some((low, high)) = agent.value_clip.numbers() {
        within(key, low, -1e30, 1e30)?;
        within(key, high, -1e30, 1e30)?;
        if low as f32 >= high as f32 {
            return Err((key, format!("is [{low}, {high}], whose first number is not below the second")));
        }
    }
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

fn check_rule(config: &Config) -> Result<(), (&'static str, String)> {
    let (agent, munchausen, scalar) = (&config.agent, &config.munchausen, config.head.kind == HeadKind::Scalar);
    within("munchausen.alpha", munchausen.alpha, 0.0, 1.0)?;
    positive("munchausen.temperature", munchausen.temperature)?;
    within("munchausen.clip", munchausen.clip, f64::MIN, 0.0)?;
    if agent.munchausen && config.head.kind == HeadKind::Categorical {
        let reason = "does not go with `head.kind = \"categorical\"`: use a scalar or quantile head";
        return Err(("agent.munchausen", reason.into()));
    }
    if agent.munchausen && agent.double {
        let reason = "does not go with `agent.double`: its softmax policy chooses where double Q-learning would";
        return Err(("agent.munchausen", reason.into()));
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

fn check_pqn(config: &Config) -> Result<(), (&'static str, String)> {
    let (agent, pqn) = (&config.agent, &config.pqn);
    within("pqn.rollout_steps", pqn.rollout_steps as f64, 1.0, 1e6)?;
    within("pqn.epochs", pqn.epochs as f64, 1.0, 1e6)?;
    within("pqn.lambda", pqn.lambda, 0.0, 1.0)?;
    at_least("pqn.minibatches", pqn.minibatches as u64, 1)?;
    let steps = pqn.rollout_steps * config.train.num_envs;
    if !steps.is_multiple_of(pqn.minibatches) {
        let reason = format!(
            "is {}, which does not divide a rollout of {steps} (`pqn.rollout_steps` × `train.num_envs`)",
            pqn.minibatches
        );
        return Err(("pqn.minibatches", reason));
    }
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

fn check_replay(config: &Config) -> Result<(), (&'static str, String)> {
    let replay = &config.replay;
    if replay.start >= replay.capacity {
        let reason =
            format!("is {}, but a buffer of `replay.capacity` {} never holds more", replay.start, replay.capacity);
        return Err(("replay.start", reason));
    }
    within("replay.priority_exponent", replay.priority_exponent, 0.0, 1.0)?;
    positive("replay.priority_epsilon", replay.priority_epsilon)?;
    within("replay.importance_start", replay.importance_start, 0.0, 1.0)?;
    within("replay.importance_end", replay.importance_end, 0.0, 1.0)?;
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

fn within(key: &'static str, value: f64, low: f64, high: f64) -> Result<(), (&'static str, String)> {
    // Written so that NaN is refused.
    if value >= low && value <= high { Ok(()) } else { Err((key, format!("is {value}, not between {low} and {high}"))) }
}

fn below_one(key: &'static str, value: f64) -> Result<(), (&'static str, String)> {
    if (0.0..1.0).contains(&value) { Ok(()) } else { Err((key, format!("is {value}, not at least 0 and below 1"))) }
}

fn positive(key: &'static str, value: f64) -> Result<(), (&'static str, String)> {
    if value > 0.0 && value.is_finite() { Ok(()) } else { Err((key, format!("is {value}, not above 0 and finite"))) }
}

fn at_least(key: &'static str, value: u64, least: u64) -> Result<(), (&'static str, String)> {
    if value >= least { Ok(()) } else { Err((key, format!("is {value}, not {least} or more"))) }
}
