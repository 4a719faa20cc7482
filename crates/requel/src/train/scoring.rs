//! [`Scoring`]: when the greedy policy is scored, which one is kept, and when that ends training.

mod saving;

use std::sync::Arc;

use requel_envs::EnvSpec;

use super::{
    BestPolicy, Confirmation, Evaluation, Evaluator, GiveUp, Observer, TrainError, TrainEvent, observer::tell,
    trainer::EvaluationEnvs,
};
use crate::agent::{Agent, Policy};
use crate::config::{Config, EvaluationConfig};
use crate::rng::{Stream, StreamRng};
use crate::schedule::crossings;

/// Scores policies in separate environments.
pub(super) struct Scoring {
    /// The mean return that may stop training.
    stop_return: Option<f64>,
    /// The mean return at which the environment counts as solved.
    goal: Option<f64>,
    evaluator: Option<Evaluator>,
    give_up: Option<GiveUp>,

    // What a checkpoint contains.
    evaluations: u64,
    confirmations: u64,
    /// The evaluation that is due after the last step has not been made yet.
    is_owed: bool,
    reached_in_a_row: u64,
    /// Mean return and length of the latest evaluation.
    latest: Option<(f64, f64)>,
    best: Option<BestPolicy>,
    /// For the current policy, if it was tried.
    confirmation: Option<Confirmation>,
}

/// What is scored, and where.
pub(super) struct Scored<'a> {
    pub config: &'a Config,
    pub envs: &'a EvaluationEnvs,
    pub agent: &'a dyn Agent,
    /// Env steps and updates so far.
    pub counts: (u64, u64),
}

impl Scoring {
    /// For an environment with these properties.
    pub fn new(config: &EvaluationConfig, env: &EnvSpec) -> Self {
        Scoring {
            stop_return: config.stop_return.or(env.reward_threshold),
            goal: env.reward_threshold.or(config.stop_return),
            evaluator: None,
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

    /// Uses other settings from now on.
    pub fn change(&mut self, config: &EvaluationConfig, env: &EnvSpec) {
        self.stop_return = config.stop_return.or(env.reward_threshold);
        self.goal = env.reward_threshold.or(config.stop_return);
        // Created again when needed, with the current settings.
        self.evaluator = None;
    }

    /// Creates other environments before the next evaluation.
    pub fn forget_envs(&mut self) {
        self.evaluator = None;
    }

    /// Aborts evaluations once `give_up` returns true.
    pub fn give_up_when(&mut self, give_up: GiveUp) {
        if let Some(evaluator) = &mut self.evaluator {
            evaluator.give_up_when(Arc::clone(&give_up));
        }
        self.give_up = Some(give_up);
    }

    /// Whether an evaluation must be made before the next step.
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

    /// The environment's goal, or what the config sets instead.
    pub fn goal(&self) -> Option<f64> {
        self.goal
    }

    /// Whether the current policy reached the return that stops training, and held it.
    pub fn is_reached(&self, config: &EvaluationConfig) -> bool {
        let in_a_row = config.stop_after > 0 && self.reached_in_a_row >= config.stop_after;
        in_a_row && (config.confirm_episodes == 0 || self.confirmation.is_some_and(|c| c.is_confirmed))
    }

    /// Whether reaching it means that the environment is solved, and not only the config's return.
    pub fn is_the_goal(&self) -> bool {
        self.stop_return >= self.goal
    }

    /// Records whether an evaluation is due after a step, given the counts of env steps and episodes before and after it.
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
    /// As [`Evaluator::evaluate`]; the evaluation is then discarded.
    pub fn evaluate(&mut self, scored: &Scored<'_>, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let config = &scored.config.evaluation;
        // Each evaluation uses fresh seeds: its position in the stream is its number.
        let seed = seed(scored.config, Stream::Evaluation, self.evaluations);
        let mut policy = scored.agent.policy(self.evaluator(scored)?.rows())?;
        let evaluation = self.score(scored, &mut *policy, (config.episodes, seed), &mut |_| Ok(()))?;
        let (mean_return, std_return) = (evaluation.mean_return(), evaluation.std_return());
        let is_reached = self.stop_return.is_some_and(|stop| mean_return >= stop);
        let in_a_row = if is_reached { self.reached_in_a_row + 1 } else { 0 };
        let is_candidate = config.stop_after > 0 && in_a_row >= config.stop_after && config.confirm_episodes > 0;
        let confirmation = match self.stop_return.filter(|_| is_candidate) {
            Some(stop_return) => Some(self.confirm(scored, &mut *policy, stop_return)?),
            None => None,
        };

        self.evaluations += 1;
        self.is_owed = false;
        self.latest = Some((mean_return, evaluation.mean_length()));
        self.confirmations += u64::from(confirmation.is_some());
        // After a failure, the return must be reached again as often as at first.
        self.reached_in_a_row = if confirmation.is_some_and(|c| !c.is_confirmed) { 0 } else { in_a_row };
        self.confirmation = confirmation;
        let is_best = self.best.as_ref().is_none_or(|best| mean_return >= best.mean_return);
        let (env_steps, updates) = scored.counts;
        if is_best {
            let parameters = policy.parameters().to_vec();
            self.best = Some(BestPolicy { parameters, mean_return, std_return, env_steps });
        }
        let best = if is_best { self.best.as_ref() } else { None };
        tell(observer, TrainEvent::Evaluated { env_steps, updates, evaluation: &evaluation, best })?;
        match confirmation {
            Some(confirmation) => tell(observer, TrainEvent::Confirmed { updates, confirmation }),
            None => Ok(()),
        }
    }

    /// The scores of the best and of the final policy on the same fresh episodes, and the final one's over many more if it reaches the
    /// goal. Changes nothing that a checkpoint contains.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`], and if the observer fails.
    pub fn last(&mut self, scored: &Scored<'_>, observer: &mut dyn Observer) -> Result<LastScores, TrainError> {
        let config = &scored.config.evaluation;
        let (episodes, seed) = (config.final_episodes, seed(scored.config, Stream::FinalEvaluation, 0));
        let mut policy = scored.agent.policy(self.evaluator(scored)?.rows())?;
        let parameters = policy.parameters().to_vec();
        let is_best = self.best.as_ref().is_none_or(|best| best.parameters == parameters);
        let (env_steps, all) = (scored.counts.0, if is_best { episodes } else { 2 * episodes });
        let mut tell_played = |played| tell(observer, TrainEvent::FinalEpisode { env_steps, played, episodes: all });
        let last = self.score(scored, &mut *policy, (episodes, seed), &mut tell_played)?;
        let (best, best_env_steps) = match self.best.clone() {
            Some(best) if best.parameters == parameters => (last.clone(), best.env_steps),
            Some(best) => {
                policy.set_parameters(&best.parameters)?;
                let best_score =
                    self.score(scored, &mut *policy, (episodes, seed), &mut |played| tell_played(episodes + played))?;
                policy.set_parameters(&parameters)?;
                (best_score, best.env_steps)
            }
            None => (last.clone(), scored.counts.0),
        };
        let confirmation = match (self.confirmation, self.goal) {
            (Some(confirmation), _) if confirmation.is_confirmed => Some(confirmation),
            (_, Some(goal)) if config.confirm_episodes > 0 && last.mean_return() >= goal => {
                Some(self.confirm(scored, &mut *policy, goal)?)
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
        policy: &mut dyn Policy,
        least_return: f64,
    ) -> Result<Confirmation, TrainError> {
        const AT_A_TIME: usize = 100;
        let wanted = scored.config.evaluation.confirm_episodes;
        let first_seed = seed(scored.config, Stream::Confirmation, self.confirmations);
        let mut all = Evaluation::default();
        while all.episodes() < wanted && (all.episodes() == 0 || all.mean_return() >= least_return) {
            let episodes = AT_A_TIME.min(wanted - all.episodes());
            let seed = first_seed.wrapping_add(all.episodes() as u64);
            let more = self.score(scored, policy, (episodes, seed), &mut |_| Ok(()))?;
            all.returns.extend(more.returns);
            all.lengths.extend(more.lengths);
        }
        let goal = self.goal.unwrap_or(least_return);
        Ok(Confirmation {
            env_steps: scored.counts.0,
            episodes: all.episodes(),
            failed: all.returns.iter().filter(|return_| **return_ < goal).count(),
            mean_return: all.mean_return(),
            std_return: all.std_return(),
            is_confirmed: all.episodes() == wanted && all.mean_return() >= least_return,
        })
    }

    /// The environments for scoring, created when first needed.
    fn evaluator(&mut self, scored: &Scored<'_>) -> Result<&mut Evaluator, TrainError> {
        if self.evaluator.is_none() {
            let config = &scored.config.evaluation;
            let most = config.episodes.max(config.final_episodes);
            let EvaluationEnvs { factory, side_by_side } = scored.envs;
            let mut evaluator = Evaluator::new(factory, most.min(*side_by_side), config.max_episode_steps)?;
            self.give_up.iter().for_each(|give_up| evaluator.give_up_when(Arc::clone(give_up)));
            self.evaluator = Some(evaluator);
        }
        Ok(self.evaluator.as_mut().expect("just made"))
    }

    fn score(
        &mut self,
        scored: &Scored<'_>,
        policy: &mut dyn Policy,
        (episodes, seed): (usize, u64),
        played: &mut dyn FnMut(usize) -> Result<(), TrainError>,
    ) -> Result<Evaluation, TrainError> {
        let evaluation = self.evaluator(scored)?.evaluate_telling(policy, episodes, seed, played)?;
        // The best policy is chosen by these numbers: NaN among them could never be beaten.
        if let Some(value) = evaluation.returns.iter().copied().find(|return_| !return_.is_finite()) {
            let (site, env_steps) = ("evaluation return", scored.counts.0);
            return Err(TrainError::NotFinite { site, value, env_steps, env: None, action: None });
        }
        Ok(evaluation)
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
