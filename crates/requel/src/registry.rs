//! [`Registry`]: the parts that a config can name, those of this crate and one's own.

use std::sync::Arc;

use requel_envs::{Env, EnvError, EnvOptions, OptionSpec};

use crate::config::{Config, EnvConfig};
use crate::train::{EnvFactory, EnvIdentity, EnvOrigin, TrainError, Trainer, envs};

/// What a config can name, by name: a value that is passed to whatever is made from a config, or from a run that was. A clone
/// costs nothing much.
///
/// ```
/// use requel::{Registry, config::Layers};
/// use requel_envs::{Step, TimeLimit, closure::from_closures};
///
/// let mut registry = Registry::built_in();
/// registry.register_env(|| {
///     let corridor = from_closures("Corridor-v0", 2, |_| [0.0], |[x], action, _| {
///         *x += if action == 1 { 0.1 } else { -0.1 };
///         Step { reward: -0.01, terminated: *x >= 1.0, truncated: false }
///     });
///     Ok(Box::new(TimeLimit::new(corridor, 200)?))
/// })?;
/// let config = Layers::new().set("env.id=\"Corridor-v0\"")?.set("train.env_steps=500")?.resolve()?;
/// let mut trainer = registry.trainer(config)?;
/// trainer.run(&mut ())?;
/// assert_eq!(trainer.env_id(), "Corridor-v0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    envs: Arc<requel_envs::Registry>,
}

impl Registry {
    /// What this crate has.
    pub fn built_in() -> Self {
        Registry { envs: Arc::new(requel_envs::Registry::built_in()) }
    }

    /// A registry of nothing.
    pub fn empty() -> Self {
        Registry { envs: Arc::new(requel_envs::Registry::empty()) }
    }

    /// Adds an environment of one's own, under the id of its spec. It is made once, so as to be asked for that.
    ///
    /// # Errors
    /// As [`requel_envs::Registry::register`].
    pub fn register_env(
        &mut self,
        make: impl Fn() -> Result<Box<dyn Env>, EnvError> + Send + Sync + 'static,
    ) -> Result<(), EnvError> {
        Arc::make_mut(&mut self.envs).register(make)
    }

    /// As [`Registry::register_env`], for an environment that takes options, which a config sets under `env.options`.
    ///
    /// # Errors
    /// As [`requel_envs::Registry::register_with`].
    pub fn register_env_with(
        &mut self,
        options: Vec<OptionSpec>,
        make: impl Fn(&EnvOptions) -> Result<Box<dyn Env>, EnvError> + Send + Sync + 'static,
    ) -> Result<(), EnvError> {
        Arc::make_mut(&mut self.envs).register_with(options, make)
    }

    /// The environments.
    pub fn envs(&self) -> &requel_envs::Registry {
        &self.envs
    }

    /// The factory for an environment with all that a config puts around it: options, sticky and repeated actions, stacked
    /// observations. One's own are watched over: what breaks their contract, a panic too, is an [`EnvError`] that says what.
    pub fn env_factory(&self, config: &EnvConfig) -> EnvFactory {
        envs::factory(&self.envs, config)
    }

    /// What the environment of a config is known by.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn env_identity(&self, config: &EnvConfig) -> Result<EnvIdentity, EnvError> {
        Ok(EnvIdentity::of(&*self.env_factory(config)()?, self.env_origin(&config.id)))
    }

    /// Where the environment of this id came from.
    pub fn env_origin(&self, id: &str) -> EnvOrigin {
        match self.envs.is_built_in(id) {
            Some(true) => EnvOrigin::BuiltIn,
            _ => EnvOrigin::Registered,
        }
    }

    /// A trainer of a config, before its first step.
    ///
    /// # Errors
    /// If the config holds a value out of range, or the environment or the agent cannot be made.
    pub fn trainer(&self, config: Config) -> Result<Trainer, TrainError> {
        let (factory, origin) = (self.env_factory(&config.env), self.env_origin(&config.env.id));
        Trainer::from_factory(config, factory, origin)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Registry::built_in()
    }
}
