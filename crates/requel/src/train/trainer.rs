//! [`Trainer`], the loop.

mod aggregates;
mod bad_numbers;
mod beginning;
mod episodes;
mod other_envs;
mod saving;
mod scores;
mod settings;
mod training_envs;

use requel_envs::{BatchEnv, EnvSpec, Step, VectorEnv};

pub use bad_numbers::SCALED_REWARD;

use super::agents::{AgentEnv, AgentFactory};
use super::env_metrics::EnvMetrics;
use super::envs::EnvFactory;
use super::guarded::guarded;
use super::observer::tell;
use super::returns::Returns;
use super::scoring::Scoring;
use super::{EnvIdentity, EnvOrigin, Evaluator, Logger, Observer, Outcome, Termination, TrainError, TrainEvent};
use crate::agent::{Actions, Agent, AgentError, Learned, LearningFault, Masks};
use crate::config::Config;
use bad_numbers::Skipped;
use episodes::ResumedEpisodes;
use training_envs::TrainingEnvs;

pub(super) use bad_numbers::learned_reward;
pub(super) use episodes::seed as env_seed;
pub(super) use scores::EvaluationEnvs;

/// Trains one agent in environments of one kind. It uses no files and no clock: the result is a function of the config.
///
/// ```
/// use requel::config::Layers;
/// use requel::train::Trainer;
///
/// let config = Layers::new().preset("notebook")?.set("train.episodes=5")?.resolve()?;
/// let mut trainer = Trainer::new(config)?;
/// let outcome = trainer.run(&mut ())?;
/// assert_eq!(outcome.episodes, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer {
    config: Config,
    evaluation: EvaluationEnvs,
    identity: EnvIdentity,
    spec: EnvSpec,
    envs: VectorEnv,
    action_space: Actions,
    agent: Box<dyn Agent>,
    /// Creates it again if settings change; `None` for an agent passed by the program.
    agents: Option<AgentFactory>,
    scoring: Scoring,
    threads: usize,
    logger: Option<Logger>,

    // What a checkpoint contains, in addition to environments and agent.
    env_steps: u64,
    updates: u64,
    returns: Returns,
    env_metrics: EnvMetrics,
    /// The aggregates that are due after the last step wait for the evaluation.
    progress_owed: bool,
    /// Whether an observer has asked training to stop.
    asked_to_stop: bool,
    learned: Learned,
    skipped: Skipped,
    resumed: ResumedEpisodes,
    /// How often its counts were restarted.
    begun_anew: u64,
    observations: Vec<f32>,

    // Buffers that a step writes.
    /// The statistics reported by the agent.
    reported: Vec<(String, f64)>,
    /// Environments × actions: which were allowed; empty if all always are.
    masks: Vec<bool>,
    actions: Vec<usize>,
    steps: Vec<Step>,
    /// How many of the last steps were env steps; the others only started an episode.
    made: u64,
    /// The environments whose step was dropped, or was not an env step.
    dropped: Vec<bool>,
    next_observations: Vec<f32>,
    following: Vec<f32>,
}

/// The origin of a trainer's agent.
enum Source {
    /// Created from the config.
    Config(AgentFactory),
    /// Created elsewhere.
    Given(Box<dyn Agent>),
}

impl Trainer {
    pub(crate) fn from_factory(
        config: Config,
        (factory, origin): (EnvFactory, EnvOrigin),
        agents: AgentFactory,
    ) -> Result<Self, TrainError> {
        let training = TrainingEnvs::made(factory, origin, &config)?;
        Self::assemble(training, Source::Config(agents), config)
    }

    pub(crate) fn from_batch(
        config: Config,
        batch: Box<dyn BatchEnv>,
        factory: EnvFactory,
        agents: AgentFactory,
    ) -> Result<Self, TrainError> {
        let training = TrainingEnvs::at_once(guarded(factory), batch, &config)?;
        Self::assemble(training, Source::Config(agents), config)
    }

    /// A trainer built from parts: your own environments, as in [`Trainer::with_envs`], your own agent, and the plan for training. From
    /// `plan`, the sections `train`, `evaluation`, `log` and `checkpoint` are used, with `agent.reward_scale` and `agent.reward_clip`;
    /// settings of this crate's agents are not. The agent acts in `train.num_envs` environments.
    ///
    /// # Errors
    /// If a value in the plan is out of range, or the environments cannot be created.
    pub fn from_parts(envs: EnvFactory, agent: Box<dyn Agent>, plan: Config) -> Result<Self, TrainError> {
        let training = TrainingEnvs::made(guarded(envs), EnvOrigin::Given, &plan)?;
        Self::assemble(training, Source::Given(agent), plan)
    }

    /// The same with an agent that is created from the config, and created again if settings change during training.
    ///
    /// # Errors
    /// As [`Trainer::from_parts`], and if the agent cannot be created.
    pub fn from_factories(envs: EnvFactory, agents: AgentFactory, config: Config) -> Result<Self, TrainError> {
        let training = TrainingEnvs::made(guarded(envs), EnvOrigin::Given, &config)?;
        Self::assemble(training, Source::Config(agents), config)
    }

    fn assemble(training: TrainingEnvs, source: Source, mut config: Config) -> Result<Self, TrainError> {
        let TrainingEnvs { factory, mut envs, identity, break_rows } = training;
        config.env.id.clone_from(&identity.id);
        let num_envs = envs.len();
        let (spec, observation_space) = (envs.spec().clone(), envs.observation_space().clone());
        let actions = envs.action_space().discrete_n().expect("a vector has discrete actions");
        let mut observations = vec![0.0; num_envs * envs.observation_len()];
        envs.reset(episodes::seed(&config, 0), &mut observations)?;
        let actions = Actions { count: actions, masked: envs.action_mask(0).is_some() };
        let (agent, agents) = match source {
            Source::Given(agent) => (agent, None),
            Source::Config(agents) => {
                let env = AgentEnv { spec: &spec, observations: &observation_space, actions };
                (agents(&config, &env)?, Some(agents))
            }
        };
        if break_rows && agent.needs_unbroken_rows() {
            return Err(AgentError::BrokenRows { id: identity.id }.into());
        }
        let trainer = Trainer {
            evaluation: EvaluationEnvs { factory, side_by_side: Evaluator::SIDE_BY_SIDE },
            scoring: Scoring::new(&config.evaluation, &spec),
            env_metrics: EnvMetrics::new(&spec, num_envs),
            identity,
            spec,
            envs,
            action_space: actions,
            agent,
            agents,
            threads: 1,
            logger: None,
            env_steps: 0,
            updates: 0,
            returns: Returns::new(num_envs),
            progress_owed: false,
            asked_to_stop: false,
            learned: Learned::default(),
            skipped: Skipped::default(),
            resumed: ResumedEpisodes::default(),
            begun_anew: 0,
            reported: Vec::new(),
            masks: vec![true; if actions.masked { num_envs * actions.count } else { 0 }],
            actions: vec![0; num_envs],
            steps: vec![Step::default(); num_envs],
            made: num_envs as u64,
            dropped: vec![false; num_envs],
            next_observations: observations.clone(),
            following: observations.clone(),
            observations,
            config,
        };
        trainer.check_first_observations()?;
        Ok(trainer)
    }

    /// Allows up to `threads` threads of rayon's pool (at least 1, which is the default) for large networks and parallel environments from
    /// now on. Small ones are computed on the caller's thread. The bits are the same for every number of threads.
    ///
    /// If the caller is itself a thread of that pool, handing over work needs no waiting.
    pub fn set_threads(&mut self, threads: usize) {
        self.agent.set_threads(threads);
        self.envs.set_threads(threads);
        self.threads = threads;
    }

    /// Adds your own numbers to the logs, from a logger of which the recording code has a clone. Call it before a
    /// [`Session`](crate::run::Session) is created from this trainer, which fixes the columns of its table.
    pub fn set_logger(&mut self, logger: &Logger) {
        self.logger = Some(logger.clone());
    }

    /// Trains to the end, then scores the best and the final policy.
    ///
    /// # Errors
    /// If an environment or an observer fails, or a number is not finite.
    pub fn run(&mut self, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        let termination = loop {
            if let Some(termination) = self.advance(observer)? {
                break termination;
            }
        };
        self.finish(termination, observer)
    }

    /// Makes one step in every environment and any updates and evaluation due after it. Returns when training is over; after that, calling
    /// it does nothing more. An evaluation that was aborted, see [`Trainer::give_up_evaluations_when`], is made in the next call, before
    /// any step.
    ///
    /// # Errors
    /// As [`Trainer::run`].
    pub fn advance(&mut self, observer: &mut dyn Observer) -> Result<Option<Termination>, TrainError> {
        if self.scoring.is_owed() {
            let told = self.tell_what_is_due(observer);
            self.tell_numbers(observer)?;
            told?;
            return Ok(self.termination());
        }
        if let Some(termination) = self.termination() {
            return Ok(Some(termination));
        }
        self.replace_lost_episodes()?;
        let before = self.env_steps;
        self.read_masks();
        let masks = Masks::new(&self.masks, self.action_space.count);
        self.agent.act(&self.observations, masks, before, &mut self.actions)?;
        self.envs.step(&self.actions, &mut self.steps, &mut self.next_observations, &mut self.following)?;
        self.made = (0..self.steps.len()).filter(|slot| !self.envs.began(*slot)).count() as u64;
        self.env_steps = before + self.made;
        self.observe(before, observer)?;
        self.check_starts(before, observer)?;
        std::mem::swap(&mut self.observations, &mut self.following);
        if observer.wants_steps() {
            let Trainer { envs, actions, steps, observations, .. } = &*self;
            tell(observer, TrainEvent::Stepped { env_steps: self.env_steps, envs, actions, steps, observations })?;
        }

        let episodes_before = self.returns.episodes;
        self.count_steps(observer)?;
        let learned = self.agent.learn(before, self.env_steps).map_err(|error| match error {
            AgentError::NotFinite(LearningFault { site, value }) => {
                TrainError::NotFinite { site, value: value.into(), env_steps: before, env: None, action: None }
            }
            error => TrainError::Agent(error),
        })?;
        self.updates += learned.updates;
        self.learned.add(learned);
        self.progress_owed = self.progress_due();
        let episodes = (episodes_before, self.returns.episodes);
        self.scoring.note_due(&self.config.evaluation, (before, self.env_steps), episodes);
        let told = self.tell_what_is_due(observer);
        self.asked_to_stop = observer.asks_to_stop();
        // Even if an evaluation was aborted: a checkpoint written now does not contain them.
        self.tell_numbers(observer)?;
        told?;
        Ok(self.termination())
    }

    /// The config being trained.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The environments' own id.
    pub fn env_id(&self) -> &str {
        &self.identity.id
    }

    /// The identity of the environments.
    pub fn env_identity(&self) -> &EnvIdentity {
        &self.identity
    }

    /// The specification of the environments.
    pub fn env_spec(&self) -> &EnvSpec {
        &self.spec
    }

    /// Env steps so far, all environments together.
    pub fn env_steps(&self) -> u64 {
        self.env_steps
    }

    /// Updates so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The actions of the environments.
    pub fn actions(&self) -> Actions {
        self.action_space
    }

    /// The agent.
    pub fn agent(&self) -> &dyn Agent {
        &*self.agent
    }

    /// The current observations, environments × observation length.
    pub fn observations(&self) -> &[f32] {
        &self.observations
    }
}
