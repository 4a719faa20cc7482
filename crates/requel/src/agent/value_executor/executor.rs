//! [`ValueExecutor`]: updates and values of a value function, by networks on any device.

use std::borrow::Cow;

use requel_nn::{Chosen, Network, OptimizerSpec};

use super::batch::{BatchShape, LearningBatch};
use super::networks::{Lists, Networks, NetworksPlan, Step, StepHow};
use super::update::{UpdateHow, ValueUpdate};
use super::{ExecutorShape, ExecutorSpec, saving};
use crate::Schedule;
use crate::agent::memory;
use crate::agent::statistics::MEASURED_EVERY;
use crate::agent::{
    AgentError, DeviceUse, Executor, GreedyPolicy, Learned, Policy, Statistic, Statistics, TargetSpec, ValueNetwork,
    ValueSpec, Values,
};
use crate::machine::Machine;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::transition::{Batch, BatchMut};

/// A value function learned by networks: a head, a rule, and the choice of the network that values next states, as given by its spec.
/// The mathematics of an update is implemented here, on the host, once for every device; `N` computes the networks.
pub struct ValueExecutor<N> {
    pub(super) values: ValueSpec,
    pub(super) networks: N,
    pub(super) batch: LearningBatch,
    pub(super) acting_noise: StreamRng,
    pub(super) learning_rate: Schedule,
    pub(super) updates: u64,
    update: ValueUpdate,
    device: DeviceUse,
    target: TargetSpec,
    optimizer: OptimizerSpec,
    max_gradient_norm: f32,
}

impl<N: Networks> ValueExecutor<N> {
    /// An executor for updates of this shape, over the networks that `make` returns. `machine` is the host.
    ///
    /// # Errors
    /// If the network's spec is invalid, the head or the rule refuses it, networks and batches do not fit into memory, or `make` fails.
    pub fn with_networks(
        spec: &ExecutorSpec,
        shape: ExecutorShape,
        machine: &Machine,
        make: impl FnOnce(NetworksPlan) -> Result<N, AgentError>,
    ) -> Result<Self, AgentError> {
        let network = Network::with_kernel(&spec.values.network, machine.kernel)?;
        let sizes = BatchShape::new(spec, &network, shape.rows);
        let looks = [sizes.online, sizes.target, sizes.selector];
        let looks = looks.map(|look| memory::workspace(&network, look.rows, look.fractions));
        memory::check(&network, &looks, machine.memory)?;
        let update = ValueUpdate::new(spec, shape, &sizes, (network.output_len(), machine.kernel))?;
        let seed = spec.learner.seed;
        let mut parameters = vec![0.0; network.parameter_count()];
        network.initialize(&mut parameters, spec.learner.init, StreamRng::new(seed, Stream::Init).inner());
        let masked = shape.actions.masked.then_some(shape.actions.count);
        let batch = LearningBatch::new(&network, (shape.rows, sizes.online.fractions), masked, seed);
        let networks = make(NetworksPlan {
            values: spec.values.clone(),
            network,
            parameters,
            optimizer: spec.learner.optimizer,
            max_gradient_norm: spec.learner.max_gradient_norm,
            envs: shape.envs,
            observations: shape.observations,
            online: sizes.online,
            rows_back: sizes.rows_back,
            target: sizes.target,
            selector: sizes.selector,
            target_selects: spec.bootstrap == super::Bootstrap::Target,
        })?;
        Ok(ValueExecutor {
            values: spec.values.clone(),
            networks,
            batch,
            acting_noise: StreamRng::new(seed, Stream::ActingNoise),
            learning_rate: spec.learner.learning_rate.clone(),
            updates: 0,
            update,
            device: DeviceUse::default(),
            target: spec.target,
            optimizer: spec.learner.optimizer,
            max_gradient_norm: spec.learner.max_gradient_norm,
        })
    }

    /// The same, reported as computing on this device.
    #[must_use]
    pub fn on(mut self, device: DeviceUse) -> Self {
        self.device = device;
        self
    }

    /// The networks.
    pub fn networks(&self) -> &N {
        &self.networks
    }

    pub(super) fn has_target(&self) -> bool {
        self.update.bootstrap.has_target()
    }

    pub(super) fn buffer_names(&self) -> &'static [&'static str] {
        self.optimizer.buffer_names()
    }

    /// Updates the target network `times` times.
    fn follow(&mut self, times: u64) -> Result<(), AgentError> {
        let times = if self.has_target() { times } else { 0 };
        (0..times).try_for_each(|_| self.networks.follow(self.target.tau))
    }

    fn record(&self, step: &Step, statistics: &mut Statistics) {
        if let Some(norm) = step.gradient_norm {
            statistics.record(Statistic::GradientNorm, norm);
            if self.max_gradient_norm > 0.0 {
                let is_clipped = norm as f32 > self.max_gradient_norm;
                statistics.record(Statistic::ClippedUpdates, f64::from(u8::from(is_clipped)));
            }
        }
        if let Some(share) = step.update_to_weight {
            statistics.record(Statistic::UpdateToWeight, share);
        }
        if let Some(share) = step.dormant_share {
            statistics.record(Statistic::DormantShare, share);
        }
    }

    fn online(&self) -> Result<&[f32], AgentError> {
        Ok(self.networks.lists()?.online.unwrap_or_default())
    }
}

impl<N: Networks> Executor for ValueExecutor<N> {
    fn values(&mut self, observations: &[f32]) -> Result<&[f32], AgentError> {
        self.networks.values(observations, &mut self.acting_noise)
    }

    fn batch_mut(&mut self) -> BatchMut<'_> {
        self.batch.transitions_mut(&mut self.networks)
    }

    fn update(&mut self, env_steps: u64, beta: Option<f64>) -> Result<Learned, AgentError> {
        let ValueExecutor { networks, batch, update, .. } = self;
        batch.prepare(networks);
        let blocks = Chosen { blocks: &batch.columns.actions, block_len: update.head.atoms() };
        let chosen = update.reads_only_taken.then_some(blocks);
        networks.look(chosen)?;
        // When costly statistics are measured depends on the count of updates only.
        let measures = self.updates.is_multiple_of(MEASURED_EVERY);
        let how = UpdateHow { beta, measures, update: self.updates };
        let mut learned = update.work_out(networks, (&batch.columns, &batch.fractions), &how)?;
        let is_constant = matches!(self.learning_rate, Schedule::Constant(_));
        let learning_rate = (!is_constant).then(|| self.learning_rate.at(env_steps));
        let how = StepHow { learning_rate, measures, update: self.updates };
        let step = networks.step(&update.d_outputs, chosen, &how)?;
        self.updates += 1;
        self.record(&step, &mut learned.statistics);
        self.follow(self.target.after_update(self.updates))?;
        Ok(learned)
    }

    fn batch(&self) -> &Batch {
        &self.batch.columns
    }

    fn td_errors(&self) -> &[f32] {
        self.update.head.td_errors()
    }

    fn after_env_steps(&mut self, before: u64, after: u64) -> Result<(), AgentError> {
        self.follow(self.target.after_env_steps(before, after))
    }

    fn parameters(&self) -> Result<Cow<'_, [f32]>, AgentError> {
        Ok(Cow::Borrowed(self.online()?))
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), StateError> {
        let (found, own) = (parameters.len(), self.networks.network().parameter_count());
        if found != own {
            return Err(StateError::new("network", format!("has {found} parameters, not {own}")));
        }
        let target = self.has_target().then_some(parameters);
        self.networks.set_lists(&Lists { online: Some(parameters), target, optimizer: None })
    }

    fn policy(&self, rows: usize) -> Result<Box<dyn Policy>, AgentError> {
        let values = Values::with_kernel(&self.values, rows, self.networks.network().kernel())?;
        Ok(Box::new(GreedyPolicy::of_values(values, self.online()?.to_vec())?))
    }

    fn value_network(&self) -> Option<ValueNetwork<'_>> {
        let parameters = self.online().ok()?;
        Some(ValueNetwork { spec: &self.values, network: self.networks.network(), parameters })
    }

    fn device(&self) -> DeviceUse {
        self.device.clone()
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        report("learning_rate", self.learning_rate.at(env_steps));
    }

    fn set_threads(&mut self, threads: usize) {
        self.networks.set_threads(threads);
    }

    fn prepare_save(&self) -> Result<(), AgentError> {
        self.networks.lists().map(|_| ())
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        saving::save(self, state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        saving::restore(self, state)
    }
}
