//! A registry whose executor `twin` computes behind the driver's calls.

use requel::config::{Config, Layers};
use requel::{Machine, Registry, Trainer};
use requel_gpu::{Driver, GpuNetworks};

/// What requel has, and the executor `twin`.
pub fn registry() -> Registry {
    let library = requel_gpu::twin::build(env!("CARGO_TARGET_TMPDIR")).expect("a C++ compiler builds the kernels");
    let card = Driver::at(library).expect("a driver").card(0).expect("a device");
    let mut registry = Registry::built_in();
    let own = Registry::built_in();
    let make = move |config: &Config, env: &requel::train::AgentEnv<'_>| {
        let spec = own.executor_spec(config, env)?;
        let shape = config.executor_shape(env.observations, env.actions);
        let executor = GpuNetworks::executor(&card, &spec, shape, &Machine::default())?;
        Ok(Box::new(executor) as Box<dyn requel::agent::Executor>)
    };
    registry.register_executor("twin", make).expect("the name is free");
    registry.register_env(|| Ok(super::screen::screen())).expect("the name is free");
    registry
}

/// A preset with other settings, short enough for a test.
pub fn config(preset: &str, settings: &[&str]) -> Config {
    let layers = Layers::new().preset(preset).expect("a preset");
    let short = [
        "train.env_steps=400",
        "evaluation.every_steps=0",
        "evaluation.final_episodes=1",
        "evaluation.max_episode_steps=20",
    ];
    let set = |layers: Layers, setting: &&str| layers.set(setting).expect("a setting");
    settings.iter().fold(short.iter().fold(layers, set), set).resolve().expect("a config")
}

/// The same config, computed by `executor`; empty for the CPU.
pub fn trainer(config: &Config, executor: &str) -> Trainer {
    let mut config = config.clone();
    config.agent.executor = executor.into();
    registry().trainer(config).expect("a trainer")
}

/// Trains until so many env steps have been made.
pub fn advance(trainer: &mut Trainer, env_steps: u64) {
    while trainer.env_steps() < env_steps {
        trainer.advance(&mut ()).expect("training goes on");
    }
}
