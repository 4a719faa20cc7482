//! Your own parts for requel in a crate of your own, each with the name that configs use:
//!
//! | part | its name in a config |
//! |---|---|
//! | [`greenhouse`], an environment | `env.id = "Greenhouse-v0"` |
//! | [`tabular`], an agent that is a table | `agent.name = "tabular"` |
//! | [`linear`], a network with its own way of learning | `agent.executor = "linear"` |
//! | [`expectile`], a head: what values are and how they are learned | `head.name = "expectile"` |
//! | [`mellowmax`], a TD rule | `agent.rule = "mellowmax"` |
//! | a network of requel's layers, in another order | `network.name = "normalised"` |
//! | [`recent`], a replay buffer | `replay.name = "recent"` |
//! | [`persistent`], an exploration | `exploration.name = "persistent"` |
//!
//! [`streaks`] logs numbers of its own while it listens.
//!
//! [`registry`] registers them; `main.rs` is a program with every verb for them.
#![forbid(unsafe_code)]

pub mod expectile;
pub mod greenhouse;
pub mod linear;
pub mod mellowmax;
pub mod persistent;
pub mod recent;
pub mod streaks;
pub mod tabular;

use std::error::Error;
use std::sync::Arc;

use requel::Registry;
use requel::agent::Readout;
use requel_envs::TimeLimit;
use requel_nn::{Activation, LayerSpec, NetworkSpec};

use expectile::Expectile;
use greenhouse::{DAY, Greenhouse};
use linear::LinearExecutor;
use mellowmax::Mellowmax;
use persistent::Persistent;
use recent::RecentReplay;
use tabular::TabularAgent;

/// What requel has, and the parts of this crate.
///
/// # Errors
/// If a name is taken.
pub fn registry() -> Result<Registry, Box<dyn Error>> {
    let mut registry = Registry::built_in();
    registry.register_env(|| Ok(Box::new(TimeLimit::new(Greenhouse::new(), DAY)?)))?;
    registry.register_agent("tabular", |config, env| Ok(Box::new(TabularAgent::new(config, env)?)))?;
    registry.register_executor("linear", |config, env| Ok(Box::new(LinearExecutor::new(config, env)?)))?;
    registry.register_head("expectile", |_, _| Ok((Readout::Scalar, Arc::new(Expectile { tau: 0.7 }))))?;
    registry.register_rule("mellowmax", |_, _| Ok(Arc::new(Mellowmax { omega: 5.0 })))?;
    registry.register_network("normalised", |_, env| {
        // What comes in is normalised before the first layer, whatever its units are.
        let activation = Activation::Identity;
        let dense = |outputs, activation| LayerSpec::Dense { outputs, activation };
        let layers = vec![
            LayerSpec::LayerNorm { activation, epsilon: LayerSpec::DEFAULT_EPSILON },
            dense(32, Activation::Tanh),
            dense(env.actions.count, activation),
        ];
        Ok(NetworkSpec { input_shape: vec![env.observations.len()], input_scale: 1.0, layers })
    })?;
    registry.register_replay("recent", |config, env| Ok(Box::new(RecentReplay::new(config, env)?)))?;
    registry.register_explorer("persistent", |config, _| Ok(Box::new(Persistent::new(config))))?;
    Ok(registry)
}
