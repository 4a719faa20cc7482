//! [`DeviceNetworks`].

use std::sync::{Arc, Mutex};

use requel_nn::{Network, OptimizerSpec, StepFactors};

use super::{NetworksSpec, Numbers};
use crate::driver::{self, Card, FACTORS, Layout, Memory, Program, REPORT_BYTES, Runner, Staged, Staging, Taken};
use crate::network::{Input, Pass, PassSize, Plan, Rooms, checked};
use crate::{DeviceError, Launching};

/// Numbers whose squares are summed in one block.
const NORM_BLOCK: usize = requel_nn::reference::NORM_BLOCK;

/// The maximum number of passes of an update.
pub const MOST_LOOKS: usize = 3;

/// A network on a device, with its slower copy, its optimiser and the passes of an update. Its owner writes observations, noise and
/// fractions to the memory lent to it, and reads outputs; parameters stay on the device until they are requested.
pub struct DeviceNetworks {
    card: Card,
    network: Network,
    plan: Plan,
    optimizer: OptimizerSpec,
    steps: u64,
    pub(super) looks: Vec<Pass>,
    acting: Pass,
    pub(super) online: driver::Numbers,
    pub(super) target: Option<driver::Numbers>,
    pub(super) gradients: driver::Numbers,
    pub(super) buffers: Vec<driver::Numbers>,
    /// Staging memory for lists on their way to the device and back.
    pub(super) exchange: Staged,
    /// For the rows of the first pass that take part in the backward pass.
    d_outputs: Staged,
    factors: Staged,
    report: Staged<u8>,
    runner: Runner,
    /// Copies lists to the device and back; behind a lock, so that they can be read through a shared reference to the networks.
    pub(super) lists: Mutex<Runner>,
    look: Taken,
    step: Taken,
    act: Taken,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The Euclidean norm of the gradient, before it was clipped.
    pub gradient_norm: f64,
    /// Whether a parameter is NaN or infinite.
    pub is_broken: bool,
}

impl DeviceNetworks {
    /// Allocates everything on `card`. Parameters are all 0.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] or [`DeviceError::TooLarge`] if it does not fit; [`DeviceError::Lost`].
    ///
    /// # Panics
    /// If there is no pass or there are more than [`MOST_LOOKS`], if more rows take part in the backward pass than the first pass has, or
    /// if a pass uses a slower copy that does not exist.
    pub fn new(card: &Card, network: Network, spec: &NetworksSpec) -> Result<DeviceNetworks, DeviceError> {
        let plan = Plan::new(&network)?;
        let parameters = checked(1, plan.parameters, "the network")?;
        assert!(
            spec.looks.first().is_some_and(|first| spec.rows_back <= first.rows),
            "a way back within the first pass"
        );
        let (mut device, mut host) = (Layout::new(), Layout::new());
        let mut rooms = Rooms { device: &mut device, host: &mut host };
        let mut looks = Vec::new();
        for (index, look) in spec.looks.iter().enumerate() {
            let (rows, fractions, is_bytes) = (look.rows, look.fractions, spec.is_bytes);
            looks.push(Pass::new(&plan, PassSize { rows, fractions, is_bytes, learns: index == 0 }, &mut rooms)?);
        }
        let (rows, fractions) = spec.acting;
        let size = PassSize { rows, fractions, is_bytes: spec.is_bytes, learns: false };
        let acting = Pass::new(&plan, size, &mut rooms)?;

        let online = device.take(parameters);
        let target = spec.has_target.then(|| device.take(parameters));
        let gradients = device.take(parameters);
        let buffers: Vec<_> = spec.optimizer.buffer_names().iter().map(|_| device.take(parameters)).collect();
        let sums = device.take::<f64>(parameters.div_ceil(NORM_BLOCK));
        let (factors, on_device) = (host.take(FACTORS), device.take(FACTORS));
        let (report, report_on_device) = (host.take::<u8>(REPORT_BYTES), device.take::<u8>(REPORT_BYTES));
        let mut host_of_lists = Layout::new();
        let exchange = host_of_lists.take(parameters);

        let mut look = Program::default();
        for (pass, spec) in looks.iter().zip(&spec.looks) {
            let parameters = match spec.by {
                Numbers::Target => target.expect("a pass by the slower copy has one"),
                _ => online,
            };
            plan.forward(parameters, pass, &mut look);
        }
        let mut act = Program::default();
        plan.forward(online, &acting, &mut act);
        let mut step = Program::default();
        step.clear(report_on_device);
        plan.backward((online, gradients), &looks[0], spec.rows_back, &mut step);
        step.square_sums(gradients, sums);
        step.clip_factor(sums, report_on_device, spec.max_gradient_norm);
        if spec.max_gradient_norm > 0.0 {
            step.scale_gradients(gradients, report_on_device);
        }
        step.upload(factors, on_device);
        let by = (on_device, report_on_device);
        match spec.optimizer {
            OptimizerSpec::RmsProp { .. } => {
                let buffer = |name| {
                    let place = spec.optimizer.buffer_names().iter().position(|known| *known == name);
                    place.map(|place| buffers[place])
                };
                let averages = (buffers[0], buffer("gradient_mean"), buffer("velocity"));
                step.rms_prop((online, gradients), averages, by);
            }
            _ => step.adam((online, gradients), (buffers[0], buffers[1]), by),
        }
        step.download(report_on_device, report);

        let memory = Arc::new(Memory::new(card, &device)?);
        let lists = Runner::new(card, Arc::clone(&memory), Staging::new(card, &host_of_lists)?)?;
        let mut runner = Runner::new(card, memory, Staging::new(card, &host)?)?;
        let mut clear = Program::default();
        for list in [online, gradients].into_iter().chain(target).chain(buffers.iter().copied()) {
            clear.clear(list);
        }
        runner.run_once(&clear)?;
        let look = runner.take(look, spec.launching)?;
        let step = runner.take(step, spec.launching)?;
        let act = runner.take(act, spec.launching)?;
        let of_a_row = looks[0].outputs.len / spec.looks[0].rows.max(1);
        let mut networks = DeviceNetworks {
            d_outputs: looks[0].d_outputs.0.first(spec.rows_back * of_a_row),
            card: card.clone(),
            network,
            plan,
            optimizer: spec.optimizer,
            steps: 0,
            looks,
            acting,
            online,
            target,
            gradients,
            buffers,
            exchange,
            factors,
            report,
            runner,
            lists: Mutex::new(lists),
            look,
            step,
            act,
        };
        networks.spread_fractions();
        Ok(networks)
    }

    /// The device.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The network, as the CPU would compute it.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where the observations of each pass are written, as numbers.
    ///
    /// # Panics
    /// If the passes read bytes.
    pub fn inputs_mut(&mut self) -> [Option<&mut [f32]>; MOST_LOOKS] {
        let place = |pass: &Pass| match pass.input {
            Input::Numbers(from, _) => from,
            Input::Bytes(..) => panic!("the passes read bytes"),
        };
        rooms(&mut self.runner.staging, self.looks.iter().map(place))
    }

    /// Where the observations of each pass are written, as bytes.
    ///
    /// # Panics
    /// If the passes read numbers.
    pub fn inputs_of_bytes_mut(&mut self) -> [Option<&mut [u8]>; MOST_LOOKS] {
        let place = |pass: &Pass| match pass.input {
            Input::Bytes(from, _) => from,
            Input::Numbers(..) => panic!("the passes read numbers"),
        };
        rooms(&mut self.runner.staging, self.looks.iter().map(place))
    }

    /// The standard normals of a pass; empty where the network reads none.
    pub fn noise_mut(&mut self, look: usize) -> &mut [f32] {
        let noise = self.looks[look].noise;
        let staging = &mut self.runner.staging;
        noise.map_or(&mut [], |noise| staging.get_mut(noise.normals))
    }

    /// The fractions of a pass, all of row 0 first; empty where the network reads none.
    pub fn fractions_mut(&mut self, look: usize) -> &mut [f32] {
        let fractions = self.looks[look].fractions;
        let staging = &mut self.runner.staging;
        fractions.map_or(&mut [], |fractions| staging.get_mut(fractions.fractions))
    }

    /// All passes of an update, from what was written to outputs.
    ///
    /// # Errors
    /// [`DeviceError::Lost`]; so everywhere below.
    pub fn look(&mut self) -> Result<(), DeviceError> {
        let DeviceNetworks { runner, looks, plan, look, .. } = self;
        looks.iter().for_each(|pass| pass.prepare(plan, &mut runner.staging));
        runner.run(look)
    }

    /// The outputs of the first pass (0) or another one, as [`Network::forward`] lays them out.
    pub fn outputs(&self, look: usize) -> &[f32] {
        let outputs = self.looks[look].outputs;
        self.runner.staging.get(outputs)
    }

    /// Where the gradients of the outputs of the first pass are written, for the rows that go back.
    pub fn d_outputs_mut(&mut self) -> &mut [f32] {
        let to = self.d_outputs;
        self.runner.staging.get_mut(to)
    }

    /// One step of the optimiser by the gradients of the first pass, clipped.
    pub fn step(&mut self, learning_rate: f64) -> Result<Step, DeviceError> {
        self.steps += 1;
        let factors = match self.optimizer.step_factors(learning_rate, self.steps) {
            StepFactors::Adam(f) => {
                [f.one_minus_beta1, f.beta2, f.one_minus_beta2, f.inverse_root_correction, f.epsilon, f.negative_step]
            }
            StepFactors::RmsProp(f) => {
                [f.alpha, f.one_minus_alpha, f.epsilon, f.momentum, f.negative_learning_rate, 0.0]
            }
        };
        let DeviceNetworks { runner, step, report, .. } = self;
        runner.staging.get_mut(self.factors).copy_from_slice(&factors);
        runner.run(step)?;
        let report = runner.staging.get(*report);
        let norm = f64::from_le_bytes(report[..8].try_into().expect("eight bytes"));
        Ok(Step { gradient_norm: norm, is_broken: report[16..20] != [0; 4] })
    }

    /// Moves the slower copy by `tau` towards the parameters; `None` copies them.
    pub fn follow(&mut self, tau: Option<f32>) -> Result<(), DeviceError> {
        let (online, target) = (self.online, self.list(Numbers::Target));
        let mut program = Program::default();
        match tau {
            None => program.copy(online, target),
            Some(tau) => program.follow(target, online, tau),
        }
        self.runner.run_once(&program)
    }

    /// The outputs at observations to act on, by the parameters and by `noise`, which is as long as the network's.
    ///
    /// # Panics
    /// If there are more observations than were asked for, or no whole number of them.
    pub fn act(&mut self, observations: &[f32], noise: &[f32]) -> Result<&[f32], DeviceError> {
        let (rows, rest) = (observations.len() / self.plan.input_len, observations.len() % self.plan.input_len);
        assert!(rest == 0 && rows <= self.acting.size.rows, "{} numbers of observations", observations.len());
        let DeviceNetworks { runner, acting, plan, act, .. } = self;
        match acting.input {
            Input::Numbers(from, _) => runner.staging.get_mut(from)[..observations.len()].copy_from_slice(observations),
            Input::Bytes(from, _) => {
                let bytes = runner.staging.get_mut(from);
                // Whole numbers from 0 to 255.
                bytes.iter_mut().zip(observations).for_each(|(byte, number)| *byte = *number as u8);
            }
        }
        if let Some(to) = &acting.noise {
            runner.staging.get_mut(to.normals).copy_from_slice(noise);
        }
        acting.prepare(plan, &mut runner.staging);
        runner.run(act)?;
        let last = plan.layers.len();
        let of_a_row = plan.width(last) * if plan.embedding.is_some() { acting.size.fractions } else { 1 };
        Ok(&runner.staging.get(acting.outputs)[..rows * of_a_row])
    }

    /// Steps of the optimiser so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Sets that count, of a state that was saved.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// Fractions as a workspace has them until others are set: spread evenly.
    fn spread_fractions(&mut self) {
        let passes: Vec<_> = self.looks.iter().chain([&self.acting]).map(|pass| (pass.fractions, pass.size)).collect();
        for (fractions, size) in passes {
            let Some(fractions) = fractions else { continue };
            let spread = |i: usize| ((i % size.fractions) as f32 + 0.5) / size.fractions as f32;
            let to = self.runner.staging.get_mut(fractions.fractions);
            to.iter_mut().enumerate().for_each(|(i, to)| *to = spread(i));
        }
    }
}

/// These positions of a block, for writing; entries that are missing get nothing.
fn rooms<T: bytemuck::Pod>(
    staging: &mut Staging,
    mut places: impl Iterator<Item = Staged<T>>,
) -> [Option<&mut [T]>; MOST_LOOKS] {
    match (places.next(), places.next(), places.next()) {
        (Some(first), None, _) => [Some(staging.get_mut(first)), None, None],
        (Some(first), Some(second), None) => {
            let [first, second] = staging.get_disjoint([first, second]);
            [Some(first), Some(second), None]
        }
        (Some(first), Some(second), Some(third)) => staging.get_disjoint([first, second, third]).map(Some),
        (None, ..) => [None, None, None],
    }
}

impl std::fmt::Debug for DeviceNetworks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceNetworks").field("card", &self.card).field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Default for NetworksSpec {
    /// Adam with its defaults, one pass of one row, no bytes, no slower copy, graphs.
    fn default() -> Self {
        NetworksSpec {
            optimizer: OptimizerSpec::default(),
            max_gradient_norm: 0.0,
            looks: vec![super::Look { by: Numbers::Online, rows: 1, fractions: 1 }],
            rows_back: 1,
            acting: (1, 1),
            is_bytes: false,
            has_target: false,
            launching: Launching::Graph,
        }
    }
}
