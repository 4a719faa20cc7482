//! Every kind of layer, at sizes that fill no tile.

use requel_gpu::Launching;
use requel_nn::{Activation, LayerSpec, NetworkSpec};

use super::both::{Both, Case};

const ACTIVATIONS: [Activation; 3] = [Activation::Identity, Activation::Relu, Activation::Tanh];

fn dense(outputs: usize, activation: Activation) -> LayerSpec {
    LayerSpec::Dense { outputs, activation }
}

fn conv(channels: usize, kernel: usize, stride: usize, activation: Activation) -> LayerSpec {
    LayerSpec::Conv2d { channels, kernel, stride, activation }
}

fn network(input_shape: &[usize], layers: Vec<LayerSpec>) -> NetworkSpec {
    NetworkSpec { input_shape: input_shape.to_vec(), input_scale: 1.0, layers }
}

/// Three updates, acting, and both ways in which the slower copy follows.
#[track_caller]
fn check(case: Case) {
    for launching in [Launching::OneByOne, Launching::Graph] {
        let mut both = Both::new(Case { launching, ..case.clone() }, 7);
        both.follow(None);
        for learning_rate in [1e-3, 5e-4, 1e-3] {
            both.update(learning_rate);
        }
        both.act();
        both.follow(Some(0.3));
        both.follow(Some(0.3));
    }
}

#[test]
fn dense_layers() {
    for activation in ACTIVATIONS {
        for rows in [1, 2, 33] {
            let layers = vec![dense(257, activation), dense(31, activation), dense(1, Activation::Identity)];
            check(Case::new(network(&[5], layers), rows));
        }
    }
    check(Case::new(network(&[1], vec![dense(1, Activation::Tanh)]), 1));
    check(Case::new(network(&[4, 3, 2], vec![dense(65, Activation::Relu), dense(3, Activation::Relu)]), 70));
}

/// Products of so many tiles that they are computed in wide ones, every kind of them, at sizes that fill none.
#[test]
fn products_of_many_tiles() {
    let layers = vec![dense(333, Activation::Relu), dense(335, Activation::Tanh), dense(3, Activation::Identity)];
    check(Case::new(network(&[331], layers), 330));
    let layers = vec![
        conv(65, 3, 1, Activation::Relu),
        conv(161, 3, 2, Activation::Tanh),
        conv(161, 2, 1, Activation::Relu),
        dense(3, Activation::Identity),
    ];
    check(Case::new(network(&[13, 11, 3], layers), 40));
}

#[test]
fn convolutions() {
    // Strides that divide, that do not, and that leave pixels out; one channel, one pixel, one row.
    for (size, stride) in [(3, 1), (3, 2), (2, 3), (4, 3), (1, 1), (5, 5), (5, 4)] {
        for (activation, rows) in [(Activation::Relu, 3), (Activation::Tanh, 1)] {
            let layers = vec![
                conv(2, 1, 1, Activation::Tanh),
                conv(33, size, stride, activation),
                conv(1, 1, 1, activation),
                dense(3, Activation::Identity),
            ];
            check(Case::new(network(&[9, 7, 1], layers), rows));
        }
    }
    check(Case::new(network(&[2, 2, 3], vec![conv(5, 2, 1, Activation::Identity)]), 4));
}

#[test]
fn bytes_and_scaled_numbers() {
    for is_bytes in [false, true] {
        for input_scale in [1.0, 1.0 / 255.0] {
            let layers = vec![conv(4, 3, 2, Activation::Relu), dense(3, Activation::Identity)];
            let network = NetworkSpec { input_scale, ..network(&[7, 6, 3], layers) };
            check(Case { is_bytes, ..Case::new(network, 5) });
        }
    }
}

#[test]
fn layer_normalisation() {
    let norm = |activation| LayerSpec::LayerNorm { activation, epsilon: 1e-5 };
    for activation in ACTIVATIONS {
        let layers = vec![dense(37, Activation::Identity), norm(activation), dense(2, Activation::Identity)];
        check(Case::new(network(&[3], layers), 19));
        let layers = vec![conv(17, 2, 1, Activation::Identity), norm(activation), dense(2, Activation::Identity)];
        check(Case::new(network(&[4, 5, 2], layers), 3));
    }
    check(Case::new(network(&[1], vec![norm(Activation::Identity), dense(2, Activation::Identity)]), 1));
    check(Case::new(network(&[16], vec![dense(16, Activation::Tanh), norm(Activation::Identity)]), 17));
}

#[test]
fn noisy_layers() {
    let noisy = |outputs, activation| LayerSpec::NoisyDense { outputs, activation, sigma: 0.5 };
    for activation in ACTIVATIONS {
        let layers = vec![noisy(65, activation), noisy(7, activation), noisy(1, Activation::Identity)];
        check(Case::new(network(&[3], layers), 5));
    }
}

#[test]
fn dueling_heads() {
    for sigma in [None, Some(0.5)] {
        for (hidden, actions, atoms) in [(0, 3, 1), (0, 1, 5), (33, 4, 51), (9, 2, 1)] {
            let activation = if hidden == 9 { Activation::Tanh } else { Activation::Relu };
            let head = LayerSpec::Dueling { hidden, actions, atoms, activation, sigma };
            check(Case::new(network(&[3], vec![dense(40, Activation::Relu), head.clone()]), 6));
            check(Case::new(network(&[3], vec![head]), 1));
        }
    }
}

#[test]
fn embeddings_of_fractions() {
    let embedding = LayerSpec::FractionEmbedding { cosines: 64 };
    for (rows, fractions) in [(1, 1), (5, 8), (3, 33)] {
        let layers = vec![
            dense(35, Activation::Relu),
            embedding.clone(),
            dense(9, Activation::Tanh),
            dense(2, Activation::Relu),
        ];
        check(Case { fractions, ..Case::new(network(&[3], layers), rows) });
    }
    check(Case { fractions: 3, ..Case::new(network(&[3], vec![embedding, dense(2, Activation::Identity)]), 4) });
}

#[test]
fn fewer_rows_go_back_than_there() {
    let layers = vec![
        conv(5, 2, 1, Activation::Tanh),
        LayerSpec::LayerNorm { activation: Activation::Relu, epsilon: 1e-5 },
        LayerSpec::FractionEmbedding { cosines: 7 },
        LayerSpec::Dueling { hidden: 6, actions: 3, atoms: 2, activation: Activation::Relu, sigma: Some(0.4) },
    ];
    check(Case { fractions: 3, rows_back: 4, ..Case::new(network(&[4, 4, 2], layers), 8) });
}
