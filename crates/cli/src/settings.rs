//! From the command line's layers to a `Config`: preset, then file, then `--set`, then the options with a name of
//! their own.

use std::path::Path;

use requel::config::{Config, ConfigError, Layers, algorithms, presets};
use requel::run::later_segments;

use crate::args;
use crate::exit::Failure;
use crate::{runs, style};

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Failure { hint, ..Failure::bad_input(error) }
    }
}

/// The layers, and the config that they come to. The environment is known to exist and to take its options.
pub fn resolve(args: &args::Layers) -> Result<(Layers, Config), Failure> {
    let said = above_preset(Layers::new(), args)?;
    let named = |key: &str| said.text_of(key).map(str::to_owned);
    let env_id = named("env.id").unwrap_or_else(|| Config::default().env.id);
    let preset = args.preset.clone().or_else(|| named("preset").filter(|name| presets::get(name).is_some()));
    let preset = preset.or_else(|| presets::default_for(&env_id).map(|preset| preset.name.to_owned()));
    let algorithm = args.algo.clone().or_else(|| named("algo"));

    let mut base = Layers::new();
    if let Some(name) = &preset {
        base = base.preset(name)?;
        if named("env.id").is_some() {
            base = of_other_environment(base, name, &env_id, algorithm.is_some());
        }
    }
    if let Some(name) = &algorithm {
        base = base.algorithm(name)?;
    }
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

/// What a preset says for an environment that it was not made for: nothing of the return to stop at and of the support of returns,
/// which are its own environment's.
fn of_other_environment(preset: Layers, name: &str, env_id: &str, is_base: bool) -> Layers {
    let own = preset.text_of("env.id").map_or_else(|| Config::default().env.id, str::to_owned);
    if own == env_id {
        return preset;
    }
    let is_the_environments = presets::default_for(env_id).is_some_and(|preset| preset.name == name);
    if !is_the_environments && !is_base {
        let better = match algorithms::get(name) {
            Some(_) => format!("`--algo {name}` starts from {env_id}'s own"),
            None => format!("leave --preset out for {env_id}'s own"),
        };
        style::warn(format_args!("the settings of preset {name} were made for {own}; {better}"));
    }
    // Those of the five MinAtar games are alike.
    if own.starts_with("MinAtar/") && env_id.starts_with("MinAtar/") {
        return preset;
    }
    preset.without(&["evaluation.stop_return", "head.v_min", "head.v_max"])
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
            algo: None,
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
    fn an_algorithm_is_laid_over_the_environments_own_preset() {
        let over = |env: &str, algo: &str| {
            let args = args::Layers { algo: Some(algo.into()), ..args(Some(env), None, &[]) };
            resolve(&args).unwrap_or_else(|failure| panic!("{env}, {algo}: {}", failure.what)).1
        };
        let rainbow = over("MountainCar-v0", "rainbow");
        assert_eq!((rainbow.preset.as_str(), rainbow.algo.as_str()), ("mountaincar", "rainbow"));
        assert_eq!((rainbow.agent.n_step, rainbow.network.noisy, rainbow.env.action_repeat), (3, true, 6));
        assert_eq!(rainbow.head.v_min.number(), None, "the environment's rewards give the support");
        // A run's own config names both, and comes to itself.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, toml::to_string(&rainbow).unwrap()).unwrap();
        let again = args::Layers { config: Some(path), ..args(None, None, &[]) };
        assert_eq!(resolve(&again).unwrap().1, rainbow);
        let unknown = args::Layers { algo: Some("rainbwo".into()), ..args(None, None, &[]) };
        let failure = resolve(&unknown).unwrap_err();
        assert_eq!(failure.hint.as_deref(), Some("did you mean `rainbow`?"));
    }

    #[test]
    fn a_preset_for_another_environment_brings_neither_its_goal_nor_its_support() {
        let (_, config) = resolve(&args(Some("MountainCar-v0"), Some("c51"), &[])).unwrap();
        assert_eq!((config.evaluation.stop_return, config.head.v_max.number()), (None, None));
        assert_eq!(config.optimizer.learning_rate, 2e-3, "the rest stays");
        let (_, config) = resolve(&args(Some("CartPole-v0"), None, &[])).unwrap();
        assert_eq!(config.evaluation.stop_return, None, "500 is more than CartPole-v0 can return");
        let (_, config) = resolve(&args(Some("CartPole-v1"), None, &[])).unwrap();
        assert_eq!(config.evaluation.stop_return, Some(500.0));
        let (_, config) =
            resolve(&args(Some("MountainCar-v0"), Some("c51"), &["evaluation.stop_return=-120"])).unwrap();
        assert_eq!(config.evaluation.stop_return, Some(-120.0), "what is said stays");
    }

    #[test]
    fn settings_that_only_hold_with_the_preset_are_no_fault_of_those_who_say_them() {
        // Without the preset both counts of the target would be set.
        let (_, config) = resolve(&args(Some("CartPole-v1"), None, &["target.every_env_steps=8"])).unwrap();
        assert_eq!(config.target.every_env_steps, 8);
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
