//! Q-learning updates against PyTorch's, from the same parameters and batches (`xtask/golden/nn.py` made the data).

use std::collections::BTreeMap;
use std::path::Path;

use requel_nn::{
    Activation, LayerSpec, Loss, Network, NetworkSpec, Optimizer, OptimizerSpec, Workspace, clip_global_norm, pytorch,
};
use serde_json::Value;

const ROWS: usize = 32;

/// How far our parameters may be from PyTorch's, as a share of their length.
const TOLERANCE: f64 = 1e-5;

#[test]
fn the_notebook_with_the_semi_gradient() {
    let spec = NetworkSpec::mlp(4, &[64, 64], 2, Activation::Relu);
    check(&Case { name: "notebook_semi", ..Case::new(spec) });
}

#[test]
fn the_notebook_with_the_residual_gradient() {
    let spec = NetworkSpec::mlp(4, &[64, 64], 2, Activation::Relu);
    check(&Case { name: "notebook_residual", residual: true, ..Case::new(spec) });
}

#[test]
fn rms_prop_tanh_huber_and_clipping() {
    check(&Case {
        name: "rmsprop_tanh_huber_clip",
        loss: Loss::Huber { delta: 0.5 },
        optimizer: OptimizerSpec::RmsProp {
            learning_rate: 1e-3,
            alpha: 0.95,
            epsilon: 0.01,
            centered: true,
            momentum: 0.9,
        },
        max_norm: Some(0.25),
        ..Case::new(NetworkSpec::mlp(4, &[16], 3, Activation::Tanh))
    });
}

/// Two convolutions, then a dense layer that reads their image.
#[test]
fn convolutions() {
    let activation = Activation::Relu;
    let layers = vec![
        LayerSpec::Conv2d { channels: 6, kernel: 3, stride: 1, activation },
        LayerSpec::Conv2d { channels: 5, kernel: 2, stride: 2, activation },
        LayerSpec::Dense { outputs: 3, activation: Activation::Identity },
    ];
    let spec = NetworkSpec { input_shape: vec![7, 6, 2], input_scale: 1.0, layers };
    check(&Case { name: "convolutions", ..Case::new(spec) });
}

/// Normalised channels and a normalised vector, and rectified Adam before and after its variance comes in.
#[test]
fn layer_normalisation_and_radam() {
    let identity = Activation::Identity;
    let layers = vec![
        LayerSpec::Conv2d { channels: 6, kernel: 2, stride: 1, activation: identity },
        LayerSpec::LayerNorm { activation: Activation::Relu, epsilon: 1e-5 },
        LayerSpec::Dense { outputs: 20, activation: identity },
        LayerSpec::LayerNorm { activation: Activation::Tanh, epsilon: 1e-5 },
        LayerSpec::Dense { outputs: 3, activation: identity },
    ];
    let spec = NetworkSpec { input_shape: vec![4, 5, 2], input_scale: 1.0, layers };
    check_regression("layer_norm_radam", &spec, 1, &OptimizerSpec::radam(1e-3));
}

#[test]
fn noise_fractions_and_dueling_streams() {
    let activation = Activation::Relu;
    let layers = vec![
        LayerSpec::Dense { outputs: 12, activation },
        LayerSpec::FractionEmbedding { cosines: 16 },
        LayerSpec::NoisyDense { outputs: 10, activation, sigma: 0.5 },
        LayerSpec::Dueling { hidden: 8, actions: 3, atoms: 2, activation, sigma: Some(0.5) },
    ];
    let spec = NetworkSpec { input_shape: vec![5], input_scale: 1.0, layers };
    let network = Network::new(&spec).unwrap();
    let names: Vec<&str> = network.slices()[4..].iter().map(|slice| slice.name.as_str()).collect();
    assert_eq!(names[..2], ["layers.2.weight_mu", "layers.2.weight_sigma"]);
    assert_eq!(names[4..6], ["layers.3.value.0.weight_mu", "layers.3.value.0.weight_sigma"]);
    assert_eq!(names[names.len() - 1], "layers.3.advantage.1.bias_sigma");
    check_regression("implicit_noisy_dueling", &spec, 4, &OptimizerSpec::adam(1e-3));
}

/// Updates towards targets for every output, by the mean squared error.
fn check_regression(name: &str, spec: &NetworkSpec, fractions: usize, optimizer: &OptimizerSpec) {
    let golden = Golden::read(name);
    let network = Network::new(spec).unwrap();
    let mut parameters = import(&network, golden.array("initial"));
    let mut gradients = vec![0.0; parameters.len()];
    let mut optimizer = Optimizer::new(optimizer, parameters.len());
    let mut workspace = Workspace::with_fractions(&network, ROWS, fractions);
    for (update, &theirs) in golden.array("losses").iter().enumerate() {
        let part = |name: &str, len: usize| &golden.array(name)[update * len..(update + 1) * len];
        workspace.input_mut(ROWS).copy_from_slice(part("observations", ROWS * network.input_len()));
        if network.noise_len() > 0 {
            workspace.noise_mut().copy_from_slice(part("noise", network.noise_len()));
        }
        if network.reads_fractions() {
            workspace.fractions_mut(ROWS).copy_from_slice(part("fractions", ROWS * fractions));
        }
        let outputs = network.forward(&parameters, ROWS, &mut workspace);
        let targets = part("targets", outputs.len());
        let errors: Vec<f32> = outputs.iter().zip(targets).map(|(y, target)| y - target).collect();
        let mut d_outputs = vec![0.0; errors.len()];
        let loss = Loss::Mse.mean(&errors, &mut d_outputs);
        network.backward(&parameters, &d_outputs, &mut workspace, &mut gradients);
        optimizer.step(&mut parameters, &gradients);
        assert!((loss - theirs).abs() <= 1e-4 * theirs, "update {update}: loss {loss}, PyTorch's {theirs}");
        if let Some(expected) = golden.arrays.get(&format!("after_{}", update + 1)) {
            let difference = relative_l2(&parameters, &import(&network, expected));
            assert!(difference <= TOLERANCE, "after {} updates: relative L2 {difference:e}", update + 1);
        }
    }
}

struct Case {
    name: &'static str,
    spec: NetworkSpec,
    residual: bool,
    loss: Loss,
    optimizer: OptimizerSpec,
    max_norm: Option<f32>,
}

impl Case {
    fn new(spec: NetworkSpec) -> Case {
        let optimizer = OptimizerSpec::adam(1e-3);
        Case { name: "", spec, residual: false, loss: Loss::Mse, optimizer, max_norm: None }
    }
}

fn check(case: &Case) {
    let golden = Golden::read(case.name);
    let network = Network::new(&case.spec).unwrap();
    let (inputs, outputs) = (network.input_len(), network.output_len());
    let mut parameters = import(&network, golden.array("initial"));
    let mut gradients = vec![0.0; parameters.len()];
    let mut optimizer = Optimizer::new(&case.optimizer, parameters.len());
    let mut workspace = Workspace::new(&network, 2 * ROWS);
    let updates = golden.array("losses").len();
    assert!(updates >= 10);

    for update in 0..updates {
        let part = |name: &str, width: usize| &golden.array(name)[update * ROWS * width..(update + 1) * ROWS * width];
        let (actions, rewards, discounts) = (part("actions", 1), part("rewards", 1), part("discounts", 1));
        let x = workspace.input_mut(2 * ROWS);
        x[..ROWS * inputs].copy_from_slice(part("observations", inputs));
        x[ROWS * inputs..].copy_from_slice(part("next_observations", inputs));

        let q = network.forward(&parameters, 2 * ROWS, &mut workspace);
        let chosen: Vec<usize> = (0..ROWS).map(|r| r * outputs + actions[r] as usize).collect();
        let greedy: Vec<usize> = (ROWS..2 * ROWS).map(|r| r * outputs + argmax(&q[r * outputs..][..outputs])).collect();
        let errors: Vec<f32> = (0..ROWS).map(|r| q[chosen[r]] - (rewards[r] + discounts[r] * q[greedy[r]])).collect();
        let mut d_errors = vec![0.0; ROWS];
        let loss = case.loss.mean(&errors, &mut d_errors);
        let mut d_outputs = vec![0.0; 2 * ROWS * outputs];
        for r in 0..ROWS {
            d_outputs[chosen[r]] = d_errors[r];
            d_outputs[greedy[r]] = -discounts[r] * d_errors[r];
        }
        // The semi-gradient has nothing to send back through the next observations, and leaves their rows out.
        let rows = if case.residual { 2 * ROWS } else { ROWS };
        network.backward(&parameters, &d_outputs[..rows * outputs], &mut workspace, &mut gradients);
        if let Some(max_norm) = case.max_norm {
            let (norm, theirs) = (clip_global_norm(&mut gradients, max_norm), golden.array("norms")[update]);
            assert!((norm - theirs).abs() <= 1e-4 * theirs, "update {update}: norm {norm}, PyTorch's {theirs}");
        }
        optimizer.step(&mut parameters, &gradients);

        let theirs = golden.array("losses")[update];
        assert!((loss - theirs).abs() <= 1e-4 * theirs, "update {update}: loss {loss}, PyTorch's {theirs}");
        if let Some(expected) = golden.arrays.get(&format!("after_{}", update + 1)) {
            let difference = relative_l2(&parameters, &import(&network, expected));
            assert!(difference <= TOLERANCE, "after {} updates: relative L2 {difference:e}", update + 1);
        }
    }
}

/// The lowest index of the largest value.
fn argmax(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

fn relative_l2(ours: &[f32], theirs: &[f32]) -> f64 {
    let sum = |f: &dyn Fn(usize) -> f64| (0..ours.len()).map(|i| f(i).powi(2)).sum::<f64>().sqrt();
    sum(&|i| f64::from(ours[i]) - f64::from(theirs[i])) / sum(&|i| theirs[i].into())
}

fn import(network: &Network, theirs: &[f32]) -> Vec<f32> {
    let mut ours = vec![0.0; network.parameter_count()];
    for slice in network.slices() {
        pytorch::import(slice, &theirs[slice.range.clone()], &mut ours[slice.range.clone()]);
    }
    ours
}

struct Golden {
    arrays: BTreeMap<String, Vec<f32>>,
}

impl Golden {
    fn read(name: &str) -> Golden {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        let bytes = std::fs::read(path.with_extension("f32")).unwrap();
        let numbers: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let index: Value = serde_json::from_str(&text).unwrap();
        let arrays = (index["arrays"].as_object().unwrap().iter())
            .map(|(name, at)| {
                let (start, len) = (at[0].as_u64().unwrap() as usize, at[1].as_u64().unwrap() as usize);
                (name.clone(), numbers[start..start + len].to_vec())
            })
            .collect();
        Golden { arrays }
    }

    fn array(&self, name: &str) -> &[f32] {
        &self.arrays[name]
    }
}
