//! Making the environments of a run.

use requel_envs::wrappers::{ActionRepeat, ChannelStack, FrameStack, OneHot, StickyActions};
use requel_envs::{Env, EnvError, Space, make_with};

use crate::config::EnvConfig;

/// Makes one more environment like the others of a run.
pub type EnvFactory = Box<dyn Fn() -> Result<Box<dyn Env>, EnvError> + Send>;

/// The factory for an environment of the registry with all that a config puts around it: options, sticky and repeated actions,
/// stacked observations. Whoever shows a policy its environment again takes it from here too.
pub fn env_factory(config: &EnvConfig) -> EnvFactory {
    let config = config.clone();
    Box::new(move || {
        let options = config.env_options().map_err(|option| EnvError::InvalidOption {
            id: config.id.clone(),
            option,
            reason: "is of a kind that no environment takes".into(),
        })?;
        let mut env = make_with(&config.id, &options)?;
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
    })
}

/// An environment whose last `n` observations are shown as one, images as a convolution reads them.
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

/// `count` environments, as a network sees them.
pub(crate) fn several(factory: &EnvFactory, count: usize) -> Result<Vec<Box<dyn Env>>, EnvError> {
    (0..count).map(|_| for_network(factory()?)).collect()
}
