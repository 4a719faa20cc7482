//! [`Registry`]: the parts that a config can name, those of this crate and one's own.

mod named;
mod trainers;

use std::sync::Arc;

use requel_envs::{Env, EnvError, EnvOptions, OptionSpec};
use requel_nn::NetworkSpec;

use self::named::Named;
use crate::agent::{
    Accelerator, Agent, AgentError, CpuExecutor, DeviceFault, DeviceName, DeviceUse, DqnAgent, DqnParts, Executor,
    ExecutorSpec, HeadSpec, PqnAgent, Readout, check_bytes,
};
use crate::config::{AgentKind, Config, EnvConfig};
use crate::exploration::Explorer;
use crate::machine::Machine;
use crate::replay::ReplayBuffer;
use crate::train::{AgentEnv, AgentFactory, EnvFactory, EnvIdentity, EnvOrigin, TrainError, Trainer, envs};

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
    agents: Named<Box<dyn Agent>>,
    executors: Named<Box<dyn Executor>>,
    replays: Named<Box<dyn ReplayBuffer>>,
    explorers: Named<Box<dyn Explorer>>,
    heads: Named<(Readout, Arc<dyn HeadSpec>)>,
    networks: Named<NetworkSpec>,
    machine: Machine,
    accelerator: Option<AcceleratorHandle>,
}

/// What brings other devices than the CPU.
#[derive(Clone)]
struct AcceleratorHandle(Arc<dyn Accelerator>);

impl std::fmt::Debug for AcceleratorHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accelerator")
    }
}

impl Registry {
    /// What this crate has.
    pub fn built_in() -> Self {
        Self::of(requel_envs::Registry::built_in())
    }

    /// A registry without environments.
    pub fn empty() -> Self {
        Self::of(requel_envs::Registry::empty())
    }

    fn of(envs: requel_envs::Registry) -> Self {
        Registry {
            envs: Arc::new(envs),
            agents: Named::new("agent.name"),
            executors: Named::new("agent.executor"),
            replays: Named::new("replay.name"),
            explorers: Named::new("exploration.name"),
            heads: Named::new("head.name"),
            networks: Named::new("network.name"),
            machine: Machine::default(),
            accelerator: None,
        }
    }

    /// The same on this machine: agents that are made from configs compute with its kernel and take of its memory.
    #[must_use]
    pub fn with_machine(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// The same with other devices than the CPU, which `train.device` then chooses from.
    #[must_use]
    pub fn with_accelerator(mut self, accelerator: impl Accelerator + 'static) -> Self {
        self.accelerator = Some(AcceleratorHandle(Arc::new(accelerator)));
        self
    }

    /// What brings other devices than the CPU, where something does.
    pub fn accelerator(&self) -> Option<&dyn Accelerator> {
        self.accelerator.as_ref().map(|AcceleratorHandle(accelerator)| &**accelerator)
    }

    /// What agents run on.
    pub fn machine(&self) -> &Machine {
        &self.machine
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

    /// Adds an agent of one's own, which configs name by `agent.name`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_agent(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Agent>, AgentError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.agents.register(name, make)
    }

    /// Adds an executor of one's own, which configs name by `agent.executor`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_executor(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Executor>, AgentError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.executors.register(name, make)
    }

    /// Adds a replay buffer of one's own, which configs name by `replay.name`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_replay(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn ReplayBuffer>, AgentError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.replays.register(name, make)
    }

    /// Adds an explorer of one's own, which configs name by `exploration.name`. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_explorer(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<Box<dyn Explorer>, AgentError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.explorers.register(name, make)
    }

    /// Adds a head of one's own, which configs name by `head.name`: how the outputs of the network are read as values, and what they are
    /// learned by. `make` gets the config and the environment that it is for.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_head(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<(Readout, Arc<dyn HeadSpec>), AgentError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.heads.register(name, make)
    }

    /// Adds a network of one's own, laid out in requel's layers, which configs name by `network.name`. `make` gets the config and the
    /// environment that it is for; its outputs are to go with the head's.
    ///
    /// # Errors
    /// [`AgentError::NameTaken`].
    pub fn register_network(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<NetworkSpec, AgentError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        self.networks.register(name, make)
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
        let envs = (self.env_factory(&config.env), self.env_origin(&config.env.id));
        Trainer::from_factory(config, envs, self.agent_factory())
    }

    /// What makes the agents of configs: see [`Registry::agent`].
    pub fn agent_factory(&self) -> AgentFactory {
        let registry = self.clone();
        Box::new(move |config, env| registry.agent(config, env))
    }

    /// The agent of a config: the one that it names, or one of this crate with the parts that it names.
    ///
    /// # Errors
    /// If a name is not registered, the values have no bounds where the config asks for them, or the agent cannot be made.
    pub fn agent(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Agent>, TrainError> {
        if let Some(make) = self.agents.get(&config.agent.name)? {
            return Ok(make(config, env)?);
        }
        let config = &config.with_value_bounds(env.spec, env.actions.count)?;
        let explorer = match self.explorers.get(&config.exploration.name)? {
            Some(make) => make(config, env)?,
            None => config.explorer(),
        };
        let executor = match self.executors.get(&config.agent.executor)? {
            Some(make) => make(config, env)?,
            None => self.executor(config, env)?,
        };
        if config.agent.kind == AgentKind::Pqn {
            let spec = config.pqn_spec(env.actions);
            check_bytes(spec.bytes_needed(env.observations.len()), self.machine.memory)?;
            return Ok(Box::new(PqnAgent::new(spec, executor, explorer)));
        }
        let replay = match self.replays.get(&config.replay.name)? {
            Some(make) => make(config, env)?,
            None => config.replay_buffer(env.observations, env.actions, &self.machine)?,
        };
        let parts = DqnParts { executor, replay, explorer };
        let spec = config.dqn_spec(env.actions);
        check_bytes(spec.bytes_needed(env.observations.len()), self.machine.memory)?;
        Ok(Box::new(DqnAgent::new(spec, parts)?))
    }

    /// The executor on the device that a config asks for.
    fn executor(&self, config: &Config, env: &AgentEnv<'_>) -> Result<Box<dyn Executor>, AgentError> {
        let shape = config.executor_shape(env.observations, env.actions);
        let spec = self.executor_spec(config, env)?;
        let asked = config.train.device_name();
        let device = match (asked, &self.accelerator) {
            (DeviceName::Cpu, _) | (DeviceName::Auto, None) => DeviceUse::default(),
            (asked, Some(AcceleratorHandle(accelerator))) => {
                match accelerator.executor(asked, (&spec, shape), &self.machine)? {
                    (Some(executor), _) => return Ok(executor),
                    (None, device) => device,
                }
            }
            (asked, None) => {
                let reason = format!(
                    "`train.device` is {asked}, and this program computes on the CPU alone: build it with the feature `cuda`, or \
                     set `train.device=\"cpu\"`"
                );
                return Err(DeviceFault::Unusable { reason }.into());
            }
        };
        Ok(Box::new(CpuExecutor::new(&spec, shape, &self.machine)?.on(device)))
    }

    /// What an executor is made of for a config: the head and the network that it names, or those of its sections.
    ///
    /// # Errors
    /// If a name is not registered, or its maker fails.
    pub fn executor_spec(&self, config: &Config, env: &AgentEnv<'_>) -> Result<ExecutorSpec, AgentError> {
        let mut spec = config.executor_spec(env.observations, env.actions.count);
        if let Some(make) = self.heads.get(&config.head.name)? {
            let (readout, head) = make(config, env)?;
            spec.values = config.value_spec_of(readout, env.observations, env.actions.count);
            spec.head = head;
        }
        if let Some(make) = self.networks.get(&config.network.name)? {
            spec.values.network = make(config, env)?;
        }
        Ok(spec)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Registry::built_in()
    }
}
