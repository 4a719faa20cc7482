//! [`AgentLoop`], an agent in a training loop that its owner runs.

mod ingest;

use requel_envs::Step;

use super::blocks::Intake;
use super::counted::{Counted, weights_blake3};
use super::observer::tell;
use super::returns::Returns;
use super::trainer::{env_seed, learned_reward};
use super::{AgentEnv, Aggregates, Evaluation, Evaluator, Observer, TrainError, TrainEvent};
use crate::agent::{Actions, Agent, AgentError, Learned, LearningFault, Masks, Policy, Statistics};
use crate::config::Config;
use crate::experience::{Experience, ExperienceBatch};
use crate::finite::first_not_finite;
use crate::schedule::crossings;
use crate::state::{State, StateError};
use crate::transition::{ElementType, is_byte};

/// An agent and the plan for training it, without environments: its owner steps them, here or elsewhere.
///
/// For each step of the environments, call [`AgentLoop::act`], then [`AgentLoop::observe`] once per environment in the order of the slots,
/// then [`AgentLoop::learn`]. This gives the same weights as a [`Trainer`](crate::Trainer) of the same config. Experience from others, such
/// as remote actors or a data set, is added with [`AgentLoop::observe_batch`], and [`AgentLoop::update`] learns from what is stored.
/// Observers receive episodes, progress and evaluations, as from a trainer; [`AgentLoop::save`] returns a state for
/// [`checkpoint`](crate::checkpoint).
///
/// From the plan, `train.num_envs`, `train.seed`, `agent.reward_scale`, `agent.reward_clip`, `log` and `evaluation` are used.
pub struct AgentLoop {
    agent: Box<dyn Agent>,
    plan: Config,
    observation_len: usize,
    elements: ElementType,
    actions: Actions,
    env_steps: u64,
    /// Env steps at the last call of `learn`.
    learned_at: u64,
    updates: u64,
    returns: Returns,
    /// Since progress was last reported.
    learned: Learned,
    /// Mean return and length of the latest evaluation.
    evaluation: Option<(f64, f64)>,
    /// The blocks that others collect.
    intake: Intake,
    most_behind: Option<u64>,
}

const LEARNED_AT: &str = "trainer/learned_at";
const UPDATES: &str = "agent/updates";
const INTAKE: &str = "trainer/intake";

impl AgentLoop {
    /// A loop for an agent in environments like `env`, before its first step. The agent of a config comes from
    /// [`Registry::agent`](crate::Registry::agent).
    ///
    /// # Errors
    /// If a value in the plan is out of range.
    pub fn new(agent: Box<dyn Agent>, env: &AgentEnv<'_>, plan: Config) -> Result<Self, TrainError> {
        plan.check()?;
        Ok(AgentLoop {
            agent,
            observation_len: env.observations.len(),
            elements: ElementType::of(env.observations),
            actions: env.actions,
            env_steps: 0,
            learned_at: 0,
            updates: 0,
            returns: Returns::new(plan.train.num_envs),
            learned: Learned::default(),
            evaluation: None,
            intake: Intake::default(),
            most_behind: None,
            plan,
        })
    }

    /// The seed for the first reset of the environments, which gives the same episodes as a [`Trainer`](crate::Trainer): slot `i` uses this
    /// plus `i`, as in a [`VectorEnv`](requel_envs::VectorEnv).
    pub fn env_seed(&self) -> u64 {
        env_seed(&self.plan, 0)
    }

    /// An action for each environment. `observations` is environments × observation length; `masks` are their action masks.
    ///
    /// # Errors
    /// If the number of observations, masks or actions does not match `train.num_envs`, or the agent fails.
    pub fn act(&mut self, observations: &[f32], masks: Masks<'_>, actions: &mut [usize]) -> Result<(), TrainError> {
        let envs = self.plan.train.num_envs;
        check(observations.len() == envs * self.observation_len, || {
            format!("{} numbers do not match the observations of {envs} environments", observations.len())
        })?;
        let flags = masks.flags().len();
        check(flags == 0 || flags == envs * self.actions.count, || {
            format!("{flags} flags do not match the action masks of {envs} environments")
        })?;
        check(actions.len() == envs, || format!("{} actions were requested for {envs} environments", actions.len()))?;
        Ok(self.agent.act(observations, masks, self.env_steps, actions)?)
    }

    /// Passes a step of an environment to the agent, which counts as an env step.
    ///
    /// # Errors
    /// If the step does not fit such an environment, or a number in it is not finite (the agent does not see it then), or if the observer
    /// fails.
    pub fn observe(&mut self, experience: &Experience<'_>, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.check_step(experience)?;
        let (slot, step) = (experience.slot, experience.step);
        let reward = learned_reward(&self.plan.agent, step.reward);
        self.agent.observe(&Experience { step: Step { reward, ..step }, ..*experience });
        self.env_steps += 1;
        match self.returns.step(slot, step) {
            Some(episode) => tell(observer, TrainEvent::EpisodeEnded { env_steps: self.env_steps, episode }),
            None => Ok(()),
        }
    }

    /// Passes on steps that were made elsewhere, in order. [`AgentLoop::weights_version`] minus that of the batch is the number of updates
    /// by which the weights that acted were behind.
    ///
    /// # Errors
    /// As [`AgentLoop::observe`], at the first step that is refused: the agent has seen those before it.
    pub fn observe_batch(&mut self, batch: &ExperienceBatch, observer: &mut dyn Observer) -> Result<(), TrainError> {
        batch.experiences.iter().try_for_each(|owned| self.observe(&owned.as_experience(), observer))
    }

    /// Reports that a step of environment `slot` is missing: the next step of that environment does not follow the previous one.
    pub fn interrupt(&mut self, slot: usize) {
        self.agent.interrupt(slot);
        self.returns.abandon(slot);
    }

    /// Makes the updates that are due after the steps since the last call, and reports progress if that is due. Returns how many updates
    /// were made.
    ///
    /// # Errors
    /// If a number in learning is not finite, or the agent or the observer fails.
    pub fn learn(&mut self, observer: &mut dyn Observer) -> Result<u64, TrainError> {
        let (before, after) = (std::mem::replace(&mut self.learned_at, self.env_steps), self.env_steps);
        let learned = self.agent.learn(before, after).map_err(|error| self.fault(error))?;
        let updates = self.count(learned);
        if crossings(self.plan.log.every_steps, before, after) > 0 {
            self.tell_progress(observer)?;
        }
        Ok(updates)
    }

    /// Skips the updates that are due after the steps since the last call, for example when a data set is only stored.
    pub fn skip_learning(&mut self) {
        self.learned_at = self.env_steps;
    }

    /// Makes this many updates from what the agent has stored, whether they are due or not.
    ///
    /// # Errors
    /// As [`AgentLoop::learn`], and as [`Agent::update`].
    pub fn update(&mut self, updates: u64) -> Result<(), TrainError> {
        let learned = self.agent.update(updates, self.env_steps).map_err(|error| self.fault(error))?;
        self.count(learned);
        Ok(())
    }

    /// Reports statistics of training since the last report.
    ///
    /// # Errors
    /// If the observer fails.
    pub fn tell_progress(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        tell(observer, TrainEvent::Progress(self.aggregates()))?;
        self.learned = Learned::default();
        Ok(())
    }

    /// Statistics of training since the last report.
    pub fn aggregates(&self) -> Aggregates {
        let counted = Counted {
            agent: &*self.agent,
            env_steps: self.env_steps,
            updates: self.updates,
            returns: &self.returns,
            learned: &self.learned,
            evaluation: self.evaluation,
        };
        counted.aggregates()
    }

    /// Scores the current policy over `evaluation.episodes` episodes, the `i`-th from seed `seed + i`, and reports the score.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`], and if the observer fails.
    pub fn evaluate(
        &mut self,
        envs: &mut Evaluator,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Evaluation, TrainError> {
        let mut policy = self.agent.policy(envs.rows())?;
        let evaluation = envs.evaluate(&mut *policy, self.plan.evaluation.episodes, seed)?;
        self.evaluation = Some((evaluation.mean_return(), evaluation.mean_length()));
        let (env_steps, updates) = (self.env_steps, self.updates);
        tell(observer, TrainEvent::Evaluated { env_steps, updates, evaluation: &evaluation, best: None })?;
        Ok(evaluation)
    }

    /// What has been learned so far, as a policy for up to `rows` observations at once: remote actors need its parameters.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, TrainError> {
        Ok(self.agent.policy(rows)?)
    }

    /// The version of the weights: the number of updates they have received.
    pub fn weights_version(&self) -> u64 {
        self.updates
    }

    /// BLAKE3 of the current policy's parameters as little-endian `f32`, hexadecimal.
    ///
    /// # Errors
    /// If the agent cannot create its policy.
    pub fn weights_blake3(&self) -> Result<String, TrainError> {
        weights_blake3(&*self.agent)
    }

    /// Env steps observed.
    pub fn env_steps(&self) -> u64 {
        self.env_steps
    }

    /// The agent.
    pub fn agent(&self) -> &dyn Agent {
        &*self.agent
    }

    /// The complete state: a loop with the same config that restores it continues with the same bits, given the same experience.
    ///
    /// # Errors
    /// [`TrainError::Agent`] if what was learned cannot be read, for example from a device that was lost.
    pub fn save(&self) -> Result<State<'_>, TrainError> {
        self.agent.prepare_save()?;
        let mut state = State::default();
        self.agent.save(&mut state);
        if !state.values.contains_key(UPDATES) {
            state.put(UPDATES, self.updates);
        }
        state.put("trainer/env_steps", self.env_steps);
        state.put(LEARNED_AT, self.learned_at);
        state.put("trainer/returns", &self.returns);
        if self.intake != Intake::default() {
            state.put(INTAKE, &self.intake);
        }
        state.put("trainer/learned_since_log", (self.learned.updates, self.learned.loss_sum, self.learned.q_sum));
        state.put("trainer/statistics_since_log", self.learned.statistics.saved());
        Ok(state)
    }

    /// Restores a state, which may also come from a [`Trainer`](crate::Trainer) with the same config: the environments belong to the owner.
    ///
    /// # Errors
    /// If the state is not that of such a loop, which must then not be used any more.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), TrainError> {
        self.agent.restore(state)?;
        self.env_steps = state.read("trainer/env_steps")?;
        // A trainer has always made the updates that are due.
        let is_said = state.values.contains_key(LEARNED_AT);
        self.learned_at = if is_said { state.read(LEARNED_AT)? } else { self.env_steps };
        self.updates = state.read(UPDATES)?;
        self.returns = state.read("trainer/returns")?;
        self.intake = if state.values.contains_key(INTAKE) { state.read(INTAKE)? } else { Intake::default() };
        if self.returns.num_envs() != self.plan.train.num_envs {
            return Err(StateError::new("trainer/returns", "is from another number of environments").into());
        }
        let (updates, loss_sum, q_sum) = state.read("trainer/learned_since_log")?;
        let statistics: Vec<(String, f64, u32)> = state.read("trainer/statistics_since_log")?;
        self.learned = Learned { updates, loss_sum, q_sum, statistics: Statistics::restored(&statistics)? };
        Ok(())
    }

    fn count(&mut self, learned: Learned) -> u64 {
        self.updates += learned.updates;
        self.learned.add(learned);
        learned.updates
    }

    fn fault(&self, error: AgentError) -> TrainError {
        match error {
            AgentError::NotFinite(LearningFault { site, value }) => {
                let env_steps = self.env_steps;
                TrainError::NotFinite { site, value: value.into(), env_steps, env: None, action: None }
            }
            error => TrainError::Agent(error),
        }
    }

    /// Refuses a step that does not fit the environments that the agent was created for.
    fn check_step(&self, experience: &Experience<'_>) -> Result<(), TrainError> {
        let &Experience { slot, action, step, .. } = experience;
        let (envs, len, actions) = (self.plan.train.num_envs, self.observation_len, self.actions.count);
        check(slot < envs, || {
            format!(
                "a step belongs to environment {slot}, but there are {envs}: see \
                                       `train.num_envs`"
            )
        })?;
        check(action < actions, || format!("action {action} is not one of {actions}"))?;
        for seen in [experience.observation, experience.next_observation] {
            check(seen.len() == len, || format!("an observation has {} numbers, not {len}", seen.len()))?;
            if let Some((_, value)) = first_not_finite(seen) {
                return Err(self.not_finite("observation", value.into(), experience));
            }
            let is_whole = self.elements == ElementType::F32 || seen.iter().all(|number| is_byte(*number));
            check(is_whole, || "an observation has numbers that are not whole ones from 0 to 255".into())?;
        }
        for mask in [experience.mask, experience.next_mask].into_iter().flatten() {
            check(mask.len() == actions, || format!("an action mask has {} flags, not {actions}", mask.len()))?;
        }
        let is_learnable = (learned_reward(&self.plan.agent, step.reward) as f32).is_finite();
        if is_learnable { Ok(()) } else { Err(self.not_finite("reward", step.reward, experience)) }
    }

    fn not_finite(&self, site: &'static str, value: f64, experience: &Experience<'_>) -> TrainError {
        let (env, action) = (Some(experience.slot), Some(experience.action));
        TrainError::NotFinite { site, value, env_steps: self.env_steps, env, action }
    }
}

fn check(holds: bool, reason: impl FnOnce() -> String) -> Result<(), TrainError> {
    if holds { Ok(()) } else { Err(AgentError::Failed { reason: reason() }.into()) }
}
