//! [`PqnAgent`], Q-learning over parallel environments without replay and without a target network (Gallici et al. 2024).

use super::PqnSpec;
use crate::agent::actor::{Actor, Situation};
use crate::agent::measure::record_largest;
use crate::agent::statistics::MEASURED_EVERY;
use crate::agent::{
    Agent, AgentError, DeviceUse, Executor, Experience, Learned, Masks, MemorySample, Policy, Statistic, ValueNetwork,
};
use crate::exploration::Explorer;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::td::{Rollout, argmax_allowed, clip_bootstrapped, lambda_returns};
use crate::transition::Batch;

/// A Q-network that learns λ-returns from short rollouts of many environments, uses each rollout a few times in minibatches, and then
/// discards it. Layer normalisation and the many environments do here what a replay buffer and a target network do in DQN.
///
/// "Simplifying Deep Temporal Difference Learning", algorithm 1. The parameters do not change during a rollout.
pub struct PqnAgent {
    spec: PqnSpec,
    executor: Box<dyn Executor>,
    actor: Actor,
    /// Numbers in an observation.
    observation_len: usize,
    updates: u64,

    // The rollout: steps × environments of everything, ordered by step.
    observations: Vec<f32>,
    next_observations: Vec<f32>,
    /// Empty if all actions are always allowed.
    next_masks: Vec<bool>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    discounts: Vec<f32>,
    cuts: Vec<bool>,
    /// How many steps the rollout has so far.
    filled: usize,
    /// The rollout has a gap: steps until learning is next due are discarded. Never true between two steps.
    discarding: bool,

    // Buffers for learning.
    next_values: Vec<f32>,
    returns: Vec<f32>,
    order: Vec<u32>,
    shuffles: StreamRng,
    /// The fraction of the rollout's returns that was clipped, if they are clipped.
    clipped: Option<f64>,
}

/// The count of updates, which an executor may save under the same name.
const UPDATES: &str = "agent/updates";
const SHUFFLES: &str = "agent/shuffles_position";

impl PqnAgent {
    /// The agent of a spec that computes with this executor and acts with this explorer. The executor makes updates from transitions whose
    /// rewards are complete returns and whose discounts are 0, so the next observation does not matter.
    ///
    /// # Panics
    /// If the executor's updates do not take as many transitions as a minibatch has.
    pub fn new(spec: PqnSpec, mut executor: Box<dyn Executor>, explorer: Box<dyn Explorer>) -> Self {
        let (actions, steps) = (spec.actions, spec.steps());
        let batch = executor.batch_mut();
        let rows = batch.rows();
        assert_eq!(rows * spec.minibatches, steps, "{} minibatches of {rows} transitions", spec.minibatches);
        let len = batch.observations.lengths().0 / rows;
        PqnAgent {
            actor: Actor::new(explorer, spec.num_envs, actions.count),
            executor,
            observation_len: len,
            updates: 0,
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
            clipped: None,
            shuffles: StreamRng::new(spec.seed, Stream::Minibatches),
            spec,
        }
    }

    /// Computes the returns of the collected rollout.
    fn compute_returns(&mut self) -> Result<(), AgentError> {
        let PqnSpec { num_envs, lambda, bounds, actions, .. } = self.spec;
        for (step, observations) in self.next_observations.chunks_exact(num_envs * self.observation_len).enumerate() {
            let q = self.executor.values(observations)?;
            for (slot, q) in q.chunks_exact(actions.count).enumerate() {
                let index = step * num_envs + slot;
                let mask = self.next_masks.get(index * actions.count..(index + 1) * actions.count);
                self.next_values[index] = q[argmax_allowed(q, mask)];
            }
        }
        let rollout = Rollout {
            rewards: &self.rewards,
            discounts: &self.discounts,
            next_values: &self.next_values,
            cuts: &self.cuts,
        };
        lambda_returns(lambda, num_envs, &rollout, &mut self.returns);
        let clipped = bounds.map(|bounds| clip_bootstrapped(&self.discounts, bounds, &mut self.returns));
        self.clipped = clipped.map(|clipped| clipped as f64 / self.returns.len() as f64);
        Ok(())
    }

    /// Uses the rollout once, in a new order.
    fn epoch(&mut self, env_steps: u64) -> Result<Learned, AgentError> {
        // The order starts from the identity: it must not depend on earlier epochs, which a checkpoint does not contain.
        self.order.iter_mut().zip(0..).for_each(|(place, index)| *place = index);
        for last in (1..self.order.len()).rev() {
            self.order.swap(last, self.shuffles.below(last as u32 + 1) as usize);
        }
        let len = self.observation_len;
        let mut learned = Learned::default();
        for places in self.order.chunks_exact(self.order.len() / self.spec.minibatches) {
            let mut batch = self.executor.batch_mut();
            for (row, place) in places.iter().enumerate() {
                let index = *place as usize;
                batch.observations.write(row, &self.observations[index * len..][..len], &[]);
                batch.actions[row] = self.actions[index];
                batch.rewards[row] = self.returns[index];
            }
            batch.discounts.fill(0.0);
            batch.indices.copy_from_slice(places);
            let mut update = self.executor.update(env_steps, None)?;
            if self.updates.is_multiple_of(MEASURED_EVERY) {
                record_largest(&self.next_values, &mut update.statistics);
                self.clipped.iter().for_each(|share| update.statistics.record(Statistic::ClippedTargets, *share));
            }
            self.updates += 1;
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
        let executor = &mut *self.executor;
        self.actor.act(&Situation { masks, env_steps }, actions, move || executor.values(observations))
    }

    fn observe(&mut self, experience: &Experience<'_>) {
        if self.discarding {
            return;
        }
        let index = self.filled;
        let len = self.observation_len;
        self.observations[index * len..][..len].copy_from_slice(experience.observation);
        self.next_observations[index * len..][..len].copy_from_slice(experience.next_observation);
        if !self.next_masks.is_empty() {
            let count = self.spec.actions.count;
            let mask = &mut self.next_masks[index * count..][..count];
            match experience.next_mask {
                Some(allowed) => mask.copy_from_slice(allowed),
                None => mask.fill(true),
            }
        }
        self.actions[index] = experience.action as u32;
        self.rewards[index] = experience.step.reward as f32;
        self.discounts[index] = if experience.step.terminated { 0.0 } else { self.spec.gamma };
        self.cuts[index] = experience.step.ended();
        self.filled += 1;
    }

    /// Drops the whole rollout: its returns need uninterrupted sequences of steps, equally long for each environment.
    fn interrupt(&mut self, _: usize) {
        self.filled = 0;
        self.discarding = true;
    }

    fn needs_unbroken_rows(&self) -> bool {
        true
    }

    fn learn(&mut self, _: u64, after: u64) -> Result<Learned, AgentError> {
        let mut learned = Learned::default();
        self.discarding = false;
        if self.filled < self.actions.len() {
            return Ok(learned);
        }
        self.compute_returns()?;
        for _ in 0..self.spec.epochs {
            learned.add(self.epoch(after)?);
        }
        self.filled = 0;
        Ok(learned)
    }

    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError> {
        self.executor.policy(rows)
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.actor.statistics(env_steps, report);
        self.executor.statistics(env_steps, report);
    }

    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        self.executor.value_network()
    }

    fn begin_from(&mut self, parameters: &[f32]) -> Result<(), StateError> {
        self.executor.set_parameters(parameters)
    }

    /// From the last rollouts: what has not been overwritten yet from the previous one is included.
    fn sample_memory(&self, most: usize) -> Option<MemorySample> {
        let len = self.observation_len;
        let kept = if self.updates > 0 { self.actions.len() } else { self.filled };
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
        self.executor.set_threads(threads);
    }

    fn device(&self) -> Option<DeviceUse> {
        Some(self.executor.device())
    }

    fn prepare_save(&self) -> Result<(), AgentError> {
        self.executor.prepare_save()
    }

    fn save_learned<'a>(&'a self, state: &mut State<'a>) {
        self.executor.save(state);
        state.put(UPDATES, self.updates);
        self.actor.save(state);
        state.put(SHUFFLES, self.shuffles.position());
    }

    fn begin_with_learned(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.executor.restore(state)?;
        self.updates = state.read(UPDATES)?;
        self.actor.go_on_from(state);
        self.shuffles.set_position(state.read(SHUFFLES)?);
        Ok(())
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.save_learned(state);
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
        self.executor.restore(state)?;
        self.updates = state.read(UPDATES)?;
        self.actor.restore(state)?;
        self.shuffles.set_position(state.read(SHUFFLES)?);
        self.filled = state.read("rollout/filled")?;
        if self.filled >= self.actions.len() {
            let reason = format!("is {}, not below {}", self.filled, self.actions.len());
            return Err(StateError::new("rollout/filled", reason));
        }
        state.read_f32("rollout/observations", &mut self.observations)?;
        state.read_f32("rollout/next_observations", &mut self.next_observations)?;
        state.read_u32("rollout/actions", &mut self.actions)?;
        if let Some(action) = self.actions.iter().find(|action| **action as usize >= self.spec.actions.count) {
            return Err(StateError::new("rollout/actions", format!("has an action {action}")));
        }
        state.read_f32("rollout/rewards", &mut self.rewards)?;
        state.read_f32("rollout/discounts", &mut self.discounts)?;
        state.read_flags("rollout/cuts", &mut self.cuts)?;
        state.read_flags("rollout/next_masks", &mut self.next_masks)
    }
}
