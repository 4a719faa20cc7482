//! The gradients of the scalar twin in `f64`, against central differences; and the twin in `f32`, against the network.

use proptest::prelude::*;
use requel_nn::reference::{self, Conv2dShape, DenseShape};
use requel_nn::{Activation, Kernel, LayerSpec, Network, NetworkSpec, Workspace};

const STEP: f64 = 1e-6;

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Identity), Just(Activation::Relu), Just(Activation::Tanh)]
}

fn numbers(len: usize) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-1.5..1.5, len)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Central difference of `f` in each coordinate of `at`.
fn numeric_gradient(at: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut x = at.to_vec();
    (0..x.len())
        .map(|i| {
            let mut value = |sign: f64| {
                x[i] = at[i] + sign * STEP;
                let value = f(&x);
                x[i] = at[i];
                value
            };
            (value(1.0) - value(-1.0)) / (2.0 * STEP)
        })
        .collect()
}

fn assert_close(analytic: &[f64], numeric: &[f64], what: &str) {
    for (i, (a, n)) in analytic.iter().zip(numeric).enumerate() {
        assert!((a - n).abs() <= 1e-6 * (1.0 + n.abs()), "{what}[{i}]: analytic {a}, numeric {n}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A dense layer whose input is the output of an activation: all three gradients.
    #[test]
    fn dense(
        (shape, w, b, x, weights_of_sum, act, before) in (1..5_usize, 1..5_usize, 1..5_usize)
            .prop_flat_map(|(rows, inputs, outputs)| (
                Just(DenseShape { rows, inputs, outputs }),
                numbers(inputs * outputs), numbers(outputs), numbers(rows * inputs), numbers(rows * outputs),
                activation(), activation(),
            ))
    ) {
        // The kink of ReLU has no derivative to compare with.
        let forward = |w: &[f64], b: &[f64], x: &[f64]| {
            let x: Vec<f64> = x.iter().map(|&x| reference::activate(before, x)).collect();
            let mut y = vec![0.0; shape.rows * shape.outputs];
            reference::dense_forward(shape, (w, b), &x, act, &mut y);
            (x, y)
        };
        let pre = {
            let (x, _) = forward(&w, &b, &x);
            let mut pre = vec![0.0; shape.rows * shape.outputs];
            reference::dense_forward(shape, (&w, &b), &x, Activation::Identity, &mut pre);
            pre
        };
        prop_assume!(x.iter().chain(&pre).all(|v| v.abs() > 1e-4));

        let (activated, y) = forward(&w, &b, &x);
        let dy: Vec<f64> =
            y.iter().zip(&weights_of_sum).map(|(&y, &d)| reference::differentiate(act, y, d)).collect();
        let (mut dw, mut db, mut dx) = (vec![0.0; w.len()], vec![0.0; b.len()], vec![0.0; x.len()]);
        reference::dense_weight_gradient(shape, &activated, &dy, (&mut dw, &mut db));
        reference::dense_input_gradient(shape, &w, &dy, (&activated, before), &mut dx);
        let value = |w: &[f64], b: &[f64], x: &[f64]| dot(&forward(w, b, x).1, &weights_of_sum);
        assert_close(&dw, &numeric_gradient(&w, |w| value(w, &b, &x)), "weight");
        assert_close(&db, &numeric_gradient(&b, |b| value(&w, b, &x)), "bias");
        assert_close(&dx, &numeric_gradient(&x, |x| value(&w, &b, x)), "input");
    }

    /// A convolution, likewise.
    #[test]
    fn conv2d(
        (shape, w, b, x, weights_of_sum, act, before) in
            (1..3_usize, (0..3_usize, 0..3_usize), 1..3_usize, 1..4_usize, (1..3_usize, 1..3_usize))
            .prop_map(|(rows, (down, across), channels, outputs, (size, stride))| Conv2dShape {
                rows, height: size + down, width: size + across, channels, outputs, size, stride,
            })
            .prop_flat_map(|shape| (
                Just(shape), numbers(shape.patch_len() * shape.outputs), numbers(shape.outputs),
                numbers(shape.rows * shape.input_len()), numbers(shape.rows * shape.output_len()),
                activation(), activation(),
            ))
    ) {
        let forward = |w: &[f64], b: &[f64], x: &[f64], act: Activation| {
            let x: Vec<f64> = x.iter().map(|&x| reference::activate(before, x)).collect();
            let mut y = vec![0.0; shape.rows * shape.output_len()];
            reference::conv2d_forward(shape, (w, b), &x, act, &mut y);
            (x, y)
        };
        let pre = forward(&w, &b, &x, Activation::Identity).1;
        prop_assume!(x.iter().chain(&pre).all(|v| v.abs() > 1e-4));
        let (activated, y) = forward(&w, &b, &x, act);
        let dy: Vec<f64> =
            y.iter().zip(&weights_of_sum).map(|(&y, &d)| reference::differentiate(act, y, d)).collect();
        let (mut dw, mut db, mut dx) = (vec![0.0; w.len()], vec![0.0; b.len()], vec![0.0; x.len()]);
        reference::conv2d_weight_gradient(shape, &activated, &dy, (&mut dw, &mut db));
        reference::conv2d_input_gradient(shape, &w, &dy, (&activated, before), &mut dx);
        let value = |w: &[f64], b: &[f64], x: &[f64]| dot(&forward(w, b, x, act).1, &weights_of_sum);
        assert_close(&dw, &numeric_gradient(&w, |w| value(w, &b, &x)), "weight");
        assert_close(&db, &numeric_gradient(&b, |b| value(&w, b, &x)), "bias");
        assert_close(&dx, &numeric_gradient(&x, |x| value(&w, &b, x)), "input");
    }

    /// A whole network of dense layers gives the bits of the twin's layers, one after another.
    #[test]
    fn a_network_is_its_layers(
        sizes in proptest::collection::vec(1..20_usize, 2..5),
        activations in proptest::collection::vec(activation(), 4),
        seed in any::<u32>(),
    ) {
        let layers: Vec<LayerSpec> = (sizes[1..].iter().zip(&activations))
            .map(|(&outputs, &activation)| LayerSpec::Dense { outputs, activation })
            .collect();
        let spec = NetworkSpec { input_shape: vec![sizes[0]], input_scale: 1.0, layers };
        let network = Network::with_kernel(&spec, Kernel::fastest()).unwrap();
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let parameters: Vec<f32> = (0..network.parameter_count()).map(|_| next()).collect();
        let rows = 5;
        let mut workspace = Workspace::new(&network, rows);
        workspace.input_mut(rows).iter_mut().for_each(|x| *x = next());
        let mut values = vec![workspace.input_mut(rows).to_vec()];
        let weights = |l: usize| (
            &parameters[network.slices()[2 * l].range.clone()], &parameters[network.slices()[2 * l + 1].range.clone()],
        );
        let shape = |l: usize| DenseShape { rows, inputs: sizes[l], outputs: sizes[l + 1] };
        let depth = sizes.len() - 1;
        for l in 0..depth {
            let mut y = vec![0.0; rows * sizes[l + 1]];
            reference::dense_forward(shape(l), weights(l), &values[l], activations[l], &mut y);
            values.push(y);
        }
        prop_assert_eq!(network.forward(&parameters, rows, &mut workspace), &values[depth][..]);

        let d_outputs: Vec<f32> = (0..rows * sizes[depth]).map(|_| next()).collect();
        let mut gradients = vec![f32::NAN; parameters.len()];
        network.backward(&parameters, &d_outputs, &mut workspace, &mut gradients);
        let mut expected = vec![0.0; parameters.len()];
        let mut dy: Vec<f32> = (d_outputs.iter().zip(&values[depth]))
            .map(|(&d, &y)| reference::differentiate(activations[depth - 1], y, d))
            .collect();
        for l in (0..depth).rev() {
            let (w, b) = (network.slices()[2 * l].range.clone(), network.slices()[2 * l + 1].range.clone());
            let (dw, db) = expected[w.start..b.end].split_at_mut(w.len());
            reference::dense_weight_gradient(shape(l), &values[l], &dy, (dw, db));
            if l > 0 {
                let mut dx = vec![0.0; rows * sizes[l]];
                reference::dense_input_gradient(
                    shape(l), weights(l).0, &dy, (&values[l], activations[l - 1]), &mut dx,
                );
                dy = dx;
            }
        }
        prop_assert_eq!(gradients, expected);
    }
}
