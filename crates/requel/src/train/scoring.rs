//! [`Scoring`]: when the greedy policy is scored, which one is kept, and when that ends training.

use std::sync::Arc;

use requel_envs::EnvSpec;
use serde::{Deserialize, Serialize};

use super::{BestPolicy, EnvFactory, Evaluation, Evaluator, GiveUp, Observer, TrainError, TrainEvent, observer::tell};
use crate::agent::{Agent, GreedyPolicy};
use crate::config::{Config, EvaluationConfig};
use crate::rng::{Stream, StreamRng};
use crate::schedule::crossings;
use crate::state::State;

/// What a policy came to over many fresh episodes that nothing was chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Env steps of training that the policy had had.
    pub env_steps: u64,
    /// Episodes played. Fewer than `evaluation.confirm_episodes` where the mean fell short on the way.
    pub episodes: usize,
    /// Episodes whose return is below the environment's goal, or below the return to stop at where it has none.
    pub failed: usize,
    /// Mean return.
    pub mean_return: f64,
    /// Standard deviation of the returns over the episodes.
    pub std_return: f64,
    /// Whether the mean reached what it had to reach, over all episodes.
    pub is_confirmed: bool,
}

/// Scores policies on environments of their own.
pub(super) struct Scoring {
    /// The mean return that may stop training.
    stop_return: Option<f64>,
    /// The mean return at which the environment counts as solved.
    goal: Option<f64>,
    evaluator: Option<Evaluator>,
    policy: Option<GreedyPolicy>,
    give_up: Option<GiveUp>,

    // What a checkpoint holds.
    evaluations: u64,
    confirmations: u64,
    /// The evaluation that is due after the last step was not made yet.
    is_owed: bool,
    reached_in_a_row: u64,
    /// Mean return and length of the latest evaluation.
    latest: Option<(f64, f64)>,
    best: Option<BestPolicy>,
    /// Of the present policy, if it was tried.
    confirmation: Option<Confirmation>,
}

/// What is scored, and where.
pub(super) struct Scored<'a> {
    pub config: &'a Config,
    pub factory: &'a EnvFactory,
    pub agent: &'a dyn Agent,
    pub env_steps: u64,
}

impl Scoring {
    /// For an environment of which so much is known.
    pub fn new(config: &EvaluationConfig, env: &EnvSpec) -> Self {
        Scoring {
            stop_return: config.stop_return.or(env.reward_threshold),
            goal: env.reward_threshold.or(config.stop_return),
            evaluator: None,
            policy: None,
            give_up: None,
            evaluations: 0,
            confirmations: 0,
            is_owed: false,
            reached_in_a_row: 0,
            latest: None,
            best: None,
            confirmation: None,
        }
    }

    /// Goes by other settings from now on.
    pub fn change(&mut self, config: &EvaluationConfig, env: &EnvSpec) {
        self.stop_return = config.stop_return.or(env.reward_threshold);
        self.goal = env.reward_threshold.or(config.stop_return);
        // Made again when they are needed, as the settings say now.
        (self.evaluator, self.policy) = (None, None);
    }

    /// Gives evaluations up once `give_up` says so.
    pub fn give_up_when(&mut self, give_up: GiveUp) {
        if let Some(evaluator) = &mut self.evaluator {
            evaluator.give_up_when(Arc::clone(&give_up));
        }
        self.give_up = Some(give_up);
    }

    /// Whether an evaluation is to be made before the next step.
    pub fn is_owed(&self) -> bool {
        self.is_owed
    }

    /// Mean return and length of the latest evaluation.
    pub fn latest(&self) -> Option<(f64, f64)> {
        self.latest
    }

    /// The best policy so far.
    pub fn best(&self) -> Option<&BestPolicy> {
        self.best.as_ref()
    }

    /// The environment's goal, or what the config names in its place.
    pub fn goal(&self) -> Option<f64> {
        self.goal
    }

    /// Whether the present policy reached what stops training, and held it.
    pub fn is_reached(&self, config: &EvaluationConfig) -> bool {
        let in_a_row = config.stop_after > 0 && self.reached_in_a_row >= config.stop_after;
        in_a_row && (config.confirm_episodes == 0 || self.confirmation.is_some_and(|c| c.is_confirmed))
    }

    /// Whether reaching that means that the environment is solved, and not only what the config asks for.
    pub fn is_the_goal(&self) -> bool {
        self.stop_return >= self.goal
    }

    /// Notes whether an evaluation is due after a step, from the counts of env steps and episodes before it and after it.
    pub fn note_due(&mut self, config: &EvaluationConfig, env_steps: (u64, u64), episodes: (u64, u64)) {
        let by_steps = config.every_steps > 0 && crossings(config.every_steps, env_steps.0, env_steps.1) > 0;
        // After the first episode, then after each `every_episodes` more.
        let before_first = |episodes: u64| episodes + config.every_episodes.saturating_sub(1);
        let by_episodes = config.every_episodes > 0
            && crossings(config.every_episodes, before_first(episodes.0), before_first(episodes.1)) > 0;
        self.is_owed = by_steps || by_episodes;
    }

    /// Makes the evaluation that is due, and confirms the policy if it may stop training.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`]; nothing is kept of the evaluation then.
    pub fn evaluate(&mut self, scored: &Scored<'_>, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let config = &scored.config.evaluation;
        // Each evaluation takes fresh seeds: its place in the stream is its number.
        let seed = seed(scored.config, Stream::Evaluation, self.evaluations);
        let parameters = scored.agent.parameters().to_vec();
        let evaluation = self.score(scored, &parameters, config.episodes, seed)?;
        let (mean_return, std_return) = (evaluation.mean_return(), evaluation.std_return());
        let is_reached = self.stop_return.is_some_and(|stop| mean_return >= stop);
        let in_a_row = if is_reached { self.reached_in_a_row + 1 } else { 0 };
        let is_candidate = config.stop_after > 0 && in_a_row >= config.stop_after && config.confirm_episodes > 0;
        let confirmation = match self.stop_return.filter(|_| is_candidate) {
            Some(stop_return) => Some(self.confirm(scored, &parameters, stop_return)?),
            None => None,
        };

        self.evaluations += 1;
        self.is_owed = false;
        self.latest = Some((mean_return, evaluation.mean_length()));
        self.confirmations += u64::from(confirmation.is_some());
        // Whoever fails has to reach the return anew, as often as at first.
        self.reached_in_a_row = if confirmation.is_some_and(|c| !c.is_confirmed) { 0 } else { in_a_row };
        self.confirmation = confirmation;
        let is_best = self.best.as_ref().is_none_or(|best| mean_return >= best.mean_return);
        let (env_steps, updates) = (scored.env_steps, scored.agent.updates());
        if is_best {
            self.best = Some(BestPolicy { parameters, mean_return, std_return, env_steps });
        }
        let best = if is_best { self.best.as_ref() } else { None };
        tell(observer, TrainEvent::Evaluated { env_steps, updates, evaluation: &evaluation, best })?;
        match confirmation {
            Some(confirmation) => tell(observer, TrainEvent::Confirmed { updates, confirmation }),
            None => Ok(()),
        }
    }

    /// The scores of the best and of the final policy on the same fresh episodes, and the final one's over many more where it
    /// reaches the goal. Changes nothing that a checkpoint holds.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub fn last(&mut self, scored: &Scored<'_>) -> Result<LastScores, TrainError> {
        let config = &scored.config.evaluation;
        let (episodes, seed) = (config.final_episodes, seed(scored.config, Stream::FinalEvaluation, 0));
        let parameters = scored.agent.parameters().to_vec();
        let last = self.score(scored, &parameters, episodes, seed)?;
        let (best, best_env_steps) = match self.best.clone() {
            Some(best) if best.parameters == parameters => (last.clone(), best.env_steps),
            Some(best) => (self.score(scored, &best.parameters, episodes, seed)?, best.env_steps),
            None => (last.clone(), scored.env_steps),
        };
        let confirmation = match (self.confirmation, self.goal) {
            (Some(confirmation), _) if confirmation.is_confirmed => Some(confirmation),
            (_, Some(goal)) if config.confirm_episodes > 0 && last.mean_return() >= goal => {
                Some(self.confirm(scored, &parameters, goal)?)
            }
            _ => None,
        };
        Ok(LastScores { best, best_env_steps, last, confirmation })
    }

    /// Plays `evaluation.confirm_episodes` fresh episodes, a hundred at a time, and stops once the mean falls below
    /// `least_return`.
    fn confirm(
        &mut self,
        scored: &Scored<'_>,
        parameters: &[f32],
        least_return: f64,
    ) -> Result<Confirmation, TrainError> {
        const AT_A_TIME: usize = 100;
        let wanted = scored.config.evaluation.confirm_episodes;
        let first_seed = seed(scored.config, Stream::Confirmation, self.confirmations);
        let mut all = Evaluation::default();
        while all.episodes() < wanted && (all.episodes() == 0 || all.mean_return() >= least_return) {
            let episodes = AT_A_TIME.min(wanted - all.episodes());
            let seed = first_seed.wrapping_add(all.episodes() as u64);
            let more = self.score(scored, parameters, episodes, seed)?;
            all.returns.extend(more.returns);
            all.lengths.extend(more.lengths);
        }
        let goal = self.goal.unwrap_or(least_return);
        Ok(Confirmation {
            env_steps: scored.env_steps,
            episodes: all.episodes(),
            failed: all.returns.iter().filter(|return_| **return_ < goal).count(),
            mean_return: all.mean_return(),
            std_return: all.std_return(),
            is_confirmed: all.episodes() == wanted && all.mean_return() >= least_return,
        })
    }

    fn score(
        &mut self,
        scored: &Scored<'_>,
        parameters: &[f32],
        episodes: usize,
        seed: u64,
    ) -> Result<Evaluation, TrainError> {
        let evaluator = match &mut self.evaluator {
            Some(evaluator) => evaluator,
            none => {
                let config = &scored.config.evaluation;
                let most = config.episodes.max(config.final_episodes);
                let evaluator = none.insert(Evaluator::new(scored.factory, most, config.max_episode_steps)?);
                self.give_up.iter().for_each(|give_up| evaluator.give_up_when(Arc::clone(give_up)));
                evaluator
            }
        };
        let policy = match &mut self.policy {
            Some(policy) => policy,
            none => {
                let spec = scored.agent.value_spec();
                none.insert(GreedyPolicy::new(spec, parameters.to_vec(), evaluator.rows())?)
            }
        };
        policy.set_parameters(parameters)?;
        let evaluation = evaluator.evaluate(policy, episodes, seed)?;
        // The best policy is chosen by these numbers: among them NaN would never be beaten.
        if let Some(value) = evaluation.returns.iter().copied().find(|return_| !return_.is_finite()) {
            let (site, env_steps) = ("evaluation return", scored.env_steps);
            return Err(TrainError::NotFinite { site, value, env_steps, env: None, action: None });
        }
        Ok(evaluation)
    }

    /// Adds what a checkpoint holds.
    pub fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put("trainer/evaluations", self.evaluations);
        state.put("trainer/solved_in_a_row", self.reached_in_a_row);
        state.put("trainer/evaluation", self.latest);
        if self.is_owed {
            state.put("trainer/evaluation_owed", true);
        }
        if self.confirmations > 0 {
            state.put("trainer/confirmations", self.confirmations);
            state.put("trainer/confirmation", self.confirmation);
        }
        if let Some(best) = &self.best {
            state.put_f32("best/parameters", vec![best.parameters.len()], &best.parameters);
            state.put("best/score", (best.mean_return, best.std_return, best.env_steps));
        }
    }

    /// Takes it back; `parameters` is how many a policy has.
    ///
    /// # Errors
    /// If it is no state of this.
    pub fn restore(&mut self, state: &State<'_>, parameters: usize) -> Result<(), TrainError> {
        self.evaluations = state.read("trainer/evaluations")?;
        self.reached_in_a_row = state.read("trainer/solved_in_a_row")?;
        self.latest = state.read("trainer/evaluation")?;
        let holds = |name: &str| state.values.contains_key(name);
        self.is_owed = holds("trainer/evaluation_owed") && state.read("trainer/evaluation_owed")?;
        (self.confirmations, self.confirmation) = match holds("trainer/confirmations") {
            true => (state.read("trainer/confirmations")?, state.read("trainer/confirmation")?),
            false => (0, None),
        };
        self.best = None;
        if state.tensors.contains_key("best/parameters") {
            let mut parameters = vec![0.0; parameters];
            state.read_f32("best/parameters", &mut parameters)?;
            let (mean_return, std_return, env_steps) = state.read("best/score")?;
            self.best = Some(BestPolicy { parameters, mean_return, std_return, env_steps });
        }
        Ok(())
    }
}

/// The scores at the end of training.
pub(super) struct LastScores {
    pub best: Evaluation,
    pub best_env_steps: u64,
    pub last: Evaluation,
    pub confirmation: Option<Confirmation>,
}

/// The seed of the first episode of the `nth` evaluation of its kind.
fn seed(config: &Config, stream: Stream, nth: u64) -> u64 {
    let mut seeds = StreamRng::new(config.train.seed, stream);
    seeds.set_position(nth);
    u64::from(seeds.next_u32())
}
