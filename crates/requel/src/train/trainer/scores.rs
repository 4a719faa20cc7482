//! The scores of a training run's policy: evaluations, the best policy, and how training ends.

use std::borrow::Cow;

use requel_envs::EnvError;

use super::Trainer;
use crate::agent::{AgentError, GreedyPolicy, Learned, Policy, ValueNetwork};
use crate::config::EnvConfig;
use crate::policy_file::PolicyFile;
use crate::state::State;
use crate::train::counted::{parameters, weights_blake3};
use crate::train::envs::{EnvFactory, for_network};
use crate::train::guarded::guarded;
use crate::train::observer::tell;
use crate::train::scoring::{LastScores, Scored};
use crate::train::{BestPolicy, GiveUp, Observer, Outcome, Termination, TrainError, TrainEvent};

/// The environments in which policies are scored.
pub(in crate::train) struct EvaluationEnvs {
    /// Creates them.
    pub factory: EnvFactory,
    /// The maximum number of environments, each with its own episode. No score depends on it.
    pub side_by_side: usize,
}

impl Trainer {
    /// Scores policies in environments of another factory from now on, such as environments with other wrappers. They are guarded.
    ///
    /// # Errors
    /// If one cannot be created, or its spaces differ from those of the training environments.
    pub fn evaluate_in(&mut self, factory: EnvFactory) -> Result<(), TrainError> {
        let factory = guarded(factory);
        let env = for_network(factory()?)?;
        if (env.observation_space(), env.action_space()) != (self.envs.observation_space(), self.envs.action_space()) {
            let (id, ours) = (&env.spec().id, &self.identity.id);
            let reason = format!(
                "the spaces of the environment for evaluations, {id}, differ from those of {ours}, the \
                         environment for training"
            );
            return Err(EnvError::Other(reason).into());
        }
        self.evaluation.factory = factory;
        self.scoring.forget_envs();
        Ok(())
    }

    /// Creates at most `most` environments for evaluations (at least 1, and at most
    /// [`SIDE_BY_SIDE`](crate::train::Evaluator::SIDE_BY_SIDE), which is the default), for environments that are costly. No score depends
    /// on it.
    pub fn evaluate_side_by_side(&mut self, most: usize) {
        self.evaluation.side_by_side = most.max(1);
        self.scoring.forget_envs();
    }

    /// Emits the last aggregates, unless they were emitted at the last step, and scores the best and the final policy on fresh episodes.
    /// Changes nothing that a checkpoint contains.
    ///
    /// # Errors
    /// As [`Trainer::run`].
    pub fn finish(&mut self, termination: Termination, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        // The results since the last report are kept: training that continues from here reports them with the rest.
        if !self.progress_due() {
            self.tell_progress(observer)?;
        }
        let Trainer { config, evaluation, agent, env_steps, updates, scoring, .. } = self;
        let scored = Scored { config, envs: evaluation, agent: &**agent, counts: (*env_steps, *updates) };
        let LastScores { best: best_evaluation, best_env_steps, last: final_evaluation, confirmation } =
            scoring.last(&scored, observer)?;
        let (env_steps, updates) = (self.env_steps, self.updates);
        let (best, last) = (&best_evaluation, &final_evaluation);
        tell(observer, TrainEvent::FinalEvaluated { env_steps, updates, best, last })?;
        self.tell_numbers(observer)?;
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
            weights_blake3: self.weights_blake3()?,
        })
    }

    /// Whether training is over: a function of what a checkpoint contains, so that a resumed run knows too.
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
        if used(train.env_steps, self.env_steps) || used(train.episodes, self.returns.episodes) {
            return Some(Termination::BudgetUsed);
        }
        self.asked_to_stop.then_some(Termination::Asked)
    }

    /// Asks training to stop here, as an observer can.
    pub fn ask_to_stop(&mut self) {
        self.asked_to_stop = true;
    }

    /// Withdraws an observer's request to stop, so that training can continue.
    pub fn go_on(&mut self) {
        self.asked_to_stop = false;
    }

    /// Aborts evaluations once `give_up` returns true: they are discarded, and the call fails with [`TrainError::Interrupted`].
    pub fn give_up_evaluations_when(&mut self, give_up: GiveUp) {
        self.scoring.give_up_when(give_up);
    }

    /// Whether an evaluation must be made before the next step.
    pub fn owes_evaluation(&self) -> bool {
        self.scoring.is_owed()
    }

    /// Whether an evaluation must be made before the next step of a trainer that restores `state`.
    pub(crate) fn state_owes_evaluation(state: &State<'_>) -> bool {
        state.values.get("trainer/evaluation_owed").is_some_and(|owed| *owed == true)
    }

    /// The best policy so far, if one was scored.
    pub fn best(&self) -> Option<&BestPolicy> {
        self.scoring.best()
    }

    /// The policy to ship: the best one scored, or else the current one.
    ///
    /// # Errors
    /// If the agent cannot create it.
    pub fn policy(&self) -> Result<Box<dyn Policy>, TrainError> {
        self.policy_for(1)
    }

    /// As [`Trainer::policy`], for up to `rows` observations at once.
    ///
    /// # Errors
    /// As [`Trainer::policy`].
    pub fn policy_for(&self, rows: usize) -> Result<Box<dyn Policy>, TrainError> {
        let mut policy = self.agent.policy(rows)?;
        if let Some(best) = self.scoring.best() {
            policy.set_parameters(&best.parameters)?;
        }
        Ok(policy)
    }

    /// The same as a policy with values, which can be shown and saved to a file.
    ///
    /// # Errors
    /// [`AgentError::NoValueNetwork`], or if the network cannot be created on this machine.
    pub fn greedy_policy(&self) -> Result<GreedyPolicy, TrainError> {
        let mut policy = self.value_network()?.greedy(1)?;
        if let Some(best) = self.scoring.best() {
            policy.set_parameters(&best.parameters).map_err(AgentError::from)?;
        }
        Ok(policy)
    }

    /// The agent's value network.
    ///
    /// # Errors
    /// [`AgentError::NoValueNetwork`] if it has none on the CPU.
    pub fn value_network(&self) -> Result<ValueNetwork<'_>, TrainError> {
        Ok(self.agent.value_network().ok_or(AgentError::NoValueNetwork)?)
    }

    /// The policy with these parameters in the form of a file; `None` if the agent has no value network.
    pub fn policy_file(&self, parameters: &[f32]) -> Option<PolicyFile> {
        let ValueNetwork { spec, network, .. } = self.value_network().ok()?;
        Some(PolicyFile {
            env_id: self.env_id().to_owned(),
            origin: self.identity.origin,
            identity: Some(self.identity.clone()),
            env: EnvConfig { id: self.env_id().to_owned(), ..self.config.env.clone() },
            network: network.spec().clone(),
            head: spec.head.clone(),
            parameters: parameters.to_vec(),
        })
    }

    /// BLAKE3 of the current policy's parameters as little-endian `f32`, hexadecimal.
    ///
    /// # Errors
    /// If the agent cannot create its policy.
    pub fn weights_blake3(&self) -> Result<String, TrainError> {
        weights_blake3(&*self.agent)
    }

    /// The current policy's parameters.
    pub(super) fn parameters(&self) -> Result<Cow<'_, [f32]>, TrainError> {
        parameters(&*self.agent)
    }

    /// First the evaluation, then the aggregates, so that the aggregates of a step include the score made at it.
    pub(super) fn tell_what_is_due(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if self.scoring.is_owed() {
            let Trainer { config, evaluation, agent, env_steps, updates, scoring, .. } = self;
            let scored = Scored { config, envs: evaluation, agent: &**agent, counts: (*env_steps, *updates) };
            scoring.evaluate(&scored, observer)?;
        }
        if self.progress_owed {
            self.tell_progress(observer)?;
            self.progress_owed = false;
            self.learned = Learned::default();
        }
        Ok(())
    }
}
