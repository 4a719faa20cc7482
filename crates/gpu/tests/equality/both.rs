//! One network on the CPU and behind the driver's calls, given the same numbers.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use requel_gpu::{Card, DeviceNetworks, Driver, Launching, Look, NetworksSpec, Numbers};
use requel_nn::{Init, Network, NetworkSpec, Optimizer, OptimizerSpec, Workspace, clip_global_norm, global_norm};

/// The device of the host's driver library.
pub fn card() -> Card {
    let library = requel_gpu::twin::build(env!("CARGO_TARGET_TMPDIR")).expect("a C++ compiler builds the kernels");
    Driver::at(library).expect("a driver").card(0).expect("a device")
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct Case {
    pub network: NetworkSpec,
    pub optimizer: OptimizerSpec,
    pub max_gradient_norm: f32,
    pub rows: usize,
    /// Rows that go back.
    pub rows_back: usize,
    pub fractions: usize,
    pub is_bytes: bool,
    pub launching: Launching,
}

impl Case {
    pub fn new(network: NetworkSpec, rows: usize) -> Case {
        Case {
            network,
            optimizer: OptimizerSpec::adam(1e-3),
            max_gradient_norm: 0.0,
            rows,
            rows_back: rows,
            fractions: 1,
            is_bytes: false,
            launching: Launching::OneByOne,
        }
    }
}

/// A network on both, and what it has learned.
pub struct Both {
    case: Case,
    rng: ChaCha8Rng,
    network: Network,
    workspace: Workspace,
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    optimizer: Optimizer,
    device: DeviceNetworks,
    compared: u64,
}

impl Both {
    pub fn new(case: Case, seed: u64) -> Both {
        let network = Network::new(&case.network).expect("a network");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters = vec![0.0; network.parameter_count()];
        network.initialize(&mut parameters, Init::PytorchLinear, &mut rng);
        // Gains of 1, biases of 0 and equal σ would hide what is mixed up.
        parameters.iter_mut().for_each(|p| *p += 0.02 * number(&mut rng));
        let spec = NetworksSpec {
            optimizer: case.optimizer,
            max_gradient_norm: case.max_gradient_norm,
            looks: vec![Look { by: Numbers::Online, rows: case.rows, fractions: case.fractions }],
            rows_back: case.rows_back,
            acting: (case.rows, case.fractions),
            is_bytes: case.is_bytes,
            has_target: true,
            launching: case.launching,
        };
        let mut device = DeviceNetworks::new(&card(), network.clone(), &spec).expect("room");
        device.write(Numbers::Online, &parameters).expect("a device");
        Both {
            workspace: Workspace::with_fractions(&network, case.rows, case.fractions),
            gradients: vec![0.0; parameters.len()],
            optimizer: Optimizer::new(&case.optimizer, parameters.len()),
            case,
            rng,
            network,
            parameters,
            device,
            compared: 0,
        }
    }

    /// How many numbers of both were the same so far in updates.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// One update on each, which must be the same.
    pub fn update(&mut self, learning_rate: f64) {
        self.draw();
        let Both { case, rng, network, workspace, parameters, gradients, optimizer, device, compared } = self;
        let mut same = |what: &str, cpu: &[f32], device: &[f32]| {
            same(what, cpu, device);
            *compared += cpu.len() as u64;
        };
        let outputs = network.forward(parameters, case.rows, workspace);
        device.look().expect("a pass");
        same("outputs", outputs, device.outputs(0));
        let mut d_outputs = vec![0.0; outputs.len() / case.rows * case.rows_back];
        d_outputs.iter_mut().for_each(|d| *d = number(rng));
        device.d_outputs_mut().copy_from_slice(&d_outputs);

        network.backward(parameters, &d_outputs, workspace, gradients);
        let norm = global_norm(gradients);
        if case.max_gradient_norm > 0.0 {
            clip_global_norm(gradients, case.max_gradient_norm);
        }
        optimizer.set_learning_rate(learning_rate);
        optimizer.step(parameters, gradients);

        let step = device.step(learning_rate).expect("a step");
        assert_eq!(step.gradient_norm.to_bits(), norm.to_bits(), "norm {norm}");
        assert!(!step.is_broken);
        for layer in 0..network.spec().layers.len() {
            let ours = device.activations(layer).expect("activations");
            same(&format!("activations of layer {layer}"), workspace.activations(layer), &ours);
        }
        same("gradients", gradients, &list(device, Numbers::Gradients));
        for (place, (name, buffer)) in optimizer.buffers().enumerate() {
            same(name, buffer, &list(device, Numbers::Buffer(place)));
        }
        same("parameters", parameters, &list(device, Numbers::Online));
    }

    /// The same outputs for acting.
    pub fn act(&mut self) {
        self.draw();
        let Both { case, network, workspace, parameters, device, .. } = self;
        let observations = if case.is_bytes {
            workspace.input_bytes_mut(case.rows).iter().map(|byte| f32::from(*byte)).collect()
        } else {
            workspace.input_mut(case.rows).to_vec()
        };
        // Acting spreads its fractions evenly.
        let spread = Workspace::with_fractions(network, case.rows, case.fractions).fractions_mut(case.rows).to_vec();
        workspace.fractions_mut(case.rows).copy_from_slice(&spread);
        let noise = workspace.noise_mut().to_vec();
        let outputs = network.forward(parameters, case.rows, workspace);
        same("outputs", outputs, device.act(&observations, &noise).expect("a pass"));
        // Of fewer rows those.
        let fewer = case.rows / 2;
        let ours = device.act(&observations[..fewer * network.input_len()], &noise).expect("a pass");
        same("outputs of fewer", &outputs[..outputs.len() / case.rows * fewer], ours);
    }

    /// The slower copies stay the same.
    pub fn follow(&mut self, tau: Option<f32>) {
        let mut target = list(&self.device, Numbers::Target);
        for (target, online) in target.iter_mut().zip(&self.parameters) {
            *target = tau.map_or(*online, |tau| *target + tau * (online - *target));
        }
        self.device.follow(tau).expect("a device");
        same("target", &target, &list(&self.device, Numbers::Target));
    }

    /// New observations, noise and fractions on both.
    fn draw(&mut self) {
        let Both { case, rng, workspace, device, .. } = self;
        if case.is_bytes {
            let bytes = workspace.input_bytes_mut(case.rows);
            bytes.iter_mut().for_each(|byte| *byte = rng.next_u32() as u8);
            device.inputs_of_bytes_mut()[0].as_mut().expect("a pass").copy_from_slice(bytes);
        } else {
            let numbers = workspace.input_mut(case.rows);
            numbers.iter_mut().for_each(|x| *x = number(rng));
            device.inputs_mut()[0].as_mut().expect("a pass").copy_from_slice(numbers);
        }
        workspace.noise_mut().iter_mut().for_each(|e| *e = number(rng));
        device.noise_mut(0).copy_from_slice(workspace.noise_mut());
        let fractions = workspace.fractions_mut(case.rows);
        fractions.iter_mut().for_each(|tau| *tau = number(rng).abs() / 2.0);
        device.fractions_mut(0).copy_from_slice(fractions);
    }
}

fn list(device: &DeviceNetworks, what: Numbers) -> Vec<f32> {
    let mut numbers = vec![0.0; device.network().parameter_count()];
    device.read(what, &mut numbers).expect("a device");
    numbers
}

/// From −2 to 2.
fn number(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / 4_194_304.0 - 2.0
}

#[track_caller]
pub fn same(what: &str, cpu: &[f32], device: &[f32]) {
    assert_eq!(cpu.len(), device.len(), "{what}");
    let differ = cpu.iter().zip(device).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    let first = cpu.iter().zip(device).position(|(a, b)| a.to_bits() != b.to_bits());
    let numbers = first.map(|at| (at, cpu[at], device[at]));
    assert!(differ == 0, "{what}: {differ} of {} differ, first {numbers:?}", cpu.len());
}
