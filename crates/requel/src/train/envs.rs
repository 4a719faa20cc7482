//! Creating the environments of a run.

use std::sync::Arc;

use requel_envs::wrappers::{ActionRepeat, ChannelStack, FrameStack, OneHot, StickyActions};
use requel_envs::{Env, EnvError, Registry, Space};

use super::guarded::guarded;
use super::{EnvIdentity, EnvOrigin};
use crate::config::EnvConfig;

/// Creates one more environment like the others of a run.
pub type EnvFactory = Box<dyn Fn() -> Result<Box<dyn Env>, EnvError> + Send>;

/// See [`Registry::env_factory`](crate::Registry::env_factory).
pub(crate) fn factory(registry: &Arc<Registry>, config: &EnvConfig) -> EnvFactory {
    let (envs, config) = (Arc::clone(registry), config.clone());
    let is_built_in = registry.is_built_in(&config.id) != Some(false);
    let factory: EnvFactory = Box::new(move || {
        let options = config.env_options().map_err(|option| EnvError::InvalidOption {
            id: config.id.clone(),
            option,
            reason: "has a type that environments do not accept".into(),
        })?;
        let mut env = envs.make_with(&config.id, &options)?;
        if config.sticky_actions > 0.0 {
            env = Box::new(StickyActions::new(env, config.sticky_actions)?);
        }
        if config.action_repeat > 1 {
            env = Box::new(ActionRepeat::new(env, config.action_repeat)?);
        }
        if config.frame_stack > 1 {
            env = stacked(for_network(env)?, config.frame_stack)?;
        }
        Ok(env)
    });
    if is_built_in { factory } else { guarded(factory) }
}

/// An environment with its last `n` observations stacked, images in the layout that a convolution reads.
fn stacked(env: Box<dyn Env>, n: usize) -> Result<Box<dyn Env>, EnvError> {
    match env.observation_space() {
        Space::Box { shape, .. } if matches!(shape.len(), 2 | 3) => Ok(Box::new(ChannelStack::new(env, n)?)),
        _ => Ok(Box::new(FrameStack::new(env, n)?)),
    }
}

/// An environment as a network sees it: discrete observations are one-hot.
///
/// # Errors
/// As [`OneHot::new`].
pub fn for_network(env: Box<dyn Env>) -> Result<Box<dyn Env>, EnvError> {
    match env.observation_space() {
        Space::Box { .. } => Ok(env),
        Space::Discrete { .. } | Space::MultiDiscrete { .. } => Ok(Box::new(OneHot::new(env)?)),
    }
}

/// `count` environments, at least one, as a network sees them, with their identity.
pub(crate) fn several(
    factory: &EnvFactory,
    origin: EnvOrigin,
    count: usize,
) -> Result<(Vec<Box<dyn Env>>, EnvIdentity), EnvError> {
    let first = factory()?;
    let identity = EnvIdentity::of(&*first, origin);
    let mut envs = vec![for_network(first)?];
    while envs.len() < count {
        envs.push(for_network(factory()?)?);
    }
    Ok((envs, identity))
}
