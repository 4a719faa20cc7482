//! What values a [`Config`] may hold, and which go together.

use super::{AgentKind, BellmanGradient, Config, ConfigError, Place, TargetKind};

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

    within("agent.gamma", agent.gamma, 0.0, 1.0)?;
    if agent.bellman_gradient == BellmanGradient::Residual && target.kind != TargetKind::None {
        let reason = "is `residual`, which differentiates the target and so needs `target.kind = \"none\"`";
        return Err(("agent.bellman_gradient", reason.into()));
    }
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
    positive("loss.delta", loss.delta)?;
    at_least("replay.capacity", replay.capacity as u64, 1)?;
    at_least("replay.batch_size", replay.batch_size as u64, 1)?;
    if agent.kind == AgentKind::Dqn {
        check_replay(config)?;
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
    at_least("evaluation.max_episode_steps", evaluation.max_episode_steps, 1)?;
    if evaluation.stop_return.is_some_and(f64::is_nan) {
        return Err(("evaluation.stop_return", "is not a number".into()));
    }
    at_least("checkpoint.keep", checkpoint.keep as u64, 2)?;
    at_least("log.every_steps", log.every_steps, 1)
}

fn check_replay(config: &Config) -> Result<(), (&'static str, String)> {
    let replay = &config.replay;
    if replay.start >= replay.capacity {
        let reason =
            format!("is {}, but a buffer of `replay.capacity` {} never holds more", replay.start, replay.capacity);
        return Err(("replay.start", reason));
    }
    if !replay.replacement && replay.batch_size > replay.start + 1 {
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
