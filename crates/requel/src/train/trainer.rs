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

/// Trains one agent in environments of one kind. It touches no file and no clock: what comes out is a function of the config.
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
    /// What makes it anew where settings change; `None` of an agent that was given.
    agents: Option<AgentFactory>,
    scoring: Scoring,
    threads: usize,
    logger: Option<Logger>,

    // What a checkpoint holds, beside environments and agent.
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
    /// How often its counts were begun anew.
    begun_anew: u64,
    observations: Vec<f32>,

    // What a step writes.
    /// The numbers that the agent reports of itself.
    reported: Vec<(String, f64)>,
    /// Environments × actions: which were allowed; empty where all always are.
    masks: Vec<bool>,
    actions: Vec<usize>,
    steps: Vec<Step>,
    /// How many of the last steps were env steps; the others only began an episode.
    made: u64,
    /// The environments whose step was dropped, or was none.
    dropped: Vec<bool>,
    next_observations: Vec<f32>,
    following: Vec<f32>,
}

/// Where the agent of a trainer comes from.
enum Source {
    /// It is made from the config.
    Config(AgentFactory),
    /// It was made elsewhere.
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

    /// A trainer of parts: environments of your own, as in [`Trainer::with_envs`], an agent of your own, and the plan by which they
    /// are trained. Of `plan` the sections `train`, `evaluation`, `log` and `checkpoint` are looked at, with
    /// `agent.reward_scale` and `agent.reward_clip`; what belongs to the agents of this crate is not. The agent acts in
    /// `train.num_envs` environments.
    ///
    /// # Errors
    /// If the plan holds a value out of range, or the environments cannot be made.
    pub fn from_parts(envs: EnvFactory, agent: Box<dyn Agent>, plan: Config) -> Result<Self, TrainError> {
        let training = TrainingEnvs::made(guarded(envs), EnvOrigin::Given, &plan)?;
        Self::assemble(training, Source::Given(agent), plan)
    }

    /// The same with an agent that is made from the config, and made anew where settings change on the way.
    ///
    /// # Errors
    /// As [`Trainer::from_parts`], and if the agent cannot be made.
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

    /// Lets large networks and environments side by side be computed by up to `threads` threads of rayon's pool (at least 1, as
    /// it is unless told otherwise), from now on. Small ones stay on the caller's. The same bits for every number of them.
    ///
    /// A caller that is itself a thread of that pool spares every hand-over a wait.
    pub fn set_threads(&mut self, threads: usize) {
        self.agent.set_threads(threads);
        self.envs.set_threads(threads);
        self.threads = threads;
    }

    /// Takes numbers of your own into the logs, from a logger that whoever records them has a clone of. Before a
    /// [`Session`](crate::run::Session) is made of this trainer: its table's columns are those of the logger then.
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

    /// Makes one step in every environment and whatever learning and scoring is due after it. Says when training is over;
    /// then, and when called again, nothing more is done. An evaluation that was given up, see
    /// [`Trainer::give_up_evaluations_when`], is made at the next call, before any step.
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
        // Also where an evaluation was given up: a checkpoint that is written now does not know them.
        self.tell_numbers(observer)?;
        told?;
        Ok(self.termination())
    }

    /// The config that is trained.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The id that the environments give themselves.
    pub fn env_id(&self) -> &str {
        &self.identity.id
    }

    /// What the environments are known by.
    pub fn env_identity(&self) -> &EnvIdentity {
        &self.identity
    }

    /// What the environments say of themselves.
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

    /// What each environment shows now, environments × observation length.
    pub fn observations(&self) -> &[f32] {
        &self.observations
    }
}
