//! The preset that an environment has of its own, and which settings of another's preset do not apply to it.

use super::{Config, ConfigError, Layers, presets};

/// Settings of a preset that hold only for its own environment: the return at which to stop, and the support of returns.
const OF_ITS_ENVIRONMENT: [&str; 3] = ["evaluation.stop_return", "head.v_min", "head.v_max"];

impl Layers {
    /// These layers for the environment that they name: on top of its own preset if no other is named, and without the settings of a preset
    /// that hold only for the environment it was made for.
    ///
    /// ```
    /// use requel::config::Layers;
    ///
    /// let config = Layers::new().set("env.id=\"CartPole-v1\"")?.for_env()?.resolve()?;
    /// assert_eq!((config.preset.as_str(), config.evaluation.stop_return), ("cartpole", Some(500.0)));
    /// let other = Layers::new().preset("cartpole")?.set("env.id=\"Acrobot-v1\"")?.for_env()?.resolve()?;
    /// assert_eq!(other.evaluation.stop_return, None);
    /// # Ok::<(), requel::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Layers::preset`].
    pub fn for_env(mut self) -> Result<Self, ConfigError> {
        let said = self.text_of("env.id").map(str::to_owned);
        let env_id = said.clone().unwrap_or_else(|| Config::default().env.id);
        if self.named_preset().is_none()
            && let Some(preset) = presets::default_for(&env_id)
        {
            // This is the lowest layer.
            self = self.preset(preset.name)?;
        }
        let preset_of = self.preset_says("env.id").map(str::to_owned);
        match (said, preset_of) {
            (Some(id), Some(own)) if !are_alike(&id, &own) => Ok(self.without_the_presets(&OF_ITS_ENVIRONMENT)),
            _ => Ok(self),
        }
    }
}

/// Whether the settings of a preset that hold only for one environment also hold for the other: the five MinAtar games are alike, and so
/// are Atari's.
fn are_alike(id: &str, other: &str) -> bool {
    id == other || ["MinAtar/", "atari/"].iter().any(|family| id.starts_with(family) && other.starts_with(family))
}
