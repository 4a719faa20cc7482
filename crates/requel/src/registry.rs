//! [`Registry`]: the components that a config can name, built in or your own.

mod built_in;
mod named;
mod refusals;
mod trainers;

use std::sync::Arc;

use requel_envs::{Env, EnvError, EnvOptions, OptionSpec};
use requel_nn::NetworkSpec;

use self::named::Named;
use crate::agent::{Accelerator, Agent, AgentError, Executor, ExecutorSpec, HeadSpec, Readout, ValueSpec};
use crate::config::{Config, EnvConfig};
use crate::exploration::Explorer;
use crate::machine::Machine;
use crate::replay::ReplayBuffer;
use crate::td::RuleSpec;
use crate::train::{AgentEnv, AgentFactory, EnvFactory, EnvIdentity, EnvOrigin, TrainError, Trainer, envs};

/// Everything that a config can name, by name, as a value: it is passed to whatever is built from a config or from a run. Cloning it is
/// cheap.
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
    parts: Parts,
    machine: Machine,
    accelerator: Option<AcceleratorHandle>,
}

/// The functions that make agents and their components.
#[derive(Clone, Debug)]
struct Parts {
    agents: Named<Box<dyn Agent>>,
    executors: Named<Box<dyn Executor>>,
    replays: Named<Box<dyn ReplayBuffer>>,
    explorers: Named<Box<dyn Explorer>>,
    heads: Named<(Readout, Arc<dyn HeadSpec>)>,
    rules: Named<Arc<dyn RuleSpec>>,
    networks: Named<NetworkSpec>,
}

/// Provides devices other than the CPU.
#[derive(Clone)]
struct AcceleratorHandle(Arc<dyn Accelerator>);

impl std::fmt::Debug for AcceleratorHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accelerator")
    }
}

impl Registry {
    /// A registry with everything that this crate has.
    pub fn built_in() -> Self {
        Self::of(requel_envs::Registry::built_in())
    }

    /// A registry without environments.
    pub fn empty() -> Self {
        Self::of(requel_envs::Registry::empty())
    }

    fn of(envs: requel_envs::Registry) -> Self {
        let (parts, machine) = (built_in::parts(), Machine::default());
        Registry { envs: Arc::new(envs), parts, machine, accelerator: None }
    }

    /// The same for this machine: agents made from configs compute with its kernel and stay within its memory.
    #[must_use]
    pub fn with_machine(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// The same with devices other than the CPU, which `train.device` can then choose.
    #[must_use]
    pub fn with_accelerator(mut self, accelerator: impl Accelerator + 'static) -> Self {
        self.accelerator = Some(AcceleratorHandle(Arc::new(accelerator)));
        self
    }

    /// The provider of devices other than the CPU, if there is one.
    pub fn accelerator(&self) -> Option<&dyn Accelerator> {
        self.accelerator.as_ref().map(|AcceleratorHandle(accelerator)| &**accelerator)
    }

    /// The machine that agents run on.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Adds your own environment, under the id in its spec. It is made once here, to read the spec.
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

    /// Adds your own agent, which configs name by `agent.name`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_agent(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Agent>, TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.parts.agents.register(name, make)
    }

    /// Adds your own executor, which configs name by `agent.executor`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_executor(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Executor>, TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.parts.executors.register(name, make)
    }

    /// Adds your own replay buffer, which configs name by `replay.name`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_replay(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn ReplayBuffer>, TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.parts.replays.register(name, make)
    }

    /// Adds your own explorer, which configs name by `exploration.name`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_explorer(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Explorer>, TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.parts.explorers.register(name, make)
    }

    /// Adds your own head, which configs name by `head.name`: how the outputs of the network are read as values, and how they are
    /// learned. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_head(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<(Readout, Arc<dyn HeadSpec>), TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.parts.heads.register(name, make)
    }

    /// Adds your own TD rule, which configs name by `agent.rule`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_rule(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Arc<dyn RuleSpec>, TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.parts.rules.register(name, make)
    }

    /// Adds your own network of requel's layers, which configs name by `network.name`. `make` gets the config and the environment that
    /// it is for; the network must have as many outputs as the head reads.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_network(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<NetworkSpec, TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.parts.networks.register(name, make)
    }

    /// The environments.
    pub fn envs(&self) -> &requel_envs::Registry {
        &self.envs
    }

    /// The factory for an environment with everything that a config puts around it: options, sticky and repeated actions, stacked
    /// observations. Your own environments are guarded: a broken contract, or a panic, becomes an [`EnvError`] that says what happened.
    pub fn env_factory(&self, config: &EnvConfig) -> EnvFactory {
        envs::factory(&self.envs, config)
    }

    /// The identity of a config's environment.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn env_identity(&self, config: &EnvConfig) -> Result<EnvIdentity, EnvError> {
        Ok(EnvIdentity::of(&*self.env_factory(config)()?, self.env_origin(&config.id)))
    }

    /// Where the environment with this id comes from.
    pub fn env_origin(&self, id: &str) -> EnvOrigin {
        match self.envs.is_built_in(id) {
            Some(true) => EnvOrigin::BuiltIn,
            _ => EnvOrigin::Registered,
        }
    }

    /// A trainer for a config, before its first step.
    ///
    /// # Errors
    /// If the config holds a value out of range, or the environment or the agent cannot be made.
    pub fn trainer(&self, config: Config) -> Result<Trainer, TrainError> {
        let envs = (self.env_factory(&config.env), self.env_origin(&config.env.id));
        Trainer::from_factory(config, envs, self.agent_factory())
    }

    /// The function that makes the agents of configs: see [`Registry::agent`].
    pub fn agent_factory(&self) -> AgentFactory {
        let registry = self.clone();
        Box::new(move |config, env| registry.agent(config, env))
    }

    /// The agent of a config: the one that it names, or one of this crate with the components that it names.
    ///
    /// # Errors
    /// If a name is not registered, the config asks for bounds of the values and there are none, or the agent cannot be made.
    pub fn agent(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Agent>, TrainError> {
        self.parts.agents.get(config.agent.kind.word(), &config.agent.name)?(self, config, env)
    }

    /// The executor of a config: the one that it names, or requel's on the device that the config asks for.
    ///
    /// # Errors
    /// As [`Registry::agent`].
    pub fn executor(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Executor>, TrainError> {
        self.parts.executors.get(built_in::VALUE_NETWORKS, &config.agent.executor)?(self, config, env)
    }

    /// The replay buffer of a config: the one that it names, or that of its section, wrapped in the section's augmentation.
    ///
    /// # Errors
    /// As [`Registry::agent`].
    pub fn replay(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn ReplayBuffer>, TrainError> {
        let replay = self.parts.replays.get(config.replay.kind.word(), &config.replay.name)?(self, config, env)?;
        Ok(config.augmented(env.observations, replay)?)
    }

    /// The explorer of a config: the one that it names, or that of its section.
    ///
    /// # Errors
    /// As [`Registry::agent`].
    pub fn explorer(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Explorer>, TrainError> {
        self.parts.explorers.get(config.exploration.kind.word(), &config.exploration.name)?(self, config, env)
    }

    /// The head of a config, the one that it names or that of its section: how the outputs of the network are read, and how they are
    /// learned.
    ///
    /// # Errors
    /// As [`Registry::agent`].
    pub fn head(&self, config: &Config, env: &AgentEnv<'_>) -> Result<(Readout, Arc<dyn HeadSpec>), TrainError> {
        self.parts.heads.get(config.head.kind.word(), &config.head.name)?(self, config, env)
    }

    /// The TD rule of a config: the one that it names, or that of its sections `agent` and `munchausen`.
    ///
    /// # Errors
    /// As [`Registry::agent`].
    pub fn rule(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Arc<dyn RuleSpec>, TrainError> {
        self.parts.rules.get(built_in::SECTIONS_OF_RULE, &config.agent.rule)?(self, config, env)
    }

    /// The network of a config: the one that it names, or that of its section.
    ///
    /// # Errors
    /// As [`Registry::agent`].
    pub fn network(&self, config: &Config, env: &AgentEnv<'_>) -> Result<NetworkSpec, TrainError> {
        self.parts.networks.get(built_in::SECTION, &config.network.name)?(self, config, env)
    }

    /// A config with every `"auto"` replaced by its number for an environment, with the rule that the config names.
    ///
    /// # Errors
    /// As [`Config::with_value_bounds`] and [`Registry::rule`].
    pub fn with_value_bounds(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Config, TrainError> {
        Ok(config.with_value_bounds_by(&*self.rule(config, env)?, env.spec, env.actions.count)?)
    }

    /// The spec of an executor for a config, with its head, its rule and its network.
    ///
    /// # Errors
    /// As [`Registry::agent`].
    pub fn executor_spec(&self, config: &Config, env: &AgentEnv<'_>) -> Result<ExecutorSpec, TrainError> {
        let config = &self.with_value_bounds(config, env)?;
        let (readout, head) = self.head(config, env)?;
        let values = ValueSpec { network: self.network(config, env)?, head: readout };
        Ok(config.executor_spec_of(values, head, self.rule(config, env)?))
    }
}

impl Default for Registry {
    fn default() -> Self {
        Registry::built_in()
    }
}
