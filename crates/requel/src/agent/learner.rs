//! [`Learner`]: a network's parameters and what changes them.

use requel_nn::kernel::Task;
use requel_nn::{Chosen, Init, Network, Optimizer, OptimizerSpec, Workspace, clip_global_norm, distance, global_norm};

use super::statistics::MEASURED_EVERY;
use super::{LearningFault, Statistic, Statistics, dormant_units};
use crate::Schedule;
use crate::finite::first_not_finite;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};

/// How parameters begin and what changes them.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerSpec {
    /// The seed of the first parameters, and of noise and fractions.
    pub seed: u64,
    /// How weights start.
    pub init: Init,
    /// The optimiser.
    pub optimizer: OptimizerSpec,
    /// The course of the step size.
    pub learning_rate: Schedule,
    /// Gradients are scaled down to this global norm; 0: not.
    pub max_gradient_norm: f32,
}

/// The online parameters with their optimiser: from the gradient of the outputs to the next parameters.
pub(super) struct Learner {
    pub network: Network,
    pub parameters: Vec<f32>,
    pub updates: u64,
    optimizer: Optimizer,
    max_gradient_norm: f32,
    learning_rate: Schedule,
    gradients: Vec<f32>,
    /// The parameters before an update that is measured.
    before: Vec<f32>,
    /// A number for each unit of the widest layer.
    room: Vec<f64>,
}

/// The name of a step size's function of one's own in a state.
const LEARNING_RATE: &str = "optimizer/learning_rate_function";

/// A unit below this share of its layer's mean activity is dormant. The paper of [`dormant_units`] counts with 0.025 too.
const DORMANT: f64 = 0.025;

impl Learner {
    /// The parameters that the seed starts with.
    pub fn new(spec: &LearnerSpec, network: Network) -> Self {
        let mut parameters = vec![0.0; network.parameter_count()];
        let mut rng = StreamRng::new(spec.seed, Stream::Init);
        network.initialize(&mut parameters, spec.init, rng.inner());
        Learner {
            optimizer: Optimizer::with_kernel(&spec.optimizer, parameters.len(), network.kernel()),
            max_gradient_norm: spec.max_gradient_norm,
            gradients: vec![0.0; parameters.len()],
            before: vec![0.0; parameters.len()],
            room: vec![0.0; network.activated_layers().map(|(_, units)| units).max().unwrap_or(0)],
            updates: 0,
            learning_rate: spec.learning_rate.clone(),
            parameters,
            network,
        }
    }

    /// Whether the costly statistics of the next update are measured: a function of the count of updates alone.
    pub fn measures(&self) -> bool {
        self.updates.is_multiple_of(MEASURED_EVERY)
    }

    /// One update: the network's last pass in `workspace`, which was told of the same blocks, is gone back through with
    /// `d_outputs`. Records what is known of gradient, step and units.
    ///
    /// # Errors
    /// If a gradient or a weight became NaN or infinite.
    pub fn step(
        &mut self,
        (d_outputs, chosen): (&[f32], Option<Chosen<'_>>),
        workspace: &mut Workspace,
        env_steps: u64,
        statistics: &mut Statistics,
    ) -> Result<(), LearningFault> {
        let measures = self.measures();
        let (parameters, gradients) = (&self.parameters, &mut self.gradients);
        match chosen {
            Some(chosen) => self.network.backward_chosen(parameters, (d_outputs, chosen), workspace, gradients),
            None => self.network.backward(parameters, d_outputs, workspace, gradients),
        }
        #[cfg(test)]
        if let Some(value) = poison::take("gradient", self.updates) {
            self.gradients[0] = value;
        }
        if self.max_gradient_norm > 0.0 {
            let norm = clip_global_norm(&mut self.gradients, self.max_gradient_norm);
            statistics.record(Statistic::GradientNorm, f64::from(norm));
            statistics.record(Statistic::ClippedUpdates, f64::from(u8::from(norm > self.max_gradient_norm)));
        } else if measures {
            statistics.record(Statistic::GradientNorm, global_norm(&self.gradients));
        }
        if measures {
            self.before.copy_from_slice(&self.parameters);
        }
        if !matches!(self.learning_rate, Schedule::Constant(_)) {
            self.optimizer.set_learning_rate(self.learning_rate.at(env_steps));
        }
        self.optimizer.step(&mut self.parameters, &self.gradients);
        self.updates += 1;
        if measures {
            self.measure(workspace, statistics);
        }
        // A gradient that is not finite makes weights of its kind, whatever the optimiser: one pass over them finds both.
        let kernel = self.network.kernel();
        let Some((_, weight)) = kernel.run(FiniteTask(&self.parameters)) else { return Ok(()) };
        let gradient = first_not_finite(&self.gradients);
        let (site, value) = gradient.map_or(("weight", weight), |(_, gradient)| ("gradient", gradient));
        Err(LearningFault { site, value })
    }

    /// Records what the step did to the weights and how many units were dormant in the pass before it.
    fn measure(&mut self, workspace: &Workspace, statistics: &mut Statistics) {
        let weights = global_norm(&self.before);
        if weights > 0.0 {
            statistics.record(Statistic::UpdateToWeight, distance(&self.parameters, &self.before) / weights);
        }
        let (mut dormant, mut all) = (0, 0);
        for (layer, units) in self.network.activated_layers() {
            dormant += dormant_units(workspace.activations(layer), DORMANT, &mut self.room[..units]);
            all += units;
        }
        if all > 0 {
            statistics.record(Statistic::DormantShare, dormant as f64 / all as f64);
        }
    }

    /// Takes other parameters.
    pub fn begin_from(&mut self, parameters: &[f32]) -> Result<(), StateError> {
        let (found, own) = (parameters.len(), self.parameters.len());
        if found != own {
            return Err(StateError::new("network", format!("has {found} parameters, not {own}")));
        }
        self.parameters.copy_from_slice(parameters);
        Ok(())
    }

    /// Large products and steps are made by up to `threads` threads.
    pub fn set_threads(&mut self, threads: usize) {
        self.network.set_threads(threads);
        self.optimizer.set_threads(threads);
    }

    /// The learning rate of an update after so many env steps.
    pub fn learning_rate(&self, env_steps: u64) -> f64 {
        self.learning_rate.at(env_steps)
    }

    /// Adds the parameters, the optimiser's averages and the counters.
    pub fn save<'a>(&'a self, state: &mut State<'a>) {
        put_parameters(state, "online", &self.network, &self.parameters);
        for (name, values) in self.optimizer.buffers() {
            state.put_f32(format!("optimizer/{name}"), vec![values.len()], values);
        }
        state.put("optimizer/steps", self.optimizer.steps());
        state.put("agent/updates", self.updates);
        state.put_name(LEARNING_RATE, self.learning_rate.name());
    }

    /// Takes them back.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.check_name(LEARNING_RATE, self.learning_rate.name())?;
        read_parameters(state, "online", &self.network, &mut self.parameters)?;
        let names: Vec<&'static str> = self.optimizer.buffers().map(|(name, _)| name).collect();
        let mut buffers = Vec::new();
        for name in names {
            let mut values = vec![0.0; self.parameters.len()];
            state.read_f32(&format!("optimizer/{name}"), &mut values)?;
            buffers.push((name, values));
        }
        let buffers: Vec<(&str, &[f32])> = buffers.iter().map(|(name, values)| (*name, &values[..])).collect();
        self.optimizer
            .restore(state.read("optimizer/steps")?, &buffers)
            .map_err(|e| StateError::new("optimizer/steps", e.to_string()))?;
        self.updates = state.read("agent/updates")?;
        Ok(())
    }
}

/// [`first_not_finite`], compiled for every instruction set: it looks at every weight at every update.
struct FiniteTask<'a>(&'a [f32]);

impl Task for FiniteTask<'_> {
    type Output = Option<(usize, f32)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        first_not_finite(self.0)
    }
}

/// Adds the parameters of `network` under `network/NAME.`, slice by slice.
pub(super) fn put_parameters<'a>(state: &mut State<'a>, name: &str, network: &Network, parameters: &'a [f32]) {
    for slice in network.slices() {
        let values = &parameters[slice.range.clone()];
        state.put_f32(format!("network/{name}.{}", slice.name), slice.shape.clone(), values);
    }
}

/// Reads what [`put_parameters`] added.
pub(super) fn read_parameters(
    state: &State<'_>,
    name: &str,
    network: &Network,
    parameters: &mut [f32],
) -> Result<(), StateError> {
    for slice in network.slices() {
        state.read_f32(&format!("network/{name}.{}", slice.name), &mut parameters[slice.range.clone()])?;
    }
    Ok(())
}

/// Numbers that tests put in the place of computed ones.
#[cfg(test)]
pub(crate) mod poison {
    use std::cell::Cell;

    thread_local! {
        /// Where, at which update of the agent, counted from 0, and what.
        static POISON: Cell<Option<(&'static str, u64, f32)>> = const { Cell::new(None) };
    }

    /// Puts `value` at `site` of the update with this number, once, in this thread.
    pub(crate) fn put(site: &'static str, update: u64, value: f32) {
        POISON.set(Some((site, update, value)));
    }

    /// What is to stand at `site` of an update.
    pub(crate) fn take(site: &str, update: u64) -> Option<f32> {
        let (_, _, value) = POISON.get().filter(|(at, number, _)| *at == site && *number == update)?;
        POISON.set(None);
        Some(value)
    }
}
