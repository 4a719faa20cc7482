//! The preset that an environment has of its own, and what another's has no say in.

use super::{Config, ConfigError, Layers, presets};

/// What a preset says of its own environment alone: the return to stop at, and the support of returns.
const OF_ITS_ENVIRONMENT: [&str; 3] = ["evaluation.stop_return", "head.v_min", "head.v_max"];

impl Layers {
    /// These layers for the environment that they name: over the preset that it has of its own, where none is named; and without
    /// what a preset says that was made for another environment and holds for that one alone.
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
            // It lies under all that was said.
            self = self.preset(preset.name)?;
        }
        let preset_of = self.preset_says("env.id").map(str::to_owned);
        match (said, preset_of) {
            (Some(id), Some(own)) if !are_alike(&id, &own) => Ok(self.without_the_presets(&OF_ITS_ENVIRONMENT)),
            _ => Ok(self),
        }
    }
}

/// Whether what a preset says of one environment holds for the other: the five MinAtar games are alike, and so are Atari's.
fn are_alike(id: &str, other: &str) -> bool {
    id == other || ["MinAtar/", "atari/"].iter().any(|family| id.starts_with(family) && other.starts_with(family))
}
