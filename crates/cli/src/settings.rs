//! From the layers of the command line to a `Config`: preset, then file, then `--set`, then the options with their own name.

use std::path::Path;

use requel::Registry;
use requel::config::{Config, ConfigError, Layers, Severity, algorithms, presets};
use requel::run::{Run, later_segments};

use crate::args;
use crate::exit::Failure;
use crate::{advice, missing, runs, style};

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Failure { hint, ..Failure::bad_input(error) }
    }
}

/// The layers, and the config that results. The environment has been checked to exist and to accept its options.
pub fn resolve(args: &args::Layers, registry: &Registry) -> Result<(Layers, Config), Failure> {
    let (layers, config) = resolve_to_show(args, registry)?;
    match missing_envs(&config, registry) {
        Some(from) => Err(Failure::bad_input(format_args!(
            "this program does not have the environments of preset {}: they are {from}",
            config.preset
        ))
        .hint(format!("`requel config show --preset {}` shows its settings", config.preset))),
        None => Ok((layers, config)),
    }
}

/// The same, but the environment may also be one that a preset declares to come from elsewhere.
pub fn resolve_to_show(args: &args::Layers, registry: &Registry) -> Result<(Layers, Config), Failure> {
    let mut layers = Layers::new();
    if let Some(name) = &args.preset {
        layers = layers.preset(name)?;
    }
    if let Some(name) = &args.algo {
        layers = layers.algorithm(name)?;
    }
    layers = above_preset(layers, args, registry)?;
    layers = layers.for_env()?;
    if let Some(env_id) = layers.text_of("env.id") {
        warn_of_other_environment(&layers, env_id);
    }
    let config = layers.resolve()?;
    if let Some(later) = args.config.as_deref().and_then(later_segments) {
        style::warn(format_args!(
            "{} has the settings that the run started with; it later continued with others, the latest of which are in \
            {}",
            args.config.as_deref().unwrap_or(Path::new("")).display(),
            later.last().map_or(Path::new(""), |segment| &segment.path).display()
        ));
    }
    if let Some(run) = args.config.as_deref().and_then(run_of)
        && run.config()?.env == config.env
    {
        run.env(registry)?;
    }
    if missing_envs(&config, registry).is_none() {
        runs::env(&config.env, registry)?;
    }
    Ok((layers, config))
}

/// The origin of the environments that a config's preset is for, if this program does not have them and the config trains in one of them.
fn missing_envs(config: &Config, registry: &Registry) -> Option<&'static str> {
    let preset = presets::get(&config.preset)?;
    let from = preset.envs_from?;
    let own = Layers::new().preset(preset.name).ok()?.resolve().ok()?.env.id;
    (config.env.id == own && registry.envs().is_built_in(&own).is_none()).then_some(from)
}

/// The run that contains a config.
fn run_of(config: &Path) -> Option<Run> {
    let dir = config.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Run::open(dir).ok()
}

/// Warns that the settings of a preset were made for another environment.
fn warn_of_other_environment(layers: &Layers, env_id: &str) {
    let (Some(name), Some(own)) = (layers.named_preset(), layers.preset_says("env.id")) else { return };
    let is_the_environments = presets::default_for(env_id).is_some_and(|preset| preset.name == name);
    if own == env_id || is_the_environments || layers.named_algorithm().is_some() {
        return;
    }
    let better = match algorithms::get(name) {
        Some(_) => format!("`--algo {name}` starts from {env_id}'s own"),
        None => format!("omit --preset to use {env_id}'s own"),
    };
    style::warn(format_args!("the settings of preset {name} were made for {own}; {better}"));
}

/// Refuses a config that cannot learn, naming the setting that prevents it and its place.
pub fn refuse_to_learn_nothing(layers: &Layers, config: &Config, registry: &Registry) -> Result<(), Failure> {
    match advice::of(config, registry).into_iter().find(|advice| advice.severity == Severity::Impossible) {
        Some(advice) => Err(layers.invalid(&advice.keys(), advice.text).into()),
        None => Ok(()),
    }
}

fn above_preset(mut layers: Layers, args: &args::Layers, registry: &Registry) -> Result<Layers, Failure> {
    if let Some(path) = &args.config {
        layers = layers.file(path)?;
    }
    if let Some(id) = &args.env {
        // Checked first, so that a misspelt environment is reported as such and not as a bad value of a key.
        registry.envs().make(id).map_err(|error| missing::no_such_env(id, error))?;
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

    fn resolve(args: &args::Layers) -> Result<(Layers, Config), Failure> {
        super::resolve(args, &Registry::built_in())
    }

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
    fn the_environments_own_preset_goes_without_saying() {
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
        let support = (rainbow.head.v_min.number(), rainbow.head.v_max.number());
        assert_eq!(support, (Some(-250.0), Some(0.0)), "the support is that of the environment's own preset");
        // A run's own config names both, and loads unchanged.
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
    fn a_preset_for_environments_from_elsewhere_is_shown_and_says_whose_they_are() {
        let atari = args(None, Some("atari-dqn"), &[]);
        let (_, config) = resolve_to_show(&atari, &Registry::built_in()).unwrap();
        assert_eq!((config.replay.capacity, config.env.id.as_str()), (1_000_000, "atari/pong-v0"));
        let refused = resolve(&atari).unwrap_err().what;
        assert!(
            refused.contains("does not have the environments") && refused.contains("requel.atari.train(\"pong\""),
            "{refused}"
        );
        let other = args(Some("MinAtar/Breakout-v1"), Some("atari-dqn"), &["network.conv=[[16, 3, 1]]"]);
        assert_eq!(resolve(&other).unwrap().1.env.id, "MinAtar/Breakout-v1", "it can be trained by in another one");
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
    fn the_environments_own_preset_lies_under_what_is_said() {
        // Of the preset `cartpole` learning starts at 500, by default at 1000.
        let set = ["replay.capacity=900"];
        assert_eq!(resolve(&args(Some("CartPole-v1"), None, &set)).unwrap().1.replay.start, 500);
        let (_, config) = resolve(&args(None, None, &["preset=notebook"])).unwrap();
        assert_eq!((config.preset.as_str(), config.replay.capacity), ("notebook", 2000));
        let failure = resolve(&args(None, Some("dqn"), &["preset=rainbow"])).unwrap_err();
        assert!(failure.what.contains("preset dqn already names `dqn`"), "{}", failure.what);
    }

    #[test]
    fn what_cannot_learn_is_refused_with_its_place() {
        let said = |set: &[&str]| {
            let (layers, config) = resolve(&args(None, None, set)).unwrap();
            refuse_to_learn_nothing(&layers, &config, &Registry::built_in()).map_err(|failure| failure.what)
        };
        let refused = said(&["train.env_steps=2500", "replay.start=50000"]).unwrap_err();
        assert!(refused.starts_with("`replay.start` is 50000") && refused.ends_with(", in --set"), "{refused}");
        assert_eq!(said(&["train.env_steps=2500"]), Ok(()), "that the course of epsilon is longer is only warned of");
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
