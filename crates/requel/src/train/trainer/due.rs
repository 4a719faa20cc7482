//! What is due after a step: a score of the greedy policy, and aggregates.

use super::*;

impl Trainer {
    /// First the evaluation, then the aggregates, so that those of a step hold the score that was made at it.
    pub(super) fn tell_what_is_due(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if self.evaluation_owed {
            self.evaluate(observer)?;
        }
        if self.progress_owed {
            tell(observer, TrainEvent::Progress(self.aggregates()))?;
            self.progress_owed = false;
            self.learned = Learned::default();
        }
        Ok(())
    }

    /// Whether the last step came to, or beyond, the next multiple of `log.every_steps`.
    pub(super) fn progress_due(&self) -> bool {
        let before = self.env_steps.saturating_sub(self.steps.len() as u64);
        crossings(self.config.log.every_steps, before, self.env_steps) > 0
    }

    pub(super) fn evaluation_due(&self, steps_before: u64, episodes_before: u64) -> bool {
        let evaluation = &self.config.evaluation;
        let by_steps =
            evaluation.every_steps > 0 && crossings(evaluation.every_steps, steps_before, self.env_steps) > 0;
        // After the first episode, then after each `every_episodes` more.
        let before_first = |episodes: u64| episodes + evaluation.every_episodes.saturating_sub(1);
        let by_episodes = evaluation.every_episodes > 0
            && crossings(evaluation.every_episodes, before_first(episodes_before), before_first(self.returns.episodes))
                > 0;
        by_steps || by_episodes
    }

    fn evaluate(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let episodes = self.config.evaluation.episodes;
        // Each evaluation takes fresh seeds: its place in the stream is its number.
        let mut seeds = StreamRng::new(self.config.train.seed, Stream::Evaluation);
        seeds.set_position(self.evaluations);
        let seed = u64::from(seeds.next_u32());
        let parameters = self.agent.parameters().to_vec();
        let evaluation = self.score(&parameters, episodes, seed)?;
        self.evaluations += 1;
        self.evaluation_owed = false;
        let (mean_return, std_return) = (evaluation.mean_return(), evaluation.std_return());
        self.evaluation = Some((mean_return, evaluation.mean_length()));
        let solved = self.stop_return.is_some_and(|threshold| mean_return >= threshold);
        self.solved_in_a_row = if solved { self.solved_in_a_row + 1 } else { 0 };
        let is_best = self.best.as_ref().is_none_or(|best| mean_return >= best.mean_return);
        if is_best {
            self.best = Some(BestPolicy { parameters, mean_return, std_return, env_steps: self.env_steps });
        }
        let best = if is_best { self.best.as_ref() } else { None };
        let (env_steps, updates) = (self.env_steps, self.agent.updates());
        tell(observer, TrainEvent::Evaluated { env_steps, updates, evaluation: &evaluation, best })
    }

    pub(super) fn score(&mut self, parameters: &[f32], episodes: usize, seed: u64) -> Result<Evaluation, TrainError> {
        let evaluator = match &mut self.evaluator {
            Some(evaluator) => evaluator,
            none => {
                let most = self.config.evaluation.episodes.max(self.config.evaluation.final_episodes);
                let evaluator =
                    none.insert(Evaluator::new(&self.factory, most, self.config.evaluation.max_episode_steps)?);
                self.give_up.iter().for_each(|give_up| evaluator.give_up_when(Arc::clone(give_up)));
                evaluator
            }
        };
        let policy = match &mut self.policy {
            Some(policy) => policy,
            none => {
                let spec = self.agent.value_spec();
                none.insert(GreedyPolicy::new(spec, parameters.to_vec(), evaluator.rows())?)
            }
        };
        policy.set_parameters(parameters);
        let evaluation = evaluator.evaluate(policy, episodes, seed)?;
        // The best policy is chosen by these numbers: among them NaN would never be beaten.
        if let Some(value) = evaluation.returns.iter().copied().find(|return_| !return_.is_finite()) {
            let (site, env_steps) = ("evaluation return", self.env_steps);
            return Err(TrainError::NotFinite { site, value, env_steps, world: None, action: None });
        }
        Ok(evaluation)
    }
}
