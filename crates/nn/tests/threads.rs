//! One, two and eight threads give the same bits, where there is enough work for them to be used.

use requel_nn::{Activation, LayerSpec, Network, NetworkSpec, Optimizer, OptimizerSpec, Workspace};

fn noise(i: usize) -> f32 {
    ((i * 7919 + i / 13) % 1009) as f32 / 1009.0 - 0.5
}

/// The parameters after three updates.
fn train(spec: &NetworkSpec, optimizer: &OptimizerSpec, rows: usize, threads: usize) -> Vec<u32> {
    let network = Network::new(spec).unwrap().with_threads(threads);
    let count = network.parameter_count();
    let mut parameters: Vec<f32> = (0..count).map(|i| noise(i) * 0.1).collect();
    let mut gradients = vec![0.0; count];
    let mut optimizer = Optimizer::new(optimizer, count).with_threads(threads);
    let mut workspace = Workspace::with_fractions(&network, rows, 4);
    workspace.noise_mut().iter_mut().enumerate().for_each(|(i, e)| *e = noise(i + 5));
    for step in 0..3 {
        workspace.input_mut(rows).iter_mut().enumerate().for_each(|(i, x)| *x = noise(i + step));
        let outputs = network.forward(&parameters, rows, &mut workspace);
        let d_outputs: Vec<f32> = outputs.iter().enumerate().map(|(i, y)| y - noise(i)).collect();
        network.backward(&parameters, &d_outputs, &mut workspace, &mut gradients);
        optimizer.step(&mut parameters, &gradients);
    }
    parameters.iter().map(|p| p.to_bits()).collect()
}

fn check(spec: &NetworkSpec, rows: usize) {
    check_optimizer(spec, &OptimizerSpec::adam(1e-3), rows);
}

fn check_optimizer(spec: &NetworkSpec, optimizer: &OptimizerSpec, rows: usize) {
    let one = train(spec, optimizer, rows, 1);
    for threads in [2, 3, 8] {
        assert!(train(spec, optimizer, rows, threads) == one, "{threads} threads give other bits than one");
    }
}

#[test]
fn a_wide_perceptron() {
    check(&NetworkSpec::mlp(70, &[600, 700], 5, Activation::Relu), 64);
}

#[test]
fn every_form_of_rms_prop() {
    let spec = NetworkSpec::mlp(70, &[600, 700], 5, Activation::Relu);
    for (centered, momentum) in [(false, 0.0), (true, 0.0), (false, 0.9), (true, 0.9)] {
        let optimizer = OptimizerSpec::RmsProp { learning_rate: 1e-3, alpha: 0.95, epsilon: 0.01, centered, momentum };
        check_optimizer(&spec, &optimizer, 4);
    }
}

#[test]
fn a_convolutional_network() {
    let activation = Activation::Relu;
    let layers = vec![
        LayerSpec::Conv2d { channels: 32, kernel: 8, stride: 4, activation },
        LayerSpec::Conv2d { channels: 48, kernel: 4, stride: 2, activation },
        LayerSpec::Dense { outputs: 300, activation: Activation::Tanh },
        LayerSpec::Dense { outputs: 6, activation: Activation::Identity },
    ];
    check(&NetworkSpec { input_shape: vec![60, 60, 4], input_scale: 1.0, layers }, 18);
}

#[test]
fn a_network_of_the_other_layers() {
    let activation = Activation::Relu;
    let layers = vec![
        LayerSpec::NoisyDense { outputs: 600, activation: Activation::Identity, sigma: 0.5 },
        LayerSpec::LayerNorm { activation, epsilon: 1e-5 },
        LayerSpec::FractionEmbedding { cosines: 64 },
        LayerSpec::Dueling { hidden: 500, actions: 5, atoms: 3, activation, sigma: Some(0.5) },
    ];
    check(&NetworkSpec { input_shape: vec![70], input_scale: 1.0, layers }, 32);
}
