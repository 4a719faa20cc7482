//! Parts of one's own for requel, as a crate outside of it brings them, each by its name:
//!
//! | part | its name in a config |
//! |---|---|
//! | [`greenhouse`], an environment | `env.id = "Greenhouse-v0"` |
//! | [`tabular`], an agent that is a table | `agent.name = "tabular"` |
//! | [`linear`], a network with its own way of learning | `agent.executor = "linear"` |
//! | [`recent`], a replay buffer | `replay.name = "recent"` |
//! | [`persistent`], an exploration | `exploration.name = "persistent"` |
//!
//! [`streaks`] logs numbers of its own while it listens.
//!
//! [`registry`] registers them; `main.rs` is a program with every verb for them.
#![forbid(unsafe_code)]

pub mod greenhouse;
pub mod linear;
pub mod persistent;
pub mod recent;
pub mod streaks;
pub mod tabular;

use std::error::Error;

use requel::Registry;
use requel_envs::TimeLimit;

use greenhouse::{DAY, Greenhouse};
use linear::LinearExecutor;
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
    registry.register_replay("recent", |config, env| Ok(Box::new(RecentReplay::new(config, env)?)))?;
    registry.register_explorer("persistent", |config, _| Ok(Box::new(Persistent::new(config))))?;
    Ok(registry)
}
