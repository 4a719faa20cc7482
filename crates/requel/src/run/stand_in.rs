//! A stand-in for an environment that a program does not have, for commands that only read a run.

use requel_envs::{Action, DType, Env, EnvError, EnvSpec, OptionDefault, OptionSpec, Space, Step};
use requel_nn::Network;

use super::{Run, RunError};
use crate::config::EnvConfig;
use crate::identity::{Bounds, EnvIdentity, SpaceIdentity};
use crate::policy_file::PolicyFile;
use crate::registry::Registry;

impl Run {
    /// A registry for commands that only read this run and step no environment: if `registry` does not have the run's environment, a
    /// stand-in with the same spaces but without steps takes its place. Also returns whether it does.
    ///
    /// # Errors
    /// If the run's identity cannot be read.
    pub fn registry_to_look(&self, registry: &Registry) -> Result<(Registry, bool), RunError> {
        let (config, known) = (self.config()?, self.environment()?);
        let mut looking = registry.clone();
        let unknown = known.filter(|known| !known.is_built_in() && registry.env_identity(&config.env).is_err());
        let Some(stand_in) = unknown.and_then(|known| StandIn::of(&known, &config.env)) else {
            return Ok((looking, false));
        };
        let is_there = looking.register_env_with(options(&config.env), move |_| Ok(Box::new(stand_in.clone()))).is_ok();
        Ok((looking, is_there))
    }
}

impl PolicyFile {
    /// A registry for code that reads this policy without stepping an environment. If `registry` lacks the environment, the new registry
    /// has a stand-in with the spaces that the file describes; it cannot be stepped and takes none of the settings of `env`. `None` if
    /// `registry` has the environment.
    pub fn registry_to_look(&self, registry: &Registry) -> Option<Registry> {
        if registry.envs().is_built_in(&self.env_id).is_some() {
            return None;
        }
        let known = self.identity.clone().unwrap_or_else(|| self.identity_by_network());
        let stand_in = StandIn::of(&known, &EnvConfig::default())?;
        let mut looking = registry.clone();
        looking.register_env(move || Ok(Box::new(stand_in.clone()))).ok()?;
        Some(looking)
    }

    /// What the network says about the environment, for a file that does not describe it.
    fn identity_by_network(&self) -> EnvIdentity {
        let shape = self.network.input_shape.clone();
        let outputs = Network::new(&self.network).map_or(0, |network| network.output_len());
        EnvIdentity {
            id: self.env_id.clone(),
            origin: self.origin,
            observations: SpaceIdentity::Box {
                shape,
                dtype: DType::F32.name().into(),
                low: Bounds::All(None),
                high: Bounds::All(None),
            },
            actions: SpaceIdentity::Discrete { n: outputs / self.head.atoms().max(1) },
            action_names: Vec::new(),
            reward_range: None,
            goal: None,
            max_episode_steps: None,
        }
    }
}

/// An environment with the spaces of another one, but without steps.
#[derive(Clone)]
struct StandIn {
    spec: EnvSpec,
    observations: Space,
    actions: Space,
}

impl StandIn {
    /// For an environment with this identity, without the wrappers of `config`; `None` if that cannot be reconstructed.
    fn of(known: &EnvIdentity, config: &EnvConfig) -> Option<Self> {
        let mut spec = known.spec();
        // Repeated actions change these.
        if config.action_repeat > 1 {
            (spec.reward_range, spec.max_episode_steps) = (None, None);
        }
        let observations = unstacked(known.observations.space()?, config.frame_stack)?;
        Some(StandIn { spec, observations, actions: known.actions.space()? })
    }

    fn refused(&self) -> EnvError {
        let id = &self.spec.id;
        EnvError::Other(format!(
            "this program does not have {id} and cannot step it: use the program that has it; in Python, call `Run.program`"
        ))
    }
}

/// Options that accept what a config sets, and any other value of the same type.
fn options(config: &EnvConfig) -> Vec<OptionSpec> {
    let option = |(name, value): (&String, &toml::Value)| OptionSpec {
        // Leaked, because an environment's options have static names.
        name: name.clone().leak(),
        default: match value {
            toml::Value::Boolean(_) => OptionDefault::Bool(false),
            toml::Value::String(_) => OptionDefault::OptionalText,
            toml::Value::Array(_) => OptionDefault::OptionalList,
            _ => OptionDefault::OptionalFloat,
        },
        summary: "an option of an environment that this program does not have",
    };
    config.options.iter().map(option).collect()
}

/// The space of one of `n` stacked observations.
fn unstacked(space: Space, n: usize) -> Option<Space> {
    let Space::Box { low, high, mut shape, dtype } = space else { return (n == 1).then_some(space) };
    if n == 1 {
        return Some(Space::Box { low, high, shape, dtype });
    }
    // Images are stacked along their channels, other observations one after the other.
    let every = match shape[..] {
        [_, _, channels] if channels.is_multiple_of(n) => {
            shape[2] = channels / n;
            channels
        }
        [frames, ..] if frames == n => {
            shape.remove(0);
            low.len()
        }
        _ => return None,
    };
    let kept = every / n;
    let first = |bounds: &[f32]| bounds.chunks(every).flat_map(|chunk| chunk[..kept].to_vec()).collect::<Vec<_>>();
    Some(Space::Box { low: first(&low), high: first(&high), shape, dtype })
}

impl Env for StandIn {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.observations
    }

    fn action_space(&self) -> &Space {
        &self.actions
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, _: &mut [f32]) -> Result<Step, EnvError> {
        Err(self.refused())
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        Err(EnvError::CannotSave { id: self.spec.id.clone() })
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), EnvError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use requel_envs::make;
    use requel_envs::wrappers::ChannelStack;
    use requel_nn::{Activation, NetworkSpec};

    use super::*;
    use crate::agent::Readout;
    use crate::identity::EnvOrigin;
    use crate::train::for_network;

    fn policy(identity: Option<EnvIdentity>, inputs: usize, actions: usize) -> PolicyFile {
        let network = NetworkSpec::mlp(inputs, &[5], actions, Activation::Relu);
        PolicyFile {
            env_id: "Mine-v0".into(),
            origin: EnvOrigin::Registered,
            identity,
            env: EnvConfig { frame_stack: 2, action_repeat: 3, ..EnvConfig::default() },
            parameters: vec![0.5; Network::new(&network).unwrap().parameter_count()],
            network,
            head: Readout::Scalar,
        }
    }

    #[test]
    fn a_policy_is_looked_at_without_its_environment() {
        let mine = |env: &dyn Env| EnvIdentity { id: "Mine-v0".into(), ..EnvIdentity::of(env, EnvOrigin::Registered) };
        let taxi = make("Taxi-v4").unwrap();
        let stacked = ChannelStack::new(make("MinAtar/Breakout-v1").unwrap(), 2).unwrap();
        let cases = [
            (policy(None, 7, 3), "by its network alone"),
            (policy(Some(mine(&*taxi)), 500, 6), "discrete observations"),
            (policy(Some(mine(&stacked)), 800, 3), "stacked images"),
        ];
        for (policy, what) in cases {
            let looking = policy.registry_to_look(&Registry::built_in()).expect(what);
            let env = looking.env_factory(&EnvConfig { id: "Mine-v0".into(), ..EnvConfig::default() })().unwrap();
            policy.check_env(&*for_network(env).unwrap()).expect(what);
            assert!(policy.registry_to_look(&looking).is_none(), "{what}: where there is one, that is taken");
        }
    }

    #[test]
    fn a_run_in_an_environment_with_options_is_looked_at_without_it() {
        let config = crate::config::Layers::new().set("env.id=\"Mine-v0\"").unwrap();
        let config = config.set("env.options.wind=0.5").unwrap().resolve().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let run = Run::create(&dir.path().join("run"), &config).unwrap();
        let mut own = Registry::built_in();
        let wind = OptionSpec { name: "wind", default: OptionDefault::Float(0.0), summary: "wind" };
        let known = EnvIdentity {
            id: "Mine-v0".into(),
            ..EnvIdentity::of(&*make("CartPole-v1").unwrap(), EnvOrigin::Registered)
        };
        let real = StandIn::of(&known, &EnvConfig::default()).unwrap();
        own.register_env_with(vec![wind], move |_| Ok(Box::new(real.clone()))).unwrap();
        run.note_environment(&own.env_identity(&config.env).unwrap()).unwrap();
        let (looking, is_stand_in) = run.registry_to_look(&Registry::built_in()).unwrap();
        assert!(is_stand_in);
        assert_eq!(run.env(&looking).unwrap().observation_len(), 4);
    }
}
