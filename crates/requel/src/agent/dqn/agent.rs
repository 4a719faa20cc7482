//! [`DqnAgent`], deep Q-learning with its parts as switches (Mnih et al. 2015).

use requel_envs::Space;
use requel_nn::{Chosen, Network};

use super::batch::{BatchShape, LearningBatch};
use super::bootstrap::Bootstrap;
use super::replay_buffer::replay_buffer;
use crate::agent::actor::{Actor, Situation};
#[cfg(test)]
use crate::agent::learner::poison;
use crate::agent::learner::{Learner, put_parameters, read_parameters};
use crate::agent::measure::BatchMeasure;
use crate::agent::memory;
use crate::agent::{
    Actions, Agent, AgentError, Experience, GreedyPolicy, Head, HeadLoss, HeadShape, HeadUpdate, Learned,
    LearningFault, MemorySample, Policy, Rule, Statistic, TargetNetwork, ValueNetwork, ValueSpec, Values,
};
use crate::config::{AgentKind, Config, ReplayKind};
use crate::planted::PlantedBug;
use crate::replay::{NStepAccumulator, ReplayBuffer, ReplayError};
use crate::schedule::crossings;
use crate::state::{State, StateError};
use crate::td::{Munchausen, argmax, importance_weights};
use crate::transition::{Batch, Transition};
use crate::{EpsilonGreedy, Schedule};

/// A Q-network that learns from a replay buffer: one head, one rule, one way of drawing and of exploring, put together as
/// the config says. What it can be is DQN (Mnih et al. 2015) up to Rainbow (Hessel et al. 2018).
///
/// `agent.kind = "naive"` is the same agent with the latest transitions in place of the buffer.
pub struct DqnAgent {
    spec: ValueSpec,
    learner: Learner,
    target: Option<TargetNetwork>,
    bootstrap: Bootstrap,
    head: Box<dyn Head>,
    munchausen: bool,
    /// Between which bootstrapped targets are clipped.
    bounds: Option<(f32, f32)>,
    /// Of the online network's distributions at the observations, those of the actions taken are all that is read.
    reads_only_taken: bool,

    replay: Box<dyn ReplayBuffer>,
    /// By environment.
    accumulators: Vec<NStepAccumulator>,
    /// β, where the replay is prioritized.
    importance: Option<Schedule>,
    /// Learning starts when the buffer holds more transitions than this.
    start: usize,
    /// The batch is what the present step brought, not a draw from a buffer.
    learns_once: bool,
    /// A step of some environment was dropped since learning was last due.
    interrupted: bool,
    every_steps: u64,
    updates_each: u64,

    actor: Actor,

    // What an update writes.
    batch: LearningBatch,
    weights: Vec<f32>,
    /// Values at the next observations, rows × actions, −∞ where an action is not allowed.
    next_q: Vec<f32>,
    /// Values at the observations, rows × actions, as Munchausen's rule sees them.
    current_q: Vec<f32>,
    d_outputs: Vec<f32>,
    measure: BatchMeasure,
}

impl DqnAgent {
    /// The agent of `config` for an environment with these spaces.
    ///
    /// # Errors
    /// If the network is none, or the buffers do not fit the memory.
    pub fn new(config: &Config, observations: &Space, actions: impl Into<Actions>) -> Result<Self, AgentError> {
        let actions = actions.into();
        let (seed, num_envs) = (config.train.seed, config.train.num_envs);
        let spec = ValueSpec::new(config, observations, actions.count);
        let explorer = EpsilonGreedy::new(config.exploration.schedule(), seed, num_envs);
        let network = Network::with_kernel(&spec.network, requel_nn::kernel::select()?)?;
        let (rows, start) = match config.agent.kind {
            AgentKind::Naive => (num_envs, 0),
            AgentKind::Dqn | AgentKind::Pqn => (config.replay.batch_size, config.replay.start),
        };
        let bootstrap = Bootstrap::new(config, TargetNetwork::is_wanted(&config.target));
        let shape = BatchShape::new(config, rows, bootstrap);
        let online = memory::workspace(&network, shape.online_rows, shape.fractions);
        let target = memory::workspace(&network, shape.target_rows, shape.target_fractions);
        let selector = memory::workspace(&network, shape.selector_rows, shape.selector_fractions);
        let waiting = NStepAccumulator::bytes_needed(config.agent.n_step, network.input_len());
        memory::check(&network, &[online, target, selector, waiting.saturating_mul(config.train.num_envs as u64)])?;

        let learner = Learner::new(config, network);
        let network = &learner.network;
        let accumulator = || {
            let steps = NStepAccumulator::new(config.agent.n_step, config.agent.gamma, network.input_len())?;
            Ok(if actions.masked { steps.with_masks(actions.count) } else { steps })
        };
        let rule = if config.agent.munchausen {
            let (alpha, tau, clip) = (config.munchausen.alpha, config.munchausen.temperature, config.munchausen.clip);
            Rule::Munchausen(Munchausen { alpha: alpha as f32, tau: tau as f32, clip: clip as f32 })
        } else {
            Rule::QLearning
        };
        let head_shape = HeadShape { rows, actions: actions.count };
        let head = spec.head.learning(config).build(rule, head_shape, network.kernel())?;
        let d_rows = if bootstrap.is_residual() { 2 * rows } else { rows };
        Ok(DqnAgent {
            target: TargetNetwork::new(&config.target, &learner.parameters),
            reads_only_taken: head.atoms() > 1 && !bootstrap.reads_all_values(config.agent.munchausen),
            bootstrap,
            head,
            munchausen: config.agent.munchausen,
            bounds: config.agent.value_clip.bounds(),
            replay: replay_buffer(config, observations, actions)?,
            accumulators: (0..num_envs).map(|_| accumulator()).collect::<Result<_, ReplayError>>()?,
            importance: (config.replay.kind == ReplayKind::Prioritized && config.agent.kind == AgentKind::Dqn)
                .then_some(Schedule::Linear {
                    start: config.replay.importance_start,
                    end: config.replay.importance_end,
                    env_steps: config.importance_env_steps(),
                }),
            start,
            learns_once: config.agent.kind == AgentKind::Naive,
            interrupted: false,
            every_steps: config.train.every_steps,
            updates_each: config.train.updates,
            actor: Actor::new(Values::new(&spec, num_envs)?, Box::new(explorer), seed),
            batch: LearningBatch::new(network, &shape, actions.masked.then_some(actions.count), seed),
            weights: vec![0.0; rows],
            measure: BatchMeasure::new(rows),
            next_q: vec![0.0; rows * actions.count],
            current_q: vec![0.0; if config.agent.munchausen { rows * actions.count } else { 0 }],
            d_outputs: vec![0.0; d_rows * shape.fractions * network.output_len()],
            learner,
            spec,
        })
    }

    /// What its values are.
    pub fn value_spec(&self) -> &ValueSpec {
        &self.spec
    }

    /// The network of its values.
    pub fn network(&self) -> &Network {
        &self.learner.network
    }

    /// That network's parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.learner.parameters
    }

    /// One update from one batch.
    fn update(&mut self, env_steps: u64) -> Result<Learned, LearningFault> {
        self.batch.draw(&mut *self.replay);
        let LearningBatch { columns, online, target: target_workspace, selector, fractions, .. } = &mut self.batch;
        let Learner { network, parameters, .. } = &self.learner;
        let rows = columns.actions.len();

        let per_row = online.fractions() * network.output_len();
        let blocks = Chosen { blocks: &columns.actions, block_len: self.head.atoms() };
        let chosen = self.reads_only_taken.then_some(blocks);
        let outputs = match chosen {
            Some(chosen) => network.forward_chosen(parameters, online.max_rows(), chosen, online),
            None => network.forward(parameters, online.max_rows(), online),
        };
        let (outputs, online_next) = outputs.split_at(rows * per_row);
        let target_outputs = match (&self.target, target_workspace) {
            (Some(target), Some(workspace)) => {
                let per_row = workspace.fractions() * network.output_len();
                let outputs = network.forward(target.parameters(), workspace.max_rows(), workspace);
                Some(outputs.split_at(rows * per_row))
            }
            _ => None,
        };
        let next_outputs = target_outputs.map_or(online_next, |(next, _)| next);
        let selects_apart = selector.is_some();
        let choice = match (selector, &self.target) {
            (None, _) if self.bootstrap == Bootstrap::Double => online_next,
            (None, _) => next_outputs,
            (Some(selector), Some(target)) if self.bootstrap == Bootstrap::Target => {
                network.forward(target.parameters(), rows, selector)
            }
            (Some(selector), _) => network.forward(parameters, rows, selector),
        };
        self.head.q_values(choice, &mut self.next_q);
        columns.mask_next_values(&mut self.next_q);
        if self.munchausen {
            self.head.q_values(target_outputs.map_or(outputs, |(_, current)| current), &mut self.current_q);
            columns.mask_values(&mut self.current_q);
        }
        if let Some(beta) = self.importance {
            importance_weights(&columns.probabilities, beta.at(env_steps), &mut self.weights);
        }

        let (d_outputs, d_next) = self.d_outputs.split_at_mut(rows * per_row);
        let update = HeadUpdate {
            actions: &columns.actions,
            rewards: &columns.rewards,
            discounts: &columns.discounts,
            weights: self.importance.filter(|_| !PlantedBug::WeightsIgnored.is_made()).map(|_| &self.weights[..]),
            outputs,
            next_outputs,
            next_q: &self.next_q,
            // What Munchausen's rule is told was worked out after it.
            next_q_is_fresh: self.bootstrap != Bootstrap::Double && !self.munchausen && !selects_apart,
            current_q: self.munchausen.then_some(&self.current_q[..]),
            bounds: self.bounds,
            fractions,
        };
        let HeadLoss { loss, mean_q } = self.head.loss(&update, d_outputs);
        #[cfg(test)]
        let loss = poison::take("loss", self.learner.updates).unwrap_or(loss);
        let mut learned = Learned::update(loss, mean_q)?;
        if let Some(d_errors) = self.head.d_errors().filter(|_| self.bootstrap.is_residual()) {
            // The target is r + d·q(s', a*): its derivative is −d at a*, times the error's (Baird 1995).
            d_next.fill(0.0);
            let actions = self.next_q.len() / rows;
            for (row, (next_q, d_error)) in self.next_q.chunks_exact(actions).zip(d_errors).enumerate() {
                d_next[row * actions + argmax(next_q)] = -columns.discounts[row] * d_error;
            }
        }
        if self.importance.is_some() && !PlantedBug::PrioritiesFrozen.is_made() {
            self.replay.update_priorities(&columns.indices, self.head.td_errors());
        }
        if self.learner.measures() {
            let statistics = &mut learned.statistics;
            self.measure.record(&*self.head, &self.next_q, statistics);
            if let Some(share) = self.head.clipped_targets(&columns.rewards, &columns.discounts) {
                statistics.record(Statistic::ClippedTargets, share);
            }
            if let Some(age) = self.replay.mean_age(&columns.indices) {
                statistics.record(Statistic::ReplayAge, age);
            }
        }
        self.learner.step((&self.d_outputs, chosen), online, env_steps, &mut learned.statistics)?;
        if let Some(target) = &mut self.target {
            target.after_update(self.learner.updates, &self.learner.parameters);
        }
        Ok(learned)
    }
}

impl Agent for DqnAgent {
    fn act<'m>(
        &mut self,
        observations: &[f32],
        mask: &dyn Fn(usize) -> Option<&'m [bool]>,
        env_steps: u64,
        actions: &mut [usize],
    ) -> Result<(), AgentError> {
        self.actor.act(&self.learner.parameters, &Situation { observations, mask, env_steps }, actions);
        Ok(())
    }

    fn observe(&mut self, experience: &Experience<'_>) {
        let (replay, actions) = (&mut self.replay, self.actor.values.actions() as u32);
        self.accumulators[experience.slot].push(experience, &mut |transition| {
            if PlantedBug::ActionShifted.is_made() {
                replay.push(&Transition { action: (transition.action + 1) % actions, ..*transition });
            } else {
                replay.push(transition);
            }
        });
    }

    fn interrupt(&mut self, slot: usize) {
        self.accumulators[slot].clear();
        self.interrupted = true;
    }

    fn learn(&mut self, before: u64, after: u64) -> Result<Learned, AgentError> {
        if let Some(target) = &mut self.target {
            target.after_env_steps(before, after, &self.learner.parameters);
        }
        let mut learned = Learned::default();
        // The naive agent has nothing whole to learn from then, and must not learn from what it learned from before.
        let incomplete = std::mem::take(&mut self.interrupted) && self.learns_once;
        if self.replay.len() <= self.start || incomplete {
            return Ok(learned);
        }
        let due = crossings(self.every_steps, before, after);
        // Of several environments the naive agent has one batch per step, which holds each transition once.
        let due = if self.learns_once { due.min(1) } else { due };
        for _ in 0..due * self.updates_each {
            learned.add(self.update(after)?);
        }
        Ok(learned)
    }

    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError> {
        Ok(Box::new(GreedyPolicy::new(&self.spec, self.learner.parameters.clone(), rows)?))
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.actor.statistics(env_steps, report);
        report("learning_rate", self.learner.learning_rate(env_steps));
    }

    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        let Learner { network, parameters, .. } = &self.learner;
        Some(ValueNetwork { spec: &self.spec, network, parameters })
    }

    fn begin_from(&mut self, parameters: &[f32]) -> Result<(), StateError> {
        self.learner.begin_from(parameters)?;
        if let Some(target) = &mut self.target {
            target.parameters_mut().copy_from_slice(parameters);
        }
        Ok(())
    }

    fn begin_with_replay(&mut self, state: &State<'_>) -> Result<(), StateError> {
        if self.learns_once {
            return Err(StateError::new("replay", "is not used: the naive agent has no replay buffer"));
        }
        self.replay.restore(state)
    }

    fn sample_memory(&self, most: usize) -> Option<MemorySample> {
        let (stored, len) = (self.replay.len(), self.learner.network.input_len());
        let rows = most.min(stored);
        let mut columns = Batch::new(rows);
        if !self.batch.columns.masks.is_empty() {
            columns = columns.with_masks(self.actor.values.actions());
        }
        columns.indices = (0..rows).map(|row| (row * stored / rows) as u32).collect();
        let (mut observations, mut next) = (vec![0.0; rows * len], vec![0.0; rows * len]);
        let is_read = self.replay.read(&mut columns.with_observations(&mut observations, &mut next));
        is_read.then_some(MemorySample { observations, columns })
    }

    fn set_threads(&mut self, threads: usize) {
        self.learner.set_threads(threads);
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.learner.save(state);
        if let Some(target) = &self.target {
            put_parameters(state, "target", &self.learner.network, target.parameters());
        }
        self.actor.save(state);
        self.batch.save(state);
        for (slot, accumulator) in self.accumulators.iter().enumerate() {
            accumulator.save(&format!("n_step/{slot}"), state);
        }
        self.replay.save(state);
    }

    fn save_large<'a>(&'a self, state: &mut State<'a>) {
        self.replay.save_large(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.learner.restore(state)?;
        if let Some(target) = &mut self.target {
            read_parameters(state, "target", &self.learner.network, target.parameters_mut())?;
        }
        self.actor.restore(state)?;
        self.batch.restore(state)?;
        for (slot, accumulator) in self.accumulators.iter_mut().enumerate() {
            accumulator.restore(&format!("n_step/{slot}"), state)?;
        }
        self.replay.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(epsilon: f64, actions: usize) -> DqnAgent {
        let mut config = Config::default();
        config.exploration.kind = crate::config::ExplorationKind::Constant;
        config.exploration.start = epsilon;
        config.train.num_envs = 2;
        let space =
            Space::Box { low: vec![-1.0; 3], high: vec![1.0; 3], shape: vec![3], dtype: requel_envs::DType::F32 };
        DqnAgent::new(&config, &space, actions).unwrap()
    }

    #[test]
    fn masks_hold_for_greedy_and_for_random_actions() {
        let (first, second) = ([false, true, false, true], [true, false, false, false]);
        for epsilon in [0.0, 0.5, 1.0] {
            let mut agent = agent(epsilon, 4);
            for draw in 0..200u8 {
                let observations: [f32; 6] = std::array::from_fn(|i| f32::from(draw) * 0.01 - i as f32 * 0.3);
                let mut actions = [9; 2];
                agent
                    .act(&observations, &|slot| Some(if slot == 0 { &first } else { &second }), 0, &mut actions)
                    .unwrap();
                assert!(first[actions[0]] && second[actions[1]], "{actions:?}");
            }
        }
    }

    #[test]
    fn greedy_actions_are_the_best_of_the_own_environment() {
        let mut agent = agent(0.0, 4);
        let policy = crate::GreedyPolicy::new(agent.value_spec(), agent.parameters().to_vec(), 1);
        let mut policy = policy.unwrap();
        for draw in 0..50u8 {
            let observations: [f32; 6] = std::array::from_fn(|i| (f32::from(draw) + 7.0 * i as f32).sin());
            let mut actions = [9; 2];
            agent.act(&observations, &|_| None, 0, &mut actions).unwrap();
            let chosen = [&observations[..3], &observations[3..]].map(|seen| policy.act(seen, None).unwrap());
            assert_eq!(actions, chosen);
        }
    }
}
