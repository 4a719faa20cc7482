//! The components of this crate, registered in the same way as a program's own, under the words that configs use for them.

use requel_nn::NetworkSpec;

use super::named::Named;
use super::refusals::{check_own_network, refused_by_part};
use super::{Parts, Registry};
use crate::agent::{
    Agent, AgentError, CpuExecutor, DeviceFault, DeviceName, DeviceUse, DqnAgent, DqnParts, Executor, PqnAgent,
};
use crate::config::{AgentKind, Config, ExplorationKind, HeadKind, ReplayKind};
use crate::train::{AgentEnv, TrainError};

/// The word for the executor of requel's own networks, which is not a value of any key.
pub(super) const VALUE_NETWORKS: &str = "value networks";

/// The word for the network that the section `network` describes, which is not a value of any key.
pub(super) const SECTION: &str = "section `network`";

/// The word for the TD rule of the sections `agent` and `munchausen`, which is not a value of any key.
pub(super) const SECTIONS_OF_RULE: &str = "sections `agent` and `munchausen`";

/// All built-in components.
pub(super) fn parts() -> Parts {
    Parts {
        agents: Named::new("agent.name")
            .with(AgentKind::Naive.word(), dqn)
            .with(AgentKind::Dqn.word(), dqn)
            .with(AgentKind::Pqn.word(), pqn),
        executors: Named::new("agent.executor").with(VALUE_NETWORKS, executor),
        replays: Named::new("replay.name").with_all(ReplayKind::WORDS, |registry, config, env| {
            Ok(config.replay_buffer(env.observations, env.actions, registry.machine())?)
        }),
        explorers: Named::new("exploration.name")
            .with_all(ExplorationKind::WORDS, |_, config, _| Ok(config.explorer())),
        heads: Named::new("head.name").with_all(HeadKind::WORDS, |_, config, _| Ok(config.head())),
        rules: Named::new("agent.rule").with(SECTIONS_OF_RULE, |_, config, _| Ok(config.rule())),
        networks: Named::new("network.name").with(SECTION, network),
    }
}

/// Deep Q-learning, with experience replay or from each transition as it arrives.
fn dqn(registry: &Registry, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Agent>, TrainError> {
    let config = &registry.with_value_bounds(config, env)?;
    let spec = config.dqn_spec(env.actions);
    spec.check_memory(env.observations.len(), registry.machine().memory)?;
    let (explorer, executor) = (registry.explorer(config, env)?, registry.executor(config, env)?);
    let parts = DqnParts { executor, replay: registry.replay(config, env)?, explorer };
    Ok(Box::new(DqnAgent::new(spec, parts).map_err(|error| refused_by_part(config, error))?))
}

/// Parallelised Q-network.
fn pqn(registry: &Registry, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Agent>, TrainError> {
    let config = &registry.with_value_bounds(config, env)?;
    let spec = config.pqn_spec(env.actions);
    spec.check_memory(env.observations.len(), registry.machine().memory)?;
    Ok(Box::new(PqnAgent::new(spec, registry.executor(config, env)?, registry.explorer(config, env)?)))
}

/// The executor of requel's own networks, on the device that the config asks for.
fn executor(registry: &Registry, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Executor>, TrainError> {
    let shape = config.executor_shape(env.observations, env.actions);
    let spec = registry.executor_spec(config, env)?;
    check_own_network(config, env, &spec.values)?;
    let asked = config.train.device_name();
    let device = match (asked, registry.accelerator()) {
        (DeviceName::Cpu, _) | (DeviceName::Auto, None) => DeviceUse::default(),
        (asked, Some(accelerator)) => {
            let made = accelerator.executor(asked, (&spec, shape), registry.machine());
            match made.map_err(|error| refused_by_part(config, error))? {
                (Some(executor), _) => return Ok(executor),
                (None, device) => device,
            }
        }
        (asked, None) => {
            let reason = format!(
                "`train.device` is {asked}, and this program computes on the CPU alone: build it with the feature `cuda`, or \
                 set `train.device=\"cpu\"`"
            );
            return Err(AgentError::from(DeviceFault::Unusable { reason }).into());
        }
    };
    let made = CpuExecutor::new(&spec, shape, registry.machine());
    Ok(Box::new(made.map_err(|error| refused_by_part(config, error))?.on(device)))
}

/// The network of the section `network`, with the outputs that the head of the config reads.
fn network(registry: &Registry, config: &Config, env: &AgentEnv<'_>) -> Result<NetworkSpec, TrainError> {
    let (readout, _) = registry.head(config, env)?;
    Ok(config.value_spec_of(readout, env.observations, env.actions.count).network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SECTIONS, ValueType};

    /// The words that a key can be.
    fn words(path: &str) -> impl Iterator<Item = &'static str> {
        let key = SECTIONS.iter().flat_map(|section| section.keys).find(|key| key.path == path).unwrap();
        let ValueType::Word(words) = key.value_type else { panic!("{path} is no word") };
        words.iter().map(|word| word.word)
    }

    #[test]
    fn every_word_of_a_config_has_its_part() {
        let parts = parts();
        for word in words("agent.kind") {
            assert!(parts.agents.get(word, "").is_ok(), "{word}");
        }
        for word in words("replay.kind") {
            assert!(parts.replays.get(word, "").is_ok(), "{word}");
        }
        for word in words("exploration.kind") {
            assert!(parts.explorers.get(word, "").is_ok(), "{word}");
        }
        for word in words("head.kind") {
            assert!(parts.heads.get(word, "").is_ok(), "{word}");
        }
    }

    #[test]
    fn a_part_of_this_crate_is_named_by_its_word_alone_and_its_name_is_taken() {
        let mut parts = parts();
        let by_name = parts.agents.get("pqn", "dqn").err().unwrap();
        assert!(matches!(by_name, AgentError::UnknownPart { key: "agent.name", .. }), "{by_name}");
        let taken = parts.explorers.register("linear", |config, _| Ok(config.explorer())).unwrap_err();
        assert!(matches!(taken, AgentError::NameTaken { key: "exploration.name", .. }), "{taken}");
        parts.explorers.register("own", |config, _| Ok(config.explorer())).unwrap();
        assert!(parts.explorers.get("linear", "own").is_ok());
    }
}
