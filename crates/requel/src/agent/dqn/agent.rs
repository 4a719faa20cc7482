//! [`DqnAgent`], deep Q-learning with replay (Mnih et al. 2015).

use super::{DqnParts, DqnSpec, LearnsFrom};
use crate::agent::actor::{Actor, Situation};
use crate::agent::statistics::MEASURED_EVERY;
use crate::agent::{
    Agent, AgentError, DeviceUse, Executor, Experience, Learned, Masks, MemorySample, Policy, Statistic, ValueNetwork,
};
use crate::replay::{NStepAccumulator, ReplayBuffer, ReplayError};
use crate::schedule::crossings;
use crate::state::{State, StateError};
use crate::transition::Batch;

/// Q-learning from a replay buffer: it acts with its explorer, stores one-step or n-step transitions, and has its executor learn from
/// batches of them. Its configurations range from DQN (Mnih et al. 2015) to Rainbow (Hessel et al. 2018).
///
/// With [`LearnsFrom::LatestStep`] it is the same agent, with the latest transitions instead of the buffer.
pub struct DqnAgent {
    executor: Box<dyn Executor>,
    replay: Box<dyn ReplayBuffer>,
    actor: Actor,
    /// By environment.
    accumulators: Vec<NStepAccumulator>,
    spec: DqnSpec,
    observation_len: usize,
    updates: u64,
    /// A step of some environment was dropped since learning was last due.
    interrupted: bool,
}

/// The count of updates, which an executor may save under the same name.
const UPDATES: &str = "agent/updates";

impl DqnAgent {
    /// The agent with these components.
    ///
    /// # Errors
    /// If the discount or the number of steps is invalid, or the replay buffer gives no probabilities although importance weights need
    /// them.
    ///
    /// # Panics
    /// If the executor has no room for a transition.
    pub fn new(spec: DqnSpec, parts: DqnParts) -> Result<Self, AgentError> {
        let DqnParts { mut executor, replay, explorer } = parts;
        if spec.importance.is_some() && !replay.gives_probabilities() {
            return Err(AgentError::NoProbabilities);
        }
        let batch = executor.batch_mut();
        let observation_len = batch.observations.lengths().0 / batch.rows();
        let accumulator = || {
            let steps = NStepAccumulator::new(spec.n_step, spec.gamma, observation_len)?;
            Ok(if spec.actions.masked { steps.with_masks(spec.actions.count) } else { steps })
        };
        Ok(DqnAgent {
            accumulators: (0..spec.num_envs).map(|_| accumulator()).collect::<Result<_, ReplayError>>()?,
            actor: Actor::new(explorer, spec.num_envs, spec.actions.count),
            executor,
            replay,
            spec,
            observation_len,
            updates: 0,
            interrupted: false,
        })
    }

    /// One update from one batch.
    fn update_once(&mut self, env_steps: u64) -> Result<Learned, AgentError> {
        self.replay.sample(&mut self.executor.batch_mut());
        let beta = self.spec.importance.as_ref().map(|beta| beta.at(env_steps));
        let mut learned = self.executor.update(env_steps, beta)?;
        let indices = &self.executor.batch().indices;
        if beta.is_some() {
            self.replay.update_priorities(indices, self.executor.td_errors());
        }
        if self.updates.is_multiple_of(MEASURED_EVERY)
            && let Some(age) = self.replay.mean_age(indices)
        {
            learned.statistics.record(Statistic::ReplayAge, age);
        }
        self.updates += 1;
        Ok(learned)
    }
}

impl Agent for DqnAgent {
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
        let replay = &mut self.replay;
        self.accumulators[experience.slot].push(experience, &mut |transition| replay.push(transition));
    }

    fn interrupt(&mut self, slot: usize) {
        self.accumulators[slot].clear();
        self.interrupted = true;
    }

    fn learn(&mut self, before: u64, after: u64) -> Result<Learned, AgentError> {
        self.executor.after_env_steps(before, after)?;
        let mut learned = Learned::default();
        let learns_once = self.spec.learns_from == LearnsFrom::LatestStep;
        // Without a buffer there is then no complete transition to learn from, and the previous ones must not be used again.
        let incomplete = std::mem::take(&mut self.interrupted) && learns_once;
        if self.replay.len() <= self.spec.start || incomplete {
            return Ok(learned);
        }
        let due = crossings(self.spec.every_steps, before, after);
        // With several environments there is one batch per step, which contains each transition once.
        let due = if learns_once { due.min(1) } else { due };
        for _ in 0..due * self.spec.updates {
            learned.add(self.update_once(after)?);
        }
        Ok(learned)
    }

    fn update(&mut self, updates: u64, env_steps: u64) -> Result<Learned, AgentError> {
        let (stored, rows) = (self.replay.len(), self.executor.batch().actions.len());
        if stored < rows {
            let reason = format!("an update needs {rows} transitions, but the replay buffer holds {stored}");
            return Err(AgentError::Failed { reason });
        }
        let mut learned = Learned::default();
        for _ in 0..updates {
            learned.add(self.update_once(env_steps)?);
        }
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

    fn begin_with_replay(&mut self, state: &State<'_>) -> Result<(), StateError> {
        if self.spec.learns_from == LearnsFrom::LatestStep {
            return Err(StateError::new("replay", "is not used: the naive agent has no replay buffer"));
        }
        self.replay.restore(state)
    }

    fn save_learned<'a>(&'a self, state: &mut State<'a>) {
        self.executor.save(state);
        state.put(UPDATES, self.updates);
        self.actor.save(state);
    }

    fn begin_with_learned(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.executor.restore(state)?;
        self.updates = state.read(UPDATES)?;
        self.actor.go_on_from(state);
        Ok(())
    }

    fn stored(&self) -> Option<usize> {
        (self.spec.learns_from != LearnsFrom::LatestStep).then(|| self.replay.len())
    }

    fn sample_memory(&self, most: usize) -> Option<MemorySample> {
        let (stored, len) = (self.replay.len(), self.observation_len);
        let rows = most.min(stored);
        let mut columns = Batch::new(rows);
        if self.spec.actions.masked {
            columns = columns.with_masks(self.spec.actions.count);
        }
        columns.indices = (0..rows).map(|row| (row * stored / rows) as u32).collect();
        let (mut observations, mut next) = (vec![0.0; rows * len], vec![0.0; rows * len]);
        let is_read = self.replay.read(&mut columns.with_observations(&mut observations, &mut next));
        is_read.then_some(MemorySample { observations, columns })
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

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.save_learned(state);
        for (slot, accumulator) in self.accumulators.iter().enumerate() {
            accumulator.save(&format!("n_step/{slot}"), state);
        }
        self.replay.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.executor.restore(state)?;
        self.updates = state.read(UPDATES)?;
        self.actor.restore(state)?;
        for (slot, accumulator) in self.accumulators.iter_mut().enumerate() {
            accumulator.restore(&format!("n_step/{slot}"), state)?;
        }
        self.replay.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use requel_envs::{DType, Space};

    use crate::Machine;
    use crate::config::{Config, ExplorationKind};

    fn agent(epsilon: f64, actions: usize) -> DqnAgent {
        let mut config = Config::default();
        config.exploration.kind = ExplorationKind::Constant;
        config.exploration.start = epsilon;
        config.train.num_envs = 2;
        let space = Space::Box { low: vec![-1.0; 3], high: vec![1.0; 3], shape: vec![3], dtype: DType::F32 };
        config.dqn_agent(&space, actions, &Machine::default()).unwrap()
    }

    #[test]
    fn masks_hold_for_greedy_and_for_random_actions() {
        let (first, second) = ([false, true, false, true], [true, false, false, false]);
        for epsilon in [0.0, 0.5, 1.0] {
            let mut agent = agent(epsilon, 4);
            for draw in 0..200u8 {
                let observations: [f32; 6] = std::array::from_fn(|i| f32::from(draw) * 0.01 - i as f32 * 0.3);
                let mut actions = [9; 2];
                agent.act(&observations, Masks::new(&[first, second].concat(), 4), 0, &mut actions).unwrap();
                assert!(first[actions[0]] && second[actions[1]], "{actions:?}");
            }
        }
    }

    #[test]
    fn greedy_actions_are_the_best_of_the_own_environment() {
        let mut agent = agent(0.0, 4);
        let mut policy = agent.value_network().unwrap().greedy(1).unwrap();
        for draw in 0..50u8 {
            let observations: [f32; 6] = std::array::from_fn(|i| (f32::from(draw) + 7.0 * i as f32).sin());
            let mut actions = [9; 2];
            agent.act(&observations, Masks::ALL, 0, &mut actions).unwrap();
            let chosen = [&observations[..3], &observations[3..]].map(|seen| policy.act(seen, None).unwrap());
            assert_eq!(actions, chosen);
        }
    }
}
