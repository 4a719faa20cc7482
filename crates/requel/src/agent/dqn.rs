//! [`DqnAgent`], deep Q-learning with its parts as switches (Mnih et al. 2015).

use requel_envs::Space;
use requel_nn::{Network, Optimizer, Workspace, clip_global_norm};

use super::{Agent, AgentError, Experience, Head, HeadShape, Learned, Rule, ScalarHead, TargetNetwork};
use crate::config::{AgentKind, BellmanGradient, Config};
use crate::exploration::EpsilonGreedy;
use crate::memory;
use crate::replay::{LatestReplay, RecordLayout, ReplayBuffer, Sampling, UniformReplay};
use crate::rng::{Stream, StreamRng};
use crate::schedule::crossings;
use crate::state::{State, StateError};
use crate::td::{argmax, argmax_allowed, double_q_targets, q_learning_targets};
use crate::transition::{Batch, Transition};

/// Who values the next state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bootstrap {
    /// The online network; with the gradient flowing there too, or not.
    Online(BellmanGradient),
    /// The target network.
    Target,
    /// The target network values the online network's choice.
    Double,
}

/// A scalar Q-network that learns from one-step targets out of a replay buffer, ε-greedy.
///
/// `agent.kind = "naive"` is the same agent with the latest transitions in place of the buffer.
pub struct DqnAgent {
    network: Network,
    online: Vec<f32>,
    target: Option<TargetNetwork>,
    optimizer: Optimizer,
    max_gradient_norm: f32,
    /// Discount per env step.
    gamma: f32,
    replay: Box<dyn ReplayBuffer>,
    /// Learning starts when the buffer holds more transitions than this.
    start: usize,
    /// The batch is what the present step brought, not a draw from a buffer.
    learns_once: bool,
    every_steps: u64,
    updates_each: u64,
    updates: u64,
    exploration: EpsilonGreedy,
    bootstrap: Bootstrap,
    head: ScalarHead,
    batch: Batch,
    targets: Vec<f32>,
    d_outputs: Vec<f32>,
    gradients: Vec<f32>,
    /// Observations, and where the online network looks at them too the next observations below.
    online_workspace: Workspace,
    /// Next observations.
    target_workspace: Option<Workspace>,
    acting: Workspace,
    greedy_slots: Vec<bool>,
}

impl DqnAgent {
    /// The agent of `config` for a world with these spaces.
    ///
    /// # Errors
    /// If the network is none, the actions are not discrete, or the buffers do not fit the memory.
    pub fn new(config: &Config, observations: &Space, actions: usize) -> Result<Self, AgentError> {
        let seed = config.train.seed;
        let num_envs = config.train.num_envs;
        let kernel = requel_nn::kernel::select()?;
        let network = Network::with_kernel(&config.network.spec(observations, actions), kernel)?;
        let needed = bytes_needed(config, &network);
        if let Some(available) = memory::available_bytes().filter(|available| needed > *available) {
            return Err(AgentError::OutOfMemory { needed, available });
        }
        let mut online = vec![0.0; network.parameter_count()];
        let mut rng = StreamRng::new(seed, Stream::Init);
        network.initialize(&mut online, config.network.init_spec(), rng.inner());
        let target = TargetNetwork::new(&config.target, &online);
        let bootstrap = match (&target, config.agent.double) {
            (None, _) => Bootstrap::Online(config.agent.bellman_gradient),
            (Some(_), false) => Bootstrap::Target,
            (Some(_), true) => Bootstrap::Double,
        };

        let layout = RecordLayout::for_space(observations);
        let (replay, rows, start): (Box<dyn ReplayBuffer>, usize, usize) = match config.agent.kind {
            AgentKind::Naive => (Box::new(LatestReplay::new(num_envs, layout)), num_envs, 0),
            AgentKind::Dqn => {
                let replay = &config.replay;
                let sampling =
                    if replay.replacement { Sampling::WithReplacement } else { Sampling::WithoutReplacement };
                let buffer = UniformReplay::new(replay.capacity, layout, sampling, seed)?;
                (Box::new(buffer), replay.batch_size, replay.start)
            }
        };
        let online_rows = if bootstrap == Bootstrap::Target { rows } else { 2 * rows };
        let target_workspace = target.is_some().then(|| Workspace::new(&network, rows));
        Ok(DqnAgent {
            optimizer: Optimizer::with_kernel(&config.optimizer.spec(), online.len(), kernel),
            gamma: config.agent.gamma as f32,
            max_gradient_norm: config.optimizer.max_gradient_norm as f32,
            start,
            learns_once: config.agent.kind == AgentKind::Naive,
            every_steps: config.train.every_steps,
            updates_each: config.train.updates,
            updates: 0,
            exploration: EpsilonGreedy::new(&config.exploration, seed, num_envs),
            bootstrap,
            head: ScalarHead::new(config.loss.spec(), Rule::QLearning, HeadShape { rows, actions }, kernel),
            batch: Batch::new(rows),
            targets: vec![0.0; rows],
            d_outputs: vec![0.0; online_rows * actions],
            gradients: vec![0.0; online.len()],
            online_workspace: Workspace::new(&network, online_rows),
            target_workspace,
            acting: Workspace::new(&network, num_envs),
            greedy_slots: vec![false; num_envs],
            network,
            online,
            target,
            replay,
        })
    }

    /// One update from one batch: mean loss and mean q(s, a).
    fn update(&mut self) -> (f32, f32) {
        let rows = self.targets.len();
        let half = rows * self.network.output_len();
        self.gather();
        let online_rows = self.online_workspace.max_rows();
        let outputs = self.network.forward(&self.online, online_rows, &mut self.online_workspace);
        let (q, online_next) = outputs.split_at(half);
        let (rewards, discounts) = (&self.batch.rewards, &self.batch.discounts);
        match (&self.target, &mut self.target_workspace) {
            (Some(target), Some(workspace)) => {
                let target_next = self.network.forward(target.parameters(), rows, workspace);
                if self.bootstrap == Bootstrap::Double {
                    double_q_targets(rewards, discounts, online_next, target_next, &mut self.targets);
                } else {
                    q_learning_targets(rewards, discounts, target_next, &mut self.targets);
                }
            }
            _ => q_learning_targets(rewards, discounts, online_next, &mut self.targets),
        }

        let (d_q, d_next) = self.d_outputs.split_at_mut(half);
        let learned = self.head.loss_against(&self.targets, q, &self.batch.actions, d_q);
        let d_outputs = if self.bootstrap == Bootstrap::Online(BellmanGradient::Residual) {
            // The target is r + d·q(s', a*): its derivative is −d at a*, times the error's (Baird 1995, eq. 10).
            d_next.fill(0.0);
            let width = half / rows;
            for (row, d_error) in self.head.d_errors().into_iter().flatten().enumerate() {
                let best = argmax(&online_next[row * width..][..width]);
                d_next[row * width + best] = -discounts[row] * d_error;
            }
            &self.d_outputs[..]
        } else {
            &self.d_outputs[..half]
        };
        self.network.backward(&self.online, d_outputs, &mut self.online_workspace, &mut self.gradients);
        if self.max_gradient_norm > 0.0 {
            clip_global_norm(&mut self.gradients, self.max_gradient_norm);
        }
        self.optimizer.step(&mut self.online, &self.gradients);
        self.updates += 1;
        if let Some(target) = &mut self.target {
            target.after_update(self.updates, &self.online);
        }
        (learned.loss, learned.mean_q)
    }

    /// Draws a batch straight into the workspaces.
    fn gather(&mut self) {
        let numbers = self.targets.len() * self.network.input_len();
        let rows = self.targets.len();
        let online = self.online_workspace.input_mut(self.online_workspace.max_rows());
        let (observations, below) = online.split_at_mut(numbers);
        match &mut self.target_workspace {
            None => self.replay.sample(&mut self.batch.with_observations(observations, below)),
            Some(workspace) => {
                let next = workspace.input_mut(rows);
                self.replay.sample(&mut self.batch.with_observations(observations, next));
                if self.bootstrap == Bootstrap::Double {
                    below.copy_from_slice(next);
                }
            }
        }
    }
}

/// How many bytes networks and batches take, the replay buffer aside.
fn bytes_needed(config: &Config, network: &Network) -> u64 {
    let rows = match config.agent.kind {
        AgentKind::Naive => config.train.num_envs,
        AgentKind::Dqn => config.replay.batch_size,
    };
    // The online and the target parameters, the gradient, the optimiser's two averages.
    let parameters = 5 * 4 * network.parameter_count() as u64;
    // Observations, next observations, and those again through the target network.
    let batch = Workspace::bytes_needed(network, rows.saturating_mul(3)).map_or(u64::MAX, |bytes| bytes as u64);
    parameters.saturating_add(batch)
}

impl Agent for DqnAgent {
    fn act<'m>(
        &mut self,
        observations: &[f32],
        mask: &dyn Fn(usize) -> Option<&'m [bool]>,
        env_steps: u64,
        actions: &mut [usize],
    ) {
        let (rows, width) = (actions.len(), self.network.output_len());
        let epsilon = self.exploration.epsilon(env_steps);
        let mut greedy = false;
        for (slot, action) in actions.iter_mut().enumerate() {
            let explored = self.exploration.explore(slot, epsilon, width, mask(slot));
            self.greedy_slots[slot] = explored.is_none();
            match explored {
                Some(explored) => *action = explored,
                None => greedy = true,
            }
        }
        if !greedy {
            return;
        }
        self.acting.input_mut(rows).copy_from_slice(observations);
        let outputs = self.network.forward(&self.online, rows, &mut self.acting);
        for (slot, q) in outputs.chunks_exact(width).enumerate().filter(|(slot, _)| self.greedy_slots[*slot]) {
            actions[slot] = argmax_allowed(q, mask(slot));
        }
    }

    fn observe(&mut self, experience: &Experience<'_>) {
        self.replay.push(&Transition {
            observation: experience.observation,
            action: experience.action as u32,
            reward: experience.step.reward as f32,
            // Truncation ends the episode, not the future: only a terminal state is worth nothing.
            discount: if experience.step.terminated { 0.0 } else { self.gamma },
            next_observation: experience.next_observation,
            next_mask: experience.next_mask,
        });
    }

    fn learn(&mut self, before: u64, after: u64) -> Learned {
        if let Some(target) = &mut self.target {
            target.after_env_steps(before, after, &self.online);
        }
        let mut learned = Learned::default();
        if self.replay.len() <= self.start {
            return learned;
        }
        let due = crossings(self.every_steps, before, after);
        // Of several worlds the naive agent has one batch per step, which holds each transition once.
        let due = if self.learns_once { due.min(1) } else { due };
        for _ in 0..due * self.updates_each {
            let (loss, q) = self.update();
            learned.add(Learned { updates: 1, loss_sum: f64::from(loss), q_sum: f64::from(q) });
        }
        learned
    }

    fn epsilon(&self, env_steps: u64) -> f64 {
        self.exploration.epsilon(env_steps)
    }

    fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    fn updates(&self) -> u64 {
        self.updates
    }

    fn network(&self) -> &Network {
        &self.network
    }

    fn parameters(&self) -> &[f32] {
        &self.online
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        let target = self.target.iter().map(|target| ("target", target.parameters()));
        for (name, parameters) in std::iter::once(("online", &self.online[..])).chain(target) {
            for slice in self.network.slices() {
                let name = format!("network/{name}.{}", slice.name);
                state.put_f32(name, slice.shape.clone(), &parameters[slice.range.clone()]);
            }
        }
        for (name, values) in self.optimizer.buffers() {
            state.put_f32(format!("optimizer/{name}"), vec![values.len()], values);
        }
        state.put("optimizer/steps", self.optimizer.steps());
        state.put("agent/updates", self.updates);
        state.put("agent/exploration_positions", self.exploration.positions());
        self.replay.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let slices = self.network.slices();
        for slice in slices {
            let name = format!("network/online.{}", slice.name);
            state.read_f32(&name, &mut self.online[slice.range.clone()])?;
        }
        if let Some(target) = &mut self.target {
            for slice in slices {
                let name = format!("network/target.{}", slice.name);
                state.read_f32(&name, &mut target.parameters_mut()[slice.range.clone()])?;
            }
        }
        let names: Vec<&'static str> = self.optimizer.buffers().map(|(name, _)| name).collect();
        let mut buffers = Vec::new();
        for name in names {
            let mut values = vec![0.0; self.online.len()];
            state.read_f32(&format!("optimizer/{name}"), &mut values)?;
            buffers.push((name, values));
        }
        let buffers: Vec<(&str, &[f32])> = buffers.iter().map(|(name, values)| (*name, &values[..])).collect();
        self.optimizer
            .restore(state.read("optimizer/steps")?, &buffers)
            .map_err(|e| StateError::new("optimizer/steps", e.to_string()))?;
        self.updates = state.read("agent/updates")?;
        let positions: Vec<u64> = state.read("agent/exploration_positions")?;
        if !self.exploration.set_positions(&positions) {
            let reason = format!("has {} counters, not one per world", positions.len());
            return Err(StateError::new("agent/exploration_positions", reason));
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
                agent.act(&observations, &|slot| Some(if slot == 0 { &first } else { &second }), 0, &mut actions);
                assert!(first[actions[0]] && second[actions[1]], "{actions:?}");
            }
        }
    }

    #[test]
    fn greedy_actions_are_the_best_of_the_own_world() {
        let mut agent = agent(0.0, 4);
        let policy = super::super::GreedyPolicy::new(agent.network.spec(), agent.online.clone(), 1);
        let mut policy = policy.unwrap();
        for draw in 0..50u8 {
            let observations: [f32; 6] = std::array::from_fn(|i| (f32::from(draw) + 7.0 * i as f32).sin());
            let mut actions = [9; 2];
            agent.act(&observations, &|_| None, 0, &mut actions);
            assert_eq!(actions, [policy.act(&observations[..3], None), policy.act(&observations[3..], None)]);
        }
    }
}
