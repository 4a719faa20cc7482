//! Whole networks of every kind of layer, put together from the scalar twin: its gradients in `f64` against central
//! differences, and in `f32` against what the kernels give, bit for bit.

mod twin;

use proptest::prelude::*;
use requel_nn::{Activation, Kernel, LayerSpec, Network, NetworkSpec, Workspace, reference};
use twin::{Inputs, Twin};

const RELU: Activation = Activation::Relu;
const TANH: Activation = Activation::Tanh;

/// A small generator: numbers from −1 to 1.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }

    fn array(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next()).collect()
    }
}

/// Everything that a pass reads.
struct Case {
    network: Network,
    rows: usize,
    fractions: usize,
    parameters: Vec<f32>,
    input: Vec<f32>,
    noise: Vec<f32>,
    taus: Vec<f32>,
    d_outputs: Vec<f32>,
}

impl Case {
    fn new(spec: &NetworkSpec, rows: usize, fractions: usize, seed: u32) -> Case {
        let network = Network::with_kernel(spec, Kernel::SCALAR).unwrap();
        let fractions = if network.reads_fractions() { fractions } else { 1 };
        let mut numbers = Numbers(seed);
        let taus = if network.reads_fractions() { rows * fractions } else { 0 };
        Case {
            rows,
            fractions,
            parameters: numbers.array(network.parameter_count()),
            input: numbers.array(rows * network.input_len()),
            noise: numbers.array(network.noise_len()),
            taus: numbers.array(taus).iter().map(|x| 0.5 + 0.5 * x).collect(),
            d_outputs: numbers.array(rows * fractions * network.output_len()),
            network,
        }
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x.into()).collect()
}

fn image(layers: Vec<LayerSpec>) -> NetworkSpec {
    NetworkSpec { input_shape: vec![4, 5, 2], input_scale: 1.0, layers }
}

fn vector(layers: Vec<LayerSpec>) -> NetworkSpec {
    NetworkSpec { input_shape: vec![3], input_scale: 1.0, layers }
}

fn dueling(hidden: usize, atoms: usize, sigma: Option<f32>) -> LayerSpec {
    LayerSpec::Dueling { hidden, actions: 3, atoms, activation: TANH, sigma }
}

#[test]
fn gradients_equal_central_differences() {
    let dense = |outputs| LayerSpec::Dense { outputs, activation: TANH };
    let noisy = |outputs| LayerSpec::NoisyDense { outputs, activation: TANH, sigma: 0.5 };
    let norm = |activation| LayerSpec::LayerNorm { activation, epsilon: 1e-5 };
    let conv = || LayerSpec::Conv2d { channels: 3, kernel: 2, stride: 1, activation: Activation::Identity };
    let embedding = || LayerSpec::FractionEmbedding { cosines: 5 };
    let specs = [
        vector(vec![dense(5), norm(RELU), dense(2)]),
        vector(vec![norm(TANH), noisy(4), norm(Activation::Identity), noisy(2)]),
        image(vec![conv(), norm(TANH), conv(), norm(RELU), dense(4), dueling(0, 1, None)]),
        vector(vec![dense(4), dueling(3, 1, None)]),
        vector(vec![dueling(3, 2, Some(0.5))]),
        vector(vec![dense(4), dueling(3, 4, Some(0.5))]),
        image(vec![conv(), embedding(), noisy(4), dueling(3, 1, Some(0.5))]),
        vector(vec![dense(4), embedding(), norm(TANH), dense(2)]),
        vector(vec![embedding(), dense(2)]),
    ];
    for (number, spec) in specs.iter().enumerate() {
        for seed in 0..3 {
            let case = Case::new(spec, 3, 2, seed);
            let (input, noise, taus) = (wide(&case.input), wide(&case.noise), wide(&case.taus));
            let inputs = Inputs { rows: case.rows, input: &input, noise: &noise, fractions: &taus };
            let d_outputs = wide(&case.d_outputs);
            let value = |parameters: &[f64]| -> f64 {
                let twin = Twin::forward(spec, parameters, inputs);
                twin.outputs().iter().zip(&d_outputs).map(|(y, d)| y * d).sum()
            };
            let mut parameters = wide(&case.parameters);
            let analytic = Twin::forward(spec, &parameters, inputs).backward(&d_outputs);
            assert_eq!(analytic.len(), parameters.len());
            for i in 0..parameters.len() {
                const STEP: f64 = 1e-6;
                let at = parameters[i];
                parameters[i] = at + STEP;
                let above = value(&parameters);
                parameters[i] = at - STEP;
                let numeric = (above - value(&parameters)) / (2.0 * STEP);
                parameters[i] = at;
                let difference = (analytic[i] - numeric).abs();
                assert!(
                    difference <= 1e-6 * (1.0 + numeric.abs()),
                    "network {number}, seed {seed}, parameter {i}: analytic {}, numeric {numeric}",
                    analytic[i]
                );
            }
        }
    }
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Identity), Just(RELU), Just(TANH)]
}

/// A layer that may stand anywhere behind the convolutions.
fn inner_layer() -> impl Strategy<Value = LayerSpec> {
    prop_oneof![
        (1..40_usize, activation()).prop_map(|(outputs, activation)| LayerSpec::Dense { outputs, activation }),
        (1..40_usize, activation()).prop_map(|(outputs, activation)| LayerSpec::NoisyDense {
            outputs,
            activation,
            sigma: 0.5
        }),
        activation().prop_map(|activation| LayerSpec::LayerNorm { activation, epsilon: 1e-5 }),
        (0..30_usize, 1..5_usize, 1..9_usize, activation(), any::<bool>()).prop_map(
            |(hidden, actions, atoms, activation, is_noisy)| {
                LayerSpec::Dueling { hidden, actions, atoms, activation, sigma: is_noisy.then_some(0.5) }
            }
        ),
    ]
}

fn network_spec() -> impl Strategy<Value = NetworkSpec> {
    let start = prop_oneof![
        (1..40_usize).prop_map(|inputs| (vec![inputs], Vec::new())),
        (4..7_usize, 4..7_usize, 1..4_usize, 1..20_usize, activation()).prop_map(
            |(height, width, channels, outputs, activation)| {
                let conv = LayerSpec::Conv2d { channels: outputs, kernel: 2, stride: 2, activation };
                (vec![height, width, channels], vec![conv, LayerSpec::LayerNorm { activation, epsilon: 1e-5 }])
            }
        ),
    ];
    let embedding = proptest::option::of((0..4_usize, 1..70_usize));
    (start, proptest::collection::vec(inner_layer(), 1..4), embedding).prop_map(
        |((input_shape, mut layers), inner, embedding)| {
            let first = layers.len();
            layers.extend(inner);
            if let Some((at, cosines)) = embedding {
                let at = (first + at).min(layers.len());
                layers.insert(at, LayerSpec::FractionEmbedding { cosines });
            }
            NetworkSpec { input_shape, input_scale: 1.0, layers }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every kernel, with noise and without, and with rows left out of the backward pass.
    #[test]
    fn networks_equal_the_twin(
        spec in network_spec(), (rows, left_out) in (1..20_usize, 0..3_usize), fractions in 1..6_usize,
        is_silent in any::<bool>(), seed in any::<u32>(),
    ) {
        let mut case = Case::new(&spec, rows, fractions, seed);
        if is_silent {
            case.noise.fill(0.0);
        }
        let back = rows.saturating_sub(left_out).max(1);
        let of_a_row = case.fractions * case.network.output_len();
        let pass = |rows: usize| {
            let inputs = Inputs {
                rows,
                input: &case.input[..rows * case.network.input_len()],
                noise: &case.noise,
                fractions: if case.taus.is_empty() { &[] } else { &case.taus[..rows * case.fractions] },
            };
            Twin::forward(&spec, &case.parameters, inputs)
        };
        let d_outputs = &case.d_outputs[..back * of_a_row];
        let (twin, expected) = (pass(rows), pass(back).backward(d_outputs));
        for kernel in Kernel::available() {
            let network = Network::with_kernel(&spec, kernel).unwrap();
            let mut workspace = Workspace::with_fractions(&network, rows + 1, fractions);
            workspace.input_mut(rows).copy_from_slice(&case.input);
            workspace.noise_mut().copy_from_slice(&case.noise);
            workspace.fractions_mut(rows).copy_from_slice(&case.taus);
            let outputs = network.forward(&case.parameters, rows, &mut workspace);
            prop_assert_eq!(outputs, twin.outputs(), "{}", kernel);
            let mut gradients = vec![f32::NAN; case.parameters.len()];
            network.backward(&case.parameters, d_outputs, &mut workspace, &mut gradients);
            prop_assert_eq!(&gradients, &expected, "{}", kernel);
        }
    }
}

#[test]
fn cosines_are_exact_to_rounding() {
    const COSINES: usize = 256;
    for i in 0..=1000 {
        let fraction = i as f32 / 1000.0;
        let mut row = [0.0_f32; COSINES];
        reference::fraction_cosines(&[fraction], COSINES, &mut row);
        for (n, cosine) in row.iter().enumerate() {
            let exact = libm::cos(std::f64::consts::PI * n as f64 * f64::from(fraction));
            assert!((f64::from(*cosine) - exact).abs() <= 6e-8, "cos({n}π·{fraction}) is {cosine}, not {exact}");
        }
    }
}

/// An untouched workspace computes with the means of the weights.
#[test]
fn a_network_without_noise_is_the_network_of_the_means() {
    let spec =
        vector(vec![LayerSpec::NoisyDense { outputs: 9, activation: RELU, sigma: 0.5 }, dueling(7, 2, Some(0.5))]);
    let plain = vector(vec![LayerSpec::Dense { outputs: 9, activation: RELU }, dueling(7, 2, None)]);
    let (network, plain) = (Network::new(&spec).unwrap(), Network::new(&plain).unwrap());
    assert_eq!((network.noise_len(), plain.noise_len()), (3 + 9 + 2 * (9 + 7) + (7 + 2) + (7 + 6), 0));
    let parameters = Numbers(1).array(network.parameter_count());
    let is_mean = |name: &str| !name.ends_with("_sigma");
    let means: Vec<f32> = (network.slices().iter().filter(|slice| is_mean(&slice.name)))
        .flat_map(|slice| parameters[slice.range.clone()].to_vec())
        .collect();
    let run = |network: &Network, parameters: &[f32], noise: f32| {
        let mut workspace = Workspace::new(network, 4);
        workspace.input_mut(4).copy_from_slice(&Numbers(2).array(12));
        let silent = network.forward(parameters, 4, &mut workspace).to_vec();
        workspace.noise_mut().fill(noise);
        (silent, network.forward(parameters, 4, &mut workspace).to_vec())
    };
    let (silent, noisy) = run(&network, &parameters, 0.3);
    assert_eq!(silent, run(&plain, &means, 0.0).0);
    assert_ne!(silent, noisy);
}
