//! [`PqnAgent`], Q-learning over parallel environments without replay and without a target network (Gallici et al. 2024).

use requel_nn::{Network, Workspace};

use super::PqnSpec;
use crate::agent::acting::ActingValues;
use crate::agent::actor::{Actor, Situation};
use crate::agent::learner::Learner;
#[cfg(test)]
use crate::agent::learner::poison;
use crate::agent::measure::BatchMeasure;
use crate::agent::{
    Agent, AgentError, Experience, GreedyPolicy, HeadLoss, HeadShape, HeadUpdate, Learned, LearningFault, Masks,
    MemorySample, Policy, Rule, Statistic, ValueLoss, ValueNetwork, ValueSpec, Values, memory,
};
use crate::exploration::Explorer;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::td::{Rollout, argmax_allowed, clip_bootstrapped, lambda_returns};
use crate::transition::Batch;

/// A Q-network that learns λ-returns of short rollouts of many environments, each rollout a few times over in minibatches, and
/// then forgets it. What a replay buffer and a target network are for in DQN, layer normalisation and the many environments do
/// here.
///
/// "Simplifying Deep Temporal Difference Learning", algorithm 1. The parameters stand still during a rollout.
pub struct PqnAgent {
    spec: ValueSpec,
    learner: Learner,
    head: Box<dyn ValueLoss>,
    gamma: f32,
    lambda: f32,
    /// Between which λ-returns are clipped.
    bounds: Option<(f32, f32)>,
    epochs: usize,

    actor: Actor,
    acting: ActingValues,

    // The rollout: steps × environments of everything, one step of all environments after the other.
    observations: Vec<f32>,
    next_observations: Vec<f32>,
    /// Empty where all actions are always allowed.
    next_masks: Vec<bool>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    discounts: Vec<f32>,
    cuts: Vec<bool>,
    /// How many steps of environments are in.
    filled: usize,
    /// The rollout has a hole in it: what comes until learning is next due is not kept. Never so between two steps.
    discarding: bool,

    // What learning writes.
    next_values: Vec<f32>,
    returns: Vec<f32>,
    order: Vec<u32>,
    shuffles: StreamRng,
    workspace: Workspace,
    batch: Minibatch,
    d_outputs: Vec<f32>,
    measure: BatchMeasure,
    /// Which share of the rollout's returns was clipped, where they are.
    clipped: Option<f64>,
}

/// The columns of a minibatch.
struct Minibatch {
    actions: Vec<u32>,
    returns: Vec<f32>,
    /// Returns are whole targets: nothing is added to them.
    discounts: Vec<f32>,
    next_q: Vec<f32>,
}

impl PqnAgent {
    /// The agent of a spec, which acts by this explorer.
    ///
    /// # Errors
    /// If the network is none, or rollout and batches do not fit the memory.
    pub fn new(spec: &PqnSpec, explorer: Box<dyn Explorer>) -> Result<Self, AgentError> {
        let (actions, seed) = (spec.actions, spec.learner.seed);
        let network = Network::with_kernel(&spec.values.network, requel_nn::kernel::select()?)?;
        let steps = spec.rollout_steps * spec.num_envs;
        let rows = steps / spec.minibatches;
        // Both observations and a handful of numbers for each step.
        let rollout = (steps as u64).saturating_mul(8 * network.input_len() as u64 + 32);
        memory::check(&network, &[memory::workspace(&network, rows, 1), rollout])?;

        let shape = HeadShape { rows, actions: actions.count };
        let head = spec.head.build(Rule::QLearning, shape, network.kernel())?;
        let learner = Learner::new(&spec.learner, network);
        let len = learner.network.input_len();
        Ok(PqnAgent {
            head,
            gamma: spec.gamma,
            lambda: spec.lambda,
            bounds: spec.bounds,
            epochs: spec.epochs,
            actor: Actor::new(explorer, spec.num_envs, actions.count),
            acting: ActingValues::new(Values::new(&spec.values, spec.num_envs)?, seed),
            observations: vec![0.0; steps * len],
            next_observations: vec![0.0; steps * len],
            next_masks: vec![true; if actions.masked { steps * actions.count } else { 0 }],
            actions: vec![0; steps],
            rewards: vec![0.0; steps],
            discounts: vec![0.0; steps],
            cuts: vec![false; steps],
            filled: 0,
            discarding: false,
            next_values: vec![0.0; steps],
            returns: vec![0.0; steps],
            order: (0..steps as u32).collect(),
            measure: BatchMeasure::new(rows),
            clipped: None,
            shuffles: StreamRng::new(seed, Stream::Minibatches),
            workspace: Workspace::new(&learner.network, rows),
            batch: Minibatch {
                actions: vec![0; rows],
                returns: vec![0.0; rows],
                discounts: vec![0.0; rows],
                next_q: vec![0.0; rows * actions.count],
            },
            d_outputs: vec![0.0; rows * learner.network.output_len()],
            learner,
            spec: spec.values.clone(),
        })
    }

    /// The returns of the rollout that is in.
    fn compute_returns(&mut self) {
        let envs = self.actor.envs();
        let (len, count) = (self.learner.network.input_len(), self.acting.values.actions());
        for (step, observations) in self.next_observations.chunks_exact(envs * len).enumerate() {
            let q = self.acting.values.q_values(&self.learner.parameters, observations);
            for (slot, q) in q.chunks_exact(count).enumerate() {
                let index = step * envs + slot;
                let mask = self.next_masks.get(index * count..(index + 1) * count);
                self.next_values[index] = q[argmax_allowed(q, mask)];
            }
        }
        let rollout = Rollout {
            rewards: &self.rewards,
            discounts: &self.discounts,
            next_values: &self.next_values,
            cuts: &self.cuts,
        };
        lambda_returns(self.lambda, envs, &rollout, &mut self.returns);
        let clipped = self.bounds.map(|bounds| clip_bootstrapped(&self.discounts, bounds, &mut self.returns));
        self.clipped = clipped.map(|clipped| clipped as f64 / self.returns.len() as f64);
    }

    /// Goes once through the rollout in a new order.
    fn epoch(&mut self, env_steps: u64) -> Result<Learned, LearningFault> {
        // The order starts from the identity: it must not depend on epochs that a checkpoint does not hold.
        self.order.iter_mut().zip(0..).for_each(|(place, index)| *place = index);
        for last in (1..self.order.len()).rev() {
            self.order.swap(last, self.shuffles.below(last as u32 + 1) as usize);
        }
        let (rows, len) = (self.batch.actions.len(), self.learner.network.input_len());
        let mut learned = Learned::default();
        for places in self.order.chunks_exact(rows) {
            let inputs = self.workspace.input_mut(rows);
            for (row, place) in places.iter().map(|place| *place as usize).enumerate() {
                inputs[row * len..][..len].copy_from_slice(&self.observations[place * len..][..len]);
                self.batch.actions[row] = self.actions[place];
                self.batch.returns[row] = self.returns[place];
            }
            let outputs = self.learner.network.forward(&self.learner.parameters, rows, &mut self.workspace);
            let update = HeadUpdate {
                actions: &self.batch.actions,
                rewards: &self.batch.returns,
                discounts: &self.batch.discounts,
                weights: None,
                outputs,
                next_outputs: &self.batch.next_q,
                next_q: &self.batch.next_q,
                next_q_is_fresh: false,
                current_q: None,
                // The returns were clipped when they were computed.
                bounds: None,
                fractions: &[],
            };
            let HeadLoss { loss, mean_q } = self.head.loss(&update, &mut self.d_outputs);
            #[cfg(test)]
            let loss = poison::take("loss", self.learner.updates).unwrap_or(loss);
            let mut update = Learned::update(loss, mean_q)?;
            let statistics = &mut update.statistics;
            if self.learner.measures() {
                self.measure.record(&*self.head, &self.next_values, statistics);
                self.clipped.iter().for_each(|share| statistics.record(Statistic::ClippedTargets, *share));
            }
            self.learner.step((&self.d_outputs, None), &mut self.workspace, env_steps, statistics)?;
            learned.add(update);
        }
        Ok(learned)
    }
}

impl Agent for PqnAgent {
    fn act(
        &mut self,
        observations: &[f32],
        masks: Masks<'_>,
        env_steps: u64,
        actions: &mut [usize],
    ) -> Result<(), AgentError> {
        let (acting, parameters) = (&mut self.acting, &self.learner.parameters);
        let situation = Situation { masks, env_steps };
        self.actor.act(&situation, actions, move || Ok(acting.q_values(parameters, observations)))
    }

    fn observe(&mut self, experience: &Experience<'_>) {
        if self.discarding {
            return;
        }
        let index = self.filled;
        let len = self.learner.network.input_len();
        self.observations[index * len..][..len].copy_from_slice(experience.observation);
        self.next_observations[index * len..][..len].copy_from_slice(experience.next_observation);
        if !self.next_masks.is_empty() {
            let count = self.acting.values.actions();
            let mask = &mut self.next_masks[index * count..][..count];
            match experience.next_mask {
                Some(allowed) => mask.copy_from_slice(allowed),
                None => mask.fill(true),
            }
        }
        self.actions[index] = experience.action as u32;
        self.rewards[index] = experience.step.reward as f32;
        self.discounts[index] = if experience.step.terminated { 0.0 } else { self.gamma };
        self.cuts[index] = experience.step.ended();
        self.filled += 1;
    }

    /// Drops the whole rollout: its returns are of unbroken rows of steps, as many of each environment.
    fn interrupt(&mut self, _: usize) {
        self.filled = 0;
        self.discarding = true;
    }

    fn learn(&mut self, _: u64, after: u64) -> Result<Learned, AgentError> {
        let mut learned = Learned::default();
        self.discarding = false;
        if self.filled < self.actions.len() {
            return Ok(learned);
        }
        self.compute_returns();
        for _ in 0..self.epochs {
            learned.add(self.epoch(after)?);
        }
        self.filled = 0;
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
        self.learner.begin_from(parameters)
    }

    /// Of the last rollouts: what of the one before is not overwritten yet is kept too.
    fn sample_memory(&self, most: usize) -> Option<MemorySample> {
        let len = self.learner.network.input_len();
        let kept = if self.learner.updates > 0 { self.actions.len() } else { self.filled };
        let rows = most.min(kept);
        let (mut columns, mut observations) = (Batch::new(rows), Vec::with_capacity(rows * len));
        for row in 0..rows {
            let place = row * kept / rows;
            columns.indices[row] = place as u32;
            columns.actions[row] = self.actions[place];
            columns.rewards[row] = self.rewards[place];
            columns.discounts[row] = self.discounts[place];
            observations.extend_from_slice(&self.observations[place * len..][..len]);
        }
        Some(MemorySample { observations, columns })
    }

    fn set_threads(&mut self, threads: usize) {
        self.learner.set_threads(threads);
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.learner.save(state);
        self.actor.save(state);
        self.acting.save(state);
        state.put("agent/shuffles_position", self.shuffles.position());
        state.put("rollout/filled", self.filled);
        state.put_f32("rollout/observations", vec![self.observations.len()], &self.observations);
        state.put_f32("rollout/next_observations", vec![self.next_observations.len()], &self.next_observations);
        state.put_u32("rollout/actions", vec![self.actions.len()], &self.actions);
        state.put_f32("rollout/rewards", vec![self.rewards.len()], &self.rewards);
        state.put_f32("rollout/discounts", vec![self.discounts.len()], &self.discounts);
        state.put_flags("rollout/cuts", &self.cuts);
        state.put_flags("rollout/next_masks", &self.next_masks);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.learner.restore(state)?;
        self.actor.restore(state)?;
        self.acting.restore(state)?;
        self.shuffles.set_position(state.read("agent/shuffles_position")?);
        self.filled = state.read("rollout/filled")?;
        if self.filled >= self.actions.len() {
            let reason = format!("is {}, not below {}", self.filled, self.actions.len());
            return Err(StateError::new("rollout/filled", reason));
        }
        state.read_f32("rollout/observations", &mut self.observations)?;
        state.read_f32("rollout/next_observations", &mut self.next_observations)?;
        state.read_u32("rollout/actions", &mut self.actions)?;
        if let Some(action) = self.actions.iter().find(|action| **action as usize >= self.acting.values.actions()) {
            return Err(StateError::new("rollout/actions", format!("has an action {action}")));
        }
        state.read_f32("rollout/rewards", &mut self.rewards)?;
        state.read_f32("rollout/discounts", &mut self.discounts)?;
        state.read_flags("rollout/cuts", &mut self.cuts)?;
        state.read_flags("rollout/next_masks", &mut self.next_masks)
    }
}
