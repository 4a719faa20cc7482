//! [`CpuExecutor`]: an update by networks on the CPU.

use std::borrow::Cow;

use requel_nn::{Chosen, Network};

use super::batch::{BatchShape, LearningBatch};
use super::{Bootstrap, CpuSpec, ExecutorShape};
use crate::agent::acting::ActingValues;
#[cfg(test)]
use crate::agent::learner::poison;
use crate::agent::learner::{Learner, put_parameters, read_parameters};
use crate::agent::measure::BatchMeasure;
use crate::agent::memory;
use crate::agent::{
    AgentError, Executor, GreedyPolicy, HeadLoss, HeadShape, HeadUpdate, Learned, Policy, Statistic, TargetNetwork,
    ValueLoss, ValueNetwork, ValueSpec, Values,
};
use crate::machine::Machine;
use crate::state::{State, StateError};
use crate::td::{argmax, importance_weights};
use crate::transition::{Batch, BatchMut};

/// A value function that a network on the CPU learns: one head, one rule, one way of valuing what comes next, as its spec says.
pub struct CpuExecutor {
    values: ValueSpec,
    learner: Learner,
    target: Option<TargetNetwork>,
    bootstrap: Bootstrap,
    head: Box<dyn ValueLoss>,
    munchausen: bool,
    /// Between which bootstrapped targets are clipped.
    bounds: Option<(f32, f32)>,
    /// Whether only the output distributions of the actions taken are used, so that the last layer need not compute the others.
    reads_only_taken: bool,
    acting: ActingValues,

    // What an update writes.
    batch: LearningBatch,
    weights: Vec<f32>,
    /// Values at the next observations, rows × actions, −∞ where an action is not allowed.
    next_q: Vec<f32>,
    /// Values at the observations, rows × actions, as Munchausen's rule sees them.
    current_q: Vec<f32>,
    d_outputs: Vec<f32>,
    /// In the place of outputs at the next observations where nobody looks at those.
    no_outputs: Vec<f32>,
    measure: BatchMeasure,
}

impl CpuExecutor {
    /// An executor of updates of this shape, on this machine.
    ///
    /// # Errors
    /// If the network is none, its outputs cannot be learned from so, or networks and batches do not fit the memory.
    pub fn new(spec: &CpuSpec, shape: ExecutorShape, machine: &Machine) -> Result<Self, AgentError> {
        let ExecutorShape { envs, rows, observations, actions } = shape;
        let network = Network::with_kernel(&spec.values.network, machine.kernel)?;
        let sizes = BatchShape::new(spec, &network, (rows, observations));
        let online = memory::workspace(&network, sizes.online_rows, sizes.fractions);
        let target = memory::workspace(&network, sizes.target_rows, sizes.target_fractions);
        let selector = memory::workspace(&network, sizes.selector_rows, sizes.selector_fractions);
        memory::check(&network, &[online, target, selector], machine.memory)?;

        let learner = Learner::new(&spec.learner, network);
        let network = &learner.network;
        let head_shape = HeadShape { rows, actions: actions.count };
        let head = spec.head.build(spec.rule, head_shape, network.kernel())?;
        let (bootstrap, seed) = (spec.bootstrap, spec.learner.seed);
        let munchausen = spec.rule.looks_back();
        let d_rows = if bootstrap == Bootstrap::Residual { 2 * rows } else { rows };
        Ok(CpuExecutor {
            target: bootstrap.has_target().then(|| TargetNetwork::new(spec.target, &learner.parameters)),
            reads_only_taken: head.atoms() > 1 && !bootstrap.reads_all_values(munchausen),
            bootstrap,
            head,
            munchausen,
            bounds: spec.bounds,
            acting: ActingValues::new(Values::with_kernel(&spec.values, envs, machine.kernel)?, seed),
            batch: LearningBatch::new(network, &sizes, actions.masked.then_some(actions.count), seed),
            weights: vec![0.0; rows],
            measure: BatchMeasure::new(rows),
            next_q: vec![0.0; rows * actions.count],
            current_q: vec![0.0; if munchausen { rows * actions.count } else { 0 }],
            d_outputs: vec![0.0; d_rows * sizes.fractions * network.output_len()],
            no_outputs: vec![0.0; if bootstrap == Bootstrap::None { rows * network.output_len() } else { 0 }],
            learner,
            values: spec.values.clone(),
        })
    }
}

impl Executor for CpuExecutor {
    fn values(&mut self, observations: &[f32]) -> Result<&[f32], AgentError> {
        Ok(self.acting.q_values(&self.learner.parameters, observations))
    }

    fn batch_mut(&mut self) -> BatchMut<'_> {
        self.batch.transitions_mut()
    }

    fn update(&mut self, env_steps: u64, beta: Option<f64>) -> Result<Learned, AgentError> {
        self.batch.prepare();
        let LearningBatch { columns, online, target: target_workspace, selector, fractions, .. } = &mut self.batch;
        let Learner { network, parameters, .. } = &self.learner;
        let rows = columns.actions.len();
        let bootstraps = self.bootstrap != Bootstrap::None;

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
        let online_next = if bootstraps { online_next } else { &self.no_outputs };
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
        if bootstraps {
            self.head.q_values(choice, &mut self.next_q);
            columns.mask_next_values(&mut self.next_q);
        }
        if self.munchausen {
            self.head.q_values(target_outputs.map_or(outputs, |(_, current)| current), &mut self.current_q);
            columns.mask_values(&mut self.current_q);
        }
        if let Some(beta) = beta {
            importance_weights(&columns.probabilities, beta, &mut self.weights);
        }

        let (d_outputs, d_next) = self.d_outputs.split_at_mut(rows * per_row);
        let update = HeadUpdate {
            actions: &columns.actions,
            rewards: &columns.rewards,
            discounts: &columns.discounts,
            weights: beta.map(|_| &self.weights[..]),
            outputs,
            next_outputs,
            next_q: &self.next_q,
            // What Munchausen's rule is told was worked out after it.
            next_q_is_fresh: bootstraps && self.bootstrap != Bootstrap::Double && !self.munchausen && !selects_apart,
            current_q: self.munchausen.then_some(&self.current_q[..]),
            bounds: self.bounds,
            fractions,
        };
        let HeadLoss { loss, mean_q } = self.head.loss(&update, d_outputs);
        #[cfg(test)]
        let loss = poison::take("loss", self.learner.updates).unwrap_or(loss);
        let mut learned = Learned::update(loss, mean_q)?;
        if let Some(d_errors) = self.head.d_errors().filter(|_| self.bootstrap == Bootstrap::Residual) {
            // The target is r + d·q(s', a*): its derivative is −d at a*, times the error's (Baird 1995).
            d_next.fill(0.0);
            let actions = self.next_q.len() / rows;
            for (row, (next_q, d_error)) in self.next_q.chunks_exact(actions).zip(d_errors).enumerate() {
                d_next[row * actions + argmax(next_q)] = -columns.discounts[row] * d_error;
            }
        }
        if self.learner.measures() {
            let statistics = &mut learned.statistics;
            let values = if bootstraps { &self.next_q[..] } else { &[] };
            self.measure.record(&*self.head, values, statistics);
            if let Some(share) = self.head.clipped_targets(&columns.rewards, &columns.discounts) {
                statistics.record(Statistic::ClippedTargets, share);
            }
        }
        self.learner.step((&self.d_outputs, chosen), online, env_steps, &mut learned.statistics)?;
        if let Some(target) = &mut self.target {
            target.after_update(self.learner.updates, &self.learner.parameters);
        }
        Ok(learned)
    }

    fn batch(&self) -> &Batch {
        &self.batch.columns
    }

    fn td_errors(&self) -> &[f32] {
        self.head.td_errors()
    }

    fn after_env_steps(&mut self, before: u64, after: u64) -> Result<(), AgentError> {
        if let Some(target) = &mut self.target {
            target.after_env_steps(before, after, &self.learner.parameters);
        }
        Ok(())
    }

    fn parameters(&self) -> Result<Cow<'_, [f32]>, AgentError> {
        Ok(Cow::Borrowed(&self.learner.parameters))
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), StateError> {
        self.learner.begin_from(parameters)?;
        if let Some(target) = &mut self.target {
            target.parameters_mut().copy_from_slice(parameters);
        }
        Ok(())
    }

    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError> {
        let values = Values::with_kernel(&self.values, rows, self.learner.network.kernel())?;
        Ok(Box::new(GreedyPolicy::of_values(values, self.learner.parameters.clone())?))
    }

    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        let Learner { network, parameters, .. } = &self.learner;
        Some(ValueNetwork { spec: &self.values, network, parameters })
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        report("learning_rate", self.learner.learning_rate(env_steps));
    }

    fn set_threads(&mut self, threads: usize) {
        self.learner.set_threads(threads);
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.learner.save(state);
        if let Some(target) = &self.target {
            put_parameters(state, "target", &self.learner.network, target.parameters());
        }
        self.acting.save(state);
        self.batch.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.learner.restore(state)?;
        if let Some(target) = &mut self.target {
            read_parameters(state, "target", &self.learner.network, target.parameters_mut())?;
        }
        self.acting.restore(state)?;
        self.batch.restore(state)
    }
}
