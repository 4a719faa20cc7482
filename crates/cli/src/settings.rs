//! From the command line's layers to a `Config`: preset, then file, then `--set`, then the options with a name of
//! their own.

use std::path::Path;

use requel::config::{Config, ConfigError, Layers, presets};
use requel::run::later_segments;

use crate::args;
use crate::exit::Failure;
use crate::runs;
use crate::style;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Failure { hint, ..Failure::bad_input(error) }
    }
}

/// The layers, and the config that they come to. The world is known to exist and to take its options.
pub fn resolve(args: &args::Layers) -> Result<(Layers, Config), Failure> {
    let base = match &args.preset {
        Some(name) => Layers::new().preset(name)?,
        None => match implied_preset(args)? {
            Some(name) => Layers::new().preset(name)?,
            None => Layers::new(),
        },
    };
    let layers = above_preset(base, args)?;
    let config = layers.resolve()?;
    if let Some(later) = args.config.as_deref().and_then(later_segments) {
        style::warn(format_args!(
            "{} is what that run began with; it went on with other settings, the last of which are in {}",
            args.config.as_deref().unwrap_or(Path::new("")).display(),
            later.last().map_or(Path::new(""), |segment| &segment.path).display()
        ));
    }
    runs::world(&config)?;
    Ok((layers, config))
}

/// The preset that goes without saying: what the file names, else the world's own.
fn implied_preset(args: &args::Layers) -> Result<Option<&'static str>, Failure> {
    let said = above_preset(Layers::new(), args)?;
    let value = |key: &str, of: fn(&Config) -> &str| -> Result<Option<String>, Failure> {
        Ok(said.place(key).is_some().then(|| said.resolve()).transpose()?.map(|config| of(&config).to_owned()))
    };
    if let Some(name) = value("preset", |config| &config.preset)?
        && let Some(preset) = presets::get(&name)
    {
        return Ok(Some(preset.name));
    }
    let id = value("env.id", |config| &config.env.id)?.unwrap_or_else(|| Config::default().env.id);
    Ok(presets::default_for(&id).map(|preset| preset.name))
}

fn above_preset(mut layers: Layers, args: &args::Layers) -> Result<Layers, Failure> {
    if let Some(path) = &args.config {
        layers = layers.file(path)?;
    }
    if let Some(id) = &args.env {
        // Found out first, so that a misspelt world is called that and not a value of a key.
        requel_envs::make(id)?;
        layers = layers.set(&format!("env.id={id:?}"))?;
    }
    for assignment in &args.set {
        layers = layers.set(assignment)?;
    }
    if let Some(seed) = args.seed {
        layers = layers.set(&format!("train.seed={seed}"))?;
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(env: Option<&str>, preset: Option<&str>, set: &[&str]) -> args::Layers {
        args::Layers {
            env: env.map(Into::into),
            preset: preset.map(Into::into),
            config: None,
            set: set.iter().map(ToString::to_string).collect(),
            seed: None,
        }
    }

    #[test]
    fn the_worlds_own_preset_goes_without_saying() {
        assert_eq!(resolve(&args(None, None, &[])).unwrap().1.preset, "cartpole");
        assert_eq!(resolve(&args(Some("CartPole-v0"), None, &[])).unwrap().1.preset, "cartpole");
        let other = resolve(&args(Some("Toy/Catch-v0"), None, &[])).unwrap().1;
        assert_eq!((other.preset.as_str(), other.env.id.as_str()), ("default", "Toy/Catch-v0"));
    }

    #[test]
    fn what_is_said_wins() {
        let (_, config) = resolve(&args(Some("CartPole-v0"), Some("notebook"), &["agent.gamma=0.5"])).unwrap();
        assert_eq!((config.preset.as_str(), config.env.id.as_str()), ("notebook", "CartPole-v0"));
        assert_eq!((config.agent.gamma, config.replay.capacity), (0.5, 2000));
    }

    #[test]
    fn a_file_that_names_its_preset_starts_from_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        std::fs::write(&path, "preset = \"notebook\"\n[agent]\ngamma = 0.8\n").unwrap();
        let args = args::Layers { config: Some(path), ..args(None, None, &[]) };
        let (_, config) = resolve(&args).unwrap();
        assert_eq!((config.agent.gamma, config.replay.capacity), (0.8, 2000));
    }
}
