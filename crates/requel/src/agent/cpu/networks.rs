//! [`CpuNetworks`]: networks on the CPU, and the executor of this crate.

use requel_nn::kernel::Task;
use requel_nn::{Chosen, Network, Optimizer, Workspace, clip_global_norm, distance, global_norm};

use crate::agent::value_executor::{
    ExecutorShape, ExecutorSpec, Inputs, Lists, Look, LookRooms, LookSize, Networks, NetworksPlan, OptimizerLists,
    Step, StepHow, ValueExecutor,
};
use crate::agent::{AgentError, LearningFault, Values, dormant_share};
use crate::finite::first_not_finite;
use crate::machine::Machine;
use crate::rng::StreamRng;
use crate::state::StateError;
use crate::transition::ElementType;

/// A value function learned by networks on the CPU.
pub type CpuExecutor = ValueExecutor<CpuNetworks>;

/// Networks on the CPU: parameters, optimiser and workspaces.
pub struct CpuNetworks {
    network: Network,
    parameters: Vec<f32>,
    /// `None` without a target network.
    target: Option<Vec<f32>>,
    optimizer: Optimizer,
    max_gradient_norm: f32,
    target_selects: bool,
    observations: ElementType,
    values: Values,
    online_look: Workspace,
    target_look: Option<Workspace>,
    selector_look: Option<Workspace>,
    gradients: Vec<f32>,
    /// The parameters before an update whose change is measured.
    before: Vec<f32>,
    /// One number per unit of the widest layer.
    room: Vec<f64>,
}

impl CpuExecutor {
    /// An executor for updates of this shape, on this machine.
    ///
    /// # Errors
    /// If the network is invalid, its outputs cannot be learned this way, or networks and batches do not fit into memory.
    pub fn new(spec: &ExecutorSpec, shape: ExecutorShape, machine: &Machine) -> Result<Self, AgentError> {
        ValueExecutor::with_networks(spec, shape, machine, CpuNetworks::new)
    }
}

impl CpuNetworks {
    fn new(plan: NetworksPlan) -> Result<Self, AgentError> {
        let NetworksPlan { network, parameters, .. } = plan;
        let workspace = |look: LookSize| Workspace::with_fractions(&network, look.rows, look.fractions);
        let looked = |look: LookSize| (look.rows > 0).then(|| workspace(look));
        Ok(CpuNetworks {
            target: (plan.target.rows > 0).then(|| parameters.clone()),
            optimizer: Optimizer::with_kernel(&plan.optimizer, parameters.len(), network.kernel()),
            max_gradient_norm: plan.max_gradient_norm,
            target_selects: plan.target_selects,
            observations: plan.observations,
            values: Values::with_kernel(&plan.values, plan.envs, network.kernel())?,
            online_look: workspace(plan.online),
            target_look: looked(plan.target),
            selector_look: looked(plan.selector),
            gradients: vec![0.0; parameters.len()],
            before: vec![0.0; parameters.len()],
            room: vec![0.0; network.activated_layers().map(|(_, units)| units).max().unwrap_or(0)],
            parameters,
            network,
        })
    }

    fn workspace_mut(&mut self, look: Look) -> Option<&mut Workspace> {
        match look {
            Look::Online => Some(&mut self.online_look),
            Look::Target => self.target_look.as_mut(),
            Look::Selector => self.selector_look.as_mut(),
        }
    }

    /// The relative change of the weights in the step, and the fraction of dormant units measured before it.
    fn measure(&mut self) -> (Option<f64>, Option<f64>) {
        let weights = global_norm(&self.before);
        let moved = (weights > 0.0).then(|| distance(&self.parameters, &self.before) / weights);
        let look = &self.online_look;
        let layers = self.network.activated_layers().map(|(layer, units)| (look.activations(layer), units));
        (moved, dormant_share(layers, &mut self.room))
    }
}

impl Networks for CpuNetworks {
    fn network(&self) -> &Network {
        &self.network
    }

    fn inputs_mut(&mut self) -> Inputs<'_> {
        let CpuNetworks { online_look: online, target_look: target, selector_look: selector, .. } = self;
        match self.observations {
            ElementType::F32 => Inputs::F32(LookRooms {
                online: all_rows(online),
                target: target.as_mut().map(all_rows),
                selector: selector.as_mut().map(all_rows),
            }),
            ElementType::U8 => Inputs::U8(LookRooms {
                online: all_bytes(online),
                target: target.as_mut().map(all_bytes),
                selector: selector.as_mut().map(all_bytes),
            }),
        }
    }

    fn noise_mut(&mut self, look: Look) -> &mut [f32] {
        self.workspace_mut(look).map_or(&mut [], Workspace::noise_mut)
    }

    fn fractions_mut(&mut self, look: Look) -> &mut [f32] {
        self.workspace_mut(look).map_or(&mut [], |workspace| workspace.fractions_mut(workspace.max_rows()))
    }

    fn look(&mut self, chosen: Option<Chosen<'_>>) -> Result<(), AgentError> {
        let CpuNetworks { network, parameters, target, online_look: online, .. } = self;
        match chosen {
            Some(chosen) => network.forward_chosen(parameters, online.max_rows(), chosen, online),
            None => network.forward(parameters, online.max_rows(), online),
        };
        if let (Some(target), Some(look)) = (&*target, &mut self.target_look) {
            network.forward(target, look.max_rows(), look);
        }
        if let Some(look) = &mut self.selector_look {
            let by = target.as_ref().filter(|_| self.target_selects).unwrap_or(parameters);
            network.forward(by, look.max_rows(), look);
        }
        Ok(())
    }

    fn outputs(&self, look: Look) -> &[f32] {
        let workspace = match look {
            Look::Online => Some(&self.online_look),
            Look::Target => self.target_look.as_ref(),
            Look::Selector => self.selector_look.as_ref(),
        };
        workspace.map_or(&[], |workspace| workspace.outputs(workspace.max_rows()))
    }

    fn step(&mut self, d_outputs: &[f32], chosen: Option<Chosen<'_>>, how: &StepHow) -> Result<Step, AgentError> {
        let CpuNetworks { network, parameters, gradients, online_look: look, .. } = self;
        match chosen {
            Some(chosen) => network.backward_chosen(parameters, (d_outputs, chosen), look, gradients),
            None => network.backward(parameters, d_outputs, look, gradients),
        }
        #[cfg(test)]
        if let Some(value) = crate::agent::poison::take("gradient", how.update) {
            gradients[0] = value;
        }
        let mut step = Step::default();
        if self.max_gradient_norm > 0.0 {
            step.gradient_norm = Some(f64::from(clip_global_norm(gradients, self.max_gradient_norm)));
        } else if how.measures {
            step.gradient_norm = Some(global_norm(gradients));
        }
        if how.measures {
            self.before.copy_from_slice(parameters);
        }
        if let Some(learning_rate) = how.learning_rate {
            self.optimizer.set_learning_rate(learning_rate);
        }
        self.optimizer.step(parameters, gradients);
        if how.measures {
            (step.update_to_weight, step.dormant_share) = self.measure();
        }
        // A gradient that is not finite makes weights that are not finite, with every optimiser: one pass over the weights finds both.
        let Some((_, weight)) = self.network.kernel().run(FiniteTask(&self.parameters)) else { return Ok(step) };
        let gradient = first_not_finite(&self.gradients);
        let (site, value) = gradient.map_or(("weight", weight), |(_, gradient)| ("gradient", gradient));
        Err(LearningFault { site, value }.into())
    }

    fn follow(&mut self, tau: Option<f32>) -> Result<(), AgentError> {
        let Some(target) = &mut self.target else { return Ok(()) };
        match tau {
            None => target.copy_from_slice(&self.parameters),
            Some(tau) => {
                for (target, online) in target.iter_mut().zip(&self.parameters) {
                    *target += tau * (online - *target);
                }
            }
        }
        Ok(())
    }

    fn values(&mut self, observations: &[f32], noise: &mut StreamRng) -> Result<&[f32], AgentError> {
        // Fresh noise in noisy layers each time (Fortunato et al. 2018, algorithm 1).
        noise.fill_normal(self.values.noise_mut());
        Ok(self.values.q_values(&self.parameters, observations))
    }

    fn lists(&self) -> Result<Lists<'_>, AgentError> {
        let optimizer = OptimizerLists { steps: self.optimizer.steps(), averages: self.optimizer.buffers().collect() };
        Ok(Lists { online: Some(&self.parameters), target: self.target.as_deref(), optimizer: Some(optimizer) })
    }

    fn set_lists(&mut self, lists: &Lists<'_>) -> Result<(), StateError> {
        if let Some(online) = lists.online {
            self.parameters.copy_from_slice(online);
        }
        if let (Some(target), Some(from)) = (&mut self.target, lists.target) {
            target.copy_from_slice(from);
        }
        if let Some(OptimizerLists { steps, averages }) = &lists.optimizer {
            self.optimizer.restore(*steps, averages).map_err(|e| StateError::new("optimizer/steps", e.to_string()))?;
        }
        Ok(())
    }

    fn set_threads(&mut self, threads: usize) {
        self.network.set_threads(threads);
        self.optimizer.set_threads(threads);
    }
}

fn all_rows(workspace: &mut Workspace) -> &mut [f32] {
    workspace.input_mut(workspace.max_rows())
}

fn all_bytes(workspace: &mut Workspace) -> &mut [u8] {
    workspace.input_bytes_mut(workspace.max_rows())
}

/// [`first_not_finite`], compiled for every instruction set: it reads every weight at every update.
struct FiniteTask<'a>(&'a [f32]);

impl Task for FiniteTask<'_> {
    type Output = Option<(usize, f32)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        first_not_finite(self.0)
    }
}
