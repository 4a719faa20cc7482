//! [`Trainer`], the loop.

mod beginning;
mod episodes;
mod settings;

use requel_envs::{EnvSpec, Step, VectorEnv};

use self::episodes::ResumedEpisodes;
use super::envs::{self, EnvFactory};
use super::evaluation::GiveUp;
use super::guarded::guarded;
use super::observer::tell;
use super::returns::Returns;
use super::scoring::{LastScores, Scored, Scoring};
use super::{
    Aggregates, BestPolicy, EnvIdentity, EnvOrigin, EpisodeRecord, Observer, Outcome, Termination, TrainError,
    TrainEvent,
};
use crate::agent::{Actions, Agent, AgentError, Experience, GreedyPolicy, Learned, LearningFault, Statistics};
use crate::config::{AgentConfig, Config, OnNan};
use crate::finite::first_not_finite;
use crate::registry::Registry;
use crate::schedule::crossings;
use crate::state::{State, StateError};

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
    factory: EnvFactory,
    identity: EnvIdentity,
    spec: EnvSpec,
    envs: VectorEnv,
    agent: Box<dyn Agent>,
    scoring: Scoring,
    threads: usize,

    // What a checkpoint holds, beside environments and agent.
    env_steps: u64,
    returns: Returns,
    /// The aggregates that are due after the last step wait for the evaluation.
    progress_owed: bool,
    learned: Learned,
    skipped: Skipped,
    resumed: ResumedEpisodes,
    observations: Vec<f32>,

    // What a step writes.
    /// Environments × actions: which were allowed; empty where all always are.
    masks: Vec<bool>,
    actions: Vec<usize>,
    steps: Vec<Step>,
    /// The environments whose step was dropped.
    dropped: Vec<bool>,
    next_observations: Vec<f32>,
    following: Vec<f32>,
}

impl Trainer {
    /// A trainer for the environment of [`requel_envs`] that the config names, before its first step. For one of your own,
    /// see [`Registry::trainer`].
    ///
    /// # Errors
    /// If the config holds a value out of range, or the environment or the agent cannot be made.
    pub fn new(config: Config) -> Result<Self, TrainError> {
        Registry::built_in().trainer(config)
    }

    /// A trainer for environments of your own, which `factory` makes, all alike. `config.env.id` becomes the id that they give
    /// themselves; else only `config.env.frame_stack` is looked at: bytes that are so many frames are kept frame by frame.
    ///
    /// The program knows nothing of environments that are only given: register them, see [`Registry`], where it is to show,
    /// score or resume the run.
    ///
    /// The environments are watched over: what breaks their contract, a panic too, is an [`EnvError`](requel_envs::EnvError)
    /// that says what, and the run can be resumed.
    ///
    /// # Errors
    /// If the config holds a value out of range, or the environments or the agent cannot be made.
    pub fn with_envs(config: Config, factory: EnvFactory) -> Result<Self, TrainError> {
        Self::from_factory(config, guarded(factory), EnvOrigin::Given)
    }

    pub(crate) fn from_factory(mut config: Config, factory: EnvFactory, origin: EnvOrigin) -> Result<Self, TrainError> {
        config.check()?;
        let num_envs = config.train.num_envs;
        let (envs, identity) = envs::several(&factory, origin, num_envs)?;
        config.env.id.clone_from(&identity.id);
        let env = &envs[0];
        let spec = env.spec().clone();
        let actions = env.action_space().discrete_n();
        let actions = actions.ok_or_else(|| AgentError::ContinuousActions { id: spec.id.clone() })?;
        let observation_space = env.observation_space().clone();
        let mut envs = VectorEnv::new(envs)?;
        let mut observations = vec![0.0; num_envs * envs.observation_len()];
        envs.reset(episodes::seed(&config, 0), &mut observations)?;
        let actions = Actions { count: actions, masked: envs.action_mask(0).is_some() };
        let agent = settings::agent(&config, &spec, (&observation_space, actions))?;
        let trainer = Trainer {
            factory,
            scoring: Scoring::new(&config.evaluation, &spec),
            identity,
            spec,
            envs,
            agent,
            threads: 1,
            env_steps: 0,
            returns: Returns::new(num_envs),
            progress_owed: false,
            learned: Learned::default(),
            skipped: Skipped::default(),
            resumed: ResumedEpisodes::default(),
            masks: vec![true; if actions.masked { num_envs * actions.count } else { 0 }],
            actions: vec![0; num_envs],
            steps: vec![Step::default(); num_envs],
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
            self.tell_what_is_due(observer)?;
            return Ok(self.termination());
        }
        if let Some(termination) = self.termination() {
            return Ok(Some(termination));
        }
        self.replace_lost_episodes()?;
        let before = self.env_steps;
        let envs = &self.envs;
        self.agent.act(&self.observations, &|slot| envs.action_mask(slot), before, &mut self.actions);
        self.remember_masks();
        self.envs.step(&self.actions, &mut self.steps, &mut self.next_observations, &mut self.following)?;
        self.env_steps = before + self.steps.len() as u64;
        self.observe(before, observer)?;
        self.check_starts(before, observer)?;
        std::mem::swap(&mut self.observations, &mut self.following);
        if observer.wants_steps() {
            let (envs, actions, observations) = (&self.envs, &self.actions[..], &self.observations[..]);
            tell(observer, TrainEvent::Stepped { env_steps: self.env_steps, envs, actions, observations })?;
        }

        let episodes_before = self.returns.episodes;
        self.count_steps(observer)?;
        let learned = self.agent.learn(before, self.env_steps);
        if let Some(LearningFault { site, value }) = learned.fault {
            let value = f64::from(value);
            return Err(TrainError::NotFinite { site, value, env_steps: before, env: None, action: None });
        }
        self.learned.add(learned);
        self.progress_owed = self.progress_due();
        let episodes = (episodes_before, self.returns.episodes);
        self.scoring.note_due(&self.config.evaluation, (before, self.env_steps), episodes);
        self.tell_what_is_due(observer)?;
        Ok(self.termination())
    }

    /// Tells the aggregates of the end, unless they were told at the last step, and scores the best and the final policy on
    /// fresh episodes. Changes nothing that a checkpoint holds.
    ///
    /// # Errors
    /// As [`Trainer::run`].
    pub fn finish(&mut self, termination: Termination, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        // What was learned since the last time is not forgotten: training that goes on from here tells it with the rest.
        if !self.progress_due() {
            tell(observer, TrainEvent::Progress(self.aggregates()))?;
        }
        let Trainer { config, factory, agent, env_steps, scoring, .. } = self;
        let scored = Scored { config, factory, agent: &**agent, env_steps: *env_steps };
        let LastScores { best: best_evaluation, best_env_steps, last: final_evaluation, confirmation } =
            scoring.last(&scored)?;
        let (env_steps, updates) = (self.env_steps, self.agent.updates());
        let (best, last) = (&best_evaluation, &final_evaluation);
        tell(observer, TrainEvent::FinalEvaluated { env_steps, updates, best, last })?;
        Ok(Outcome {
            termination,
            env_steps,
            updates,
            episodes: self.returns.episodes,
            skipped: self.skipped.total,
            inexact_resumes: self.resumed.inexactly,
            train_return_last_100: self.returns.means().map(|(return_, _)| return_),
            best_evaluation,
            best_env_steps,
            final_evaluation,
            goal: self.scoring.goal(),
            confirmation,
            weights_blake3: self.weights_blake3(),
        })
    }

    /// Gives evaluations up once `give_up` says so: nothing is kept of them, and what was to be done fails with
    /// [`TrainError::Interrupted`].
    pub fn give_up_evaluations_when(&mut self, give_up: GiveUp) {
        self.scoring.give_up_when(give_up);
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
        self.agent.updates()
    }

    /// The agent.
    pub fn agent(&self) -> &dyn Agent {
        &*self.agent
    }

    /// The best policy so far, if one was scored.
    pub fn best(&self) -> Option<&BestPolicy> {
        self.scoring.best()
    }

    /// The policy to ship: the best one scored, else the present one.
    ///
    /// # Errors
    /// If the network cannot be made on this machine.
    pub fn policy(&self) -> Result<GreedyPolicy, TrainError> {
        let parameters = self.scoring.best().map_or(self.agent.parameters(), |best| &best.parameters);
        Ok(GreedyPolicy::new(self.agent.value_spec(), parameters.to_vec(), 1)?)
    }

    /// Training in numbers, since the last time they were told.
    pub fn aggregates(&self) -> Aggregates {
        let per_update = |sum: f64| (self.learned.updates > 0).then(|| sum / self.learned.updates as f64);
        let (means, evaluation) = (self.returns.means(), self.scoring.latest());
        Aggregates {
            env_steps: self.env_steps,
            episodes: self.returns.episodes,
            updates: self.agent.updates(),
            return_mean: means.map(|(return_, _)| return_),
            length_mean: means.map(|(_, length)| length),
            loss: per_update(self.learned.loss_sum),
            mean_q: per_update(self.learned.q_sum),
            evaluation_return: evaluation.map(|(return_, _)| return_),
            evaluation_length: evaluation.map(|(_, length)| length),
            epsilon: self.agent.epsilon(self.env_steps),
            learning_rate: self.agent.learning_rate(self.env_steps),
            statistics: self.learned.statistics,
        }
    }

    /// BLAKE3 of the present parameters as little-endian `f32`, hexadecimal.
    pub fn weights_blake3(&self) -> String {
        blake3::hash(bytemuck::cast_slice(self.agent.parameters())).to_hex().to_string()
    }

    /// Of the state what is large and written row by row: see [`Agent::save_large`].
    pub(crate) fn save_large(&self) -> State<'_> {
        let mut state = State::default();
        self.agent.save_large(&mut state);
        state
    }

    /// The complete state: a trainer with the same config that takes it over goes on with the same bits. Environments that cannot
    /// save theirs are left out; the trainer that takes it over begins new episodes in them.
    ///
    /// # Errors
    /// [`TrainError::Env`] if an environment fails to save its state.
    pub fn save(&self) -> Result<State<'_>, TrainError> {
        let mut state = State::default();
        self.agent.save(&mut state);
        self.save_envs(&mut state)?;
        state.put("trainer/env_steps", self.env_steps);
        state.put("trainer/returns", &self.returns);
        self.scoring.save(&mut state);
        state.put("trainer/learned_since_log", (self.learned.updates, self.learned.loss_sum, self.learned.q_sum));
        state.put("trainer/statistics_since_log", self.learned.statistics.saved());
        if self.progress_owed {
            state.put("trainer/progress_owed", true);
        }
        if self.skipped.total > 0 {
            state.put("trainer/skipped", (self.skipped.total, self.skipped.in_a_row));
        }
        Ok(state)
    }

    /// Takes over a state.
    ///
    /// # Errors
    /// If it is no state of a trainer with this config; the trainer is of no use then.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), TrainError> {
        self.agent.restore(state)?;
        self.restore_envs(state)?;
        self.env_steps = state.read("trainer/env_steps")?;
        self.returns = state.read("trainer/returns")?;
        if self.returns.num_envs() != self.config.train.num_envs {
            return Err(StateError::new("trainer/returns", "is of another number of environments").into());
        }
        self.scoring.restore(state, self.agent.parameters().len())?;
        // Who wrote before aggregates waited for evaluations owes none.
        let owes = state.values.contains_key("trainer/progress_owed");
        self.progress_owed = owes && state.read("trainer/progress_owed")?;
        let (updates, loss_sum, q_sum) = state.read("trainer/learned_since_log")?;
        // Who wrote before there were statistics wrote none.
        let known = state.values.contains_key("trainer/statistics_since_log");
        let statistics: Vec<(String, f64, u32)> =
            if known { state.read("trainer/statistics_since_log")? } else { Vec::new() };
        let statistics = Statistics::restored(&statistics)?;
        self.learned = Learned { updates, loss_sum, q_sum, statistics, fault: None };
        let skipped = state.values.contains_key("trainer/skipped").then(|| state.read("trainer/skipped"));
        let (total, in_a_row) = skipped.transpose()?.unwrap_or_default();
        self.skipped = Skipped { total, in_a_row };
        Ok(())
    }

    /// Whether training is over: a function of what a checkpoint holds, so that a resumed run knows too.
    pub fn termination(&self) -> Option<Termination> {
        let (train, evaluation) = (&self.config.train, &self.config.evaluation);
        if self.scoring.is_owed() {
            return None;
        }
        if self.scoring.is_reached(evaluation) {
            let is_goal = self.scoring.is_the_goal();
            return Some(if is_goal { Termination::Solved } else { Termination::StopReturnReached });
        }
        let used = |budget: u64, count: u64| budget > 0 && count >= budget;
        (used(train.env_steps, self.env_steps) || used(train.episodes, self.returns.episodes))
            .then_some(Termination::BudgetUsed)
    }

    /// Shows the agent what the step led to. NaN and infinity reach neither it nor the replay buffer.
    fn observe(&mut self, before: u64, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (len, actions) = (self.envs.observation_len(), self.masks.len() / self.steps.len());
        let all_finite = first_not_finite(&self.next_observations).is_none();
        for slot in 0..self.steps.len() {
            let row = slot * len..(slot + 1) * len;
            let step = self.steps[slot];
            let reward = learned_reward(&self.config.agent, step.reward);
            self.dropped[slot] = false;
            let observed = if all_finite { None } else { first_not_finite(&self.next_observations[row.clone()]) };
            let fault = match observed {
                Some((_, value)) => Some(("observation", f64::from(value))),
                // As the replay buffer keeps it: 1e39 is finite only in double precision.
                None if (reward as f32).is_finite() => None,
                // What the environment gives can be learned from; the factor of the config is too large for it.
                None if (step.reward as f32).is_finite() => Some((SCALED_REWARD, reward)),
                None => Some(("reward", step.reward)),
            };
            if let Some((site, value)) = fault {
                self.skip(slot, (site, value), before, observer)?;
                self.agent.interrupt(slot);
                self.returns.abandon(slot);
                self.dropped[slot] = true;
                if !step.ended() {
                    self.envs.reset_slot(slot, &mut self.following[row])?;
                }
                continue;
            }
            self.skipped.in_a_row = 0;
            self.agent.observe(&Experience {
                slot,
                observation: &self.observations[row.clone()],
                mask: (actions > 0).then(|| &self.masks[slot * actions..][..actions]),
                action: self.actions[slot],
                step: Step { reward, ..step },
                next_observation: &self.next_observations[row],
                next_mask: self.envs.next_action_mask(slot),
            });
        }
        Ok(())
    }

    /// Keeps what the environments allow now: after the step they will say what they allow then.
    fn remember_masks(&mut self) {
        if self.masks.is_empty() {
            return;
        }
        let actions = self.masks.len() / self.steps.len();
        for (slot, mask) in self.masks.chunks_exact_mut(actions).enumerate() {
            match self.envs.action_mask(slot) {
                Some(allowed) => mask.copy_from_slice(allowed),
                None => mask.fill(true),
            }
        }
    }

    /// Looks at what is acted on next. Where an episode ended these are the first observations of another, which no transition
    /// has shown yet.
    fn check_starts(&mut self, before: u64, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let len = self.envs.observation_len();
        while let Some((at, value)) = first_not_finite(&self.following) {
            let slot = at / len.max(1);
            self.skip(slot, ("observation", f64::from(value)), before, observer)?;
            self.envs.reset_slot(slot, &mut self.following[slot * len..(slot + 1) * len])?;
        }
        Ok(())
    }

    /// Counts and tells what environment `slot` gave that is not finite, or refuses it if it may not be skipped.
    fn skip(
        &mut self,
        slot: usize,
        (site, value): (&'static str, f64),
        env_steps: u64,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        let action = self.actions[slot];
        if self.config.train.on_nan == OnNan::Stop || self.skipped.in_a_row == Skipped::MOST_IN_A_ROW {
            let (env, action) = (Some(slot), Some(action));
            return Err(TrainError::NotFinite { site, value, env_steps, env, action });
        }
        self.skipped.total += 1;
        self.skipped.in_a_row += 1;
        let skipped = self.skipped.total;
        tell(observer, TrainEvent::Skipped { env_steps, site, value, env: slot, action, skipped })
    }

    fn count_steps(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (env_steps, long) = (self.env_steps, self.config.log.long_episode_steps);
        for slot in (0..self.steps.len()).filter(|slot| !self.dropped[*slot]) {
            if let Some(episode) = self.returns.step(slot, self.steps[slot]) {
                let episode: EpisodeRecord = episode;
                tell(observer, TrainEvent::EpisodeEnded { env_steps, episode })?;
            } else if self.returns.running_length(slot) == long {
                tell(observer, TrainEvent::LongEpisode { env_steps, env: slot, length: long })?;
            }
        }
        Ok(())
    }

    /// First the evaluation, then the aggregates, so that those of a step hold the score that was made at it.
    fn tell_what_is_due(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if self.scoring.is_owed() {
            let Trainer { config, factory, agent, env_steps, scoring, .. } = self;
            scoring.evaluate(&Scored { config, factory, agent: &**agent, env_steps: *env_steps }, observer)?;
        }
        if self.progress_owed {
            tell(observer, TrainEvent::Progress(self.aggregates()))?;
            self.progress_owed = false;
            self.learned = Learned::default();
        }
        Ok(())
    }

    /// Whether the last step came to, or beyond, the next multiple of `log.every_steps`.
    fn progress_due(&self) -> bool {
        let before = self.env_steps.saturating_sub(self.steps.len() as u64);
        crossings(self.config.log.every_steps, before, self.env_steps) > 0
    }
}

/// What a NaN or infinity of an environment has cost.
#[derive(Clone, Copy, Debug, Default)]
struct Skipped {
    /// How often it cost a step or the start of an episode.
    total: u64,
    /// How often since the last step that was shown to the agent.
    in_a_row: u64,
}

impl Skipped {
    /// An environment that gives nothing else is broken, and would be reset for ever.
    const MOST_IN_A_ROW: u64 = 1_000;
}

/// The site of a number that is not finite, and that `agent.reward_scale` has made of a reward which is.
pub const SCALED_REWARD: &str = "reward times agent.reward_scale";

/// A reward as it is learned from.
fn learned_reward(config: &AgentConfig, reward: f64) -> f64 {
    let scaled = config.reward_scale * reward;
    // Clipping would hide an infinity.
    if config.reward_clip > 0.0 && scaled.is_finite() {
        scaled.clamp(-config.reward_clip, config.reward_clip)
    } else {
        scaled
    }
}
