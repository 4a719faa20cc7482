//! The layers and the network.

use requel_nn::reference::{self, Conv2dShape, DenseShape, LayerNormShape, Real};
use requel_nn::{Activation, LayerSpec, NetworkSpec};

use super::affine::{Affine, Reader};

/// What a pass reads besides the parameters.
#[derive(Clone, Copy)]
pub struct Inputs<'a, R> {
    pub rows: usize,
    pub input: &'a [R],
    pub noise: &'a [R],
    /// Of all rows; empty where the network reads none.
    pub fractions: &'a [R],
}

/// A network after its forward pass.
pub struct Twin<R>(Vec<Layer<R>>);

enum Layer<R> {
    Affine(Affine<R>),
    Conv2d {
        shape: Conv2dShape,
        weight: Vec<R>,
        x: Vec<R>,
        y: Vec<R>,
        activation: Activation,
    },
    Norm {
        shape: LayerNormShape,
        gain: Vec<R>,
        normal: Vec<R>,
        scales: Vec<R>,
        x: Vec<R>,
        y: Vec<R>,
        activation: Activation,
    },
    Dueling {
        sizes: (usize, usize),
        value: Vec<Affine<R>>,
        advantage: Vec<Affine<R>>,
        x: Vec<R>,
        y: Vec<R>,
    },
    Embedding {
        shape: DenseShape,
        cosines: Vec<R>,
        phi: Vec<R>,
        x: Vec<R>,
        y: Vec<R>,
    },
}

impl<R: Real> Twin<R> {
    pub fn forward(spec: &NetworkSpec, parameters: &[R], inputs: Inputs<'_, R>) -> Twin<R> {
        let (mut parameters, mut noise) = (Reader(parameters), Reader(inputs.noise));
        let (mut shape, mut rows) = (spec.input_shape.clone(), inputs.rows);
        let mut layers: Vec<Layer<R>> = Vec::new();
        for layer in &spec.layers {
            let x = layers.last().map_or(inputs.input, Layer::outputs).to_vec();
            let readers = (&mut parameters, &mut noise);
            let next = match *layer {
                LayerSpec::Dense { outputs, activation } => {
                    Layer::Affine(Affine::forward(readers, (outputs, activation, false), rows, &x))
                }
                LayerSpec::NoisyDense { outputs, activation, .. } => {
                    Layer::Affine(Affine::forward(readers, (outputs, activation, true), rows, &x))
                }
                LayerSpec::Conv2d { channels: outputs, kernel: size, stride, activation } => {
                    let [height, width, channels] = shape[..] else { panic!("not an image: {shape:?}") };
                    let sizes = Conv2dShape { rows, height, width, channels, outputs, size, stride };
                    let weight = parameters.take(sizes.patch_len() * outputs);
                    let mut y = vec![R::ZERO; rows * sizes.output_len()];
                    reference::conv2d_forward(sizes, (weight, parameters.take(outputs)), &x, activation, &mut y);
                    let (down, across) = sizes.output_size();
                    shape = vec![down, across, outputs];
                    layers.push(Layer::Conv2d { shape: sizes, weight: weight.to_vec(), x, y, activation });
                    continue;
                }
                LayerSpec::LayerNorm { activation, epsilon } => {
                    let features = shape[shape.len() - 1];
                    let sizes = LayerNormShape { groups: x.len() / features, features };
                    let (gain, bias) = (parameters.take(features), parameters.take(features));
                    let (mut normal, mut y) = (x.clone(), x.clone());
                    let mut scales = vec![R::ZERO; sizes.groups];
                    reference::layer_norm_forward(
                        sizes,
                        (gain, bias, R::of(epsilon.into())),
                        (&x, activation),
                        (&mut normal, &mut scales),
                        &mut y,
                    );
                    layers.push(Layer::Norm { shape: sizes, gain: gain.to_vec(), normal, scales, x, y, activation });
                    continue;
                }
                LayerSpec::Dueling { hidden, actions, atoms, activation, sigma } => {
                    let (parameters, noise) = readers;
                    let mut stream = |outputs: usize| {
                        let mut parts: Vec<Affine<R>> = Vec::new();
                        let mut x = x.clone();
                        let widths = [(hidden, activation), (outputs, Activation::Identity)];
                        for (outputs, activation) in widths.into_iter().filter(|(outputs, _)| *outputs > 0) {
                            let readers = (&mut *parameters, &mut *noise);
                            parts.push(Affine::forward(readers, (outputs, activation, sigma.is_some()), rows, &x));
                            x = parts[parts.len() - 1].y.clone();
                        }
                        (parts, x)
                    };
                    let ((value, values), (advantage, advantages)) = (stream(atoms), stream(actions * atoms));
                    let mut y = advantages.clone();
                    reference::dueling_forward((actions, atoms), &values, &advantages, &mut y);
                    Layer::Dueling { sizes: (actions, atoms), value, advantage, x, y }
                }
                LayerSpec::FractionEmbedding { cosines: count } => {
                    let outputs = x.len() / rows;
                    rows = inputs.fractions.len();
                    let sizes = DenseShape { rows, inputs: count, outputs };
                    let weights = (parameters.take(count * outputs), parameters.take(outputs));
                    let mut cosines = vec![R::ZERO; rows * count];
                    reference::fraction_cosines(inputs.fractions, count, &mut cosines);
                    let (mut phi, mut y) = (vec![R::ZERO; rows * outputs], vec![R::ZERO; rows * outputs]);
                    reference::fraction_embedding_forward(sizes, weights, (&cosines, &x), (&mut phi, &mut y));
                    Layer::Embedding { shape: sizes, cosines, phi, x, y }
                }
                _ => panic!("the twin has no {layer:?}"),
            };
            shape = vec![next.outputs().len() / rows];
            layers.push(next);
        }
        assert!(parameters.0.is_empty() && noise.0.is_empty(), "parameters or noise are left over");
        Twin(layers)
    }

    pub fn outputs(&self) -> &[R] {
        self.0[self.0.len() - 1].outputs()
    }

    /// The gradient of `Σ d_outputs · outputs` with respect to the parameters.
    pub fn backward(&self, d_outputs: &[R]) -> Vec<R> {
        let last = &self.0[self.0.len() - 1];
        let mut dy: Vec<R> = (d_outputs.iter().zip(last.outputs()))
            .map(|(&d, &y)| reference::differentiate(last.activation(), y, d))
            .collect();
        let mut gradients = Vec::new();
        for (index, layer) in self.0.iter().enumerate().rev() {
            let before = if index == 0 { Activation::Identity } else { self.0[index - 1].activation() };
            let (of_layer, dx) = layer.backward(&dy, before);
            gradients.push(of_layer);
            dy = dx;
        }
        gradients.into_iter().rev().flatten().collect()
    }
}

impl<R: Real> Layer<R> {
    fn outputs(&self) -> &[R] {
        match self {
            Layer::Affine(affine) => &affine.y,
            Layer::Conv2d { y, .. } | Layer::Norm { y, .. } | Layer::Dueling { y, .. } | Layer::Embedding { y, .. } => {
                y
            }
        }
    }

    fn activation(&self) -> Activation {
        match *self {
            Layer::Affine(ref affine) => affine.activation,
            Layer::Conv2d { activation, .. } | Layer::Norm { activation, .. } => activation,
            Layer::Dueling { .. } | Layer::Embedding { .. } => Activation::Identity,
        }
    }

    /// The gradients of the parameters, and of the inputs before the activation of the layer before.
    fn backward(&self, dy: &[R], before: Activation) -> (Vec<R>, Vec<R>) {
        match self {
            Layer::Affine(affine) => affine.backward(dy, before),
            Layer::Conv2d { shape, weight, x, .. } => {
                let (mut dw, mut db) = (weight.clone(), vec![R::ZERO; shape.outputs]);
                let mut dx = x.clone();
                reference::conv2d_weight_gradient(*shape, x, dy, (&mut dw, &mut db));
                reference::conv2d_input_gradient(*shape, weight, dy, (x, before), &mut dx);
                ([dw, db].concat(), dx)
            }
            Layer::Norm { shape, gain, normal, scales, x, .. } => {
                let (mut d_gain, mut d_bias) = (gain.clone(), gain.clone());
                let mut dx = x.clone();
                reference::layer_norm_parameter_gradient(*shape, (dy, normal), (&mut d_gain, &mut d_bias));
                reference::layer_norm_input_gradient(*shape, (gain, dy), (normal, scales), (x, before), &mut dx);
                ([d_gain, d_bias].concat(), dx)
            }
            Layer::Dueling { sizes, value, advantage, x, .. } => {
                let mut d_advantages = dy.to_vec();
                let mut d_values = vec![R::ZERO; dy.len() / sizes.0];
                reference::dueling_backward(*sizes, dy, (&mut d_values, &mut d_advantages));
                let (of_value, dx_value) = stream_backward(value, d_values);
                let (of_advantage, dx_advantage) = stream_backward(advantage, d_advantages);
                let dx = (dx_value.iter().zip(&dx_advantage).zip(x))
                    .map(|((a, &b), &x)| reference::differentiate(before, x, a.plus(b)))
                    .collect();
                ([of_value, of_advantage].concat(), dx)
            }
            Layer::Embedding { shape, cosines, phi, x, .. } => {
                let mut dw = vec![R::ZERO; shape.inputs * shape.outputs];
                let (mut db, mut dx) = (vec![R::ZERO; shape.outputs], x.clone());
                let gradients = ((&mut dw[..], &mut db[..]), &mut dx[..]);
                reference::fraction_embedding_backward(*shape, (cosines, phi), ((x, before), dy), gradients);
                ([dw, db].concat(), dx)
            }
        }
    }
}

/// The gradients of a stream's parameters, and of its inputs.
fn stream_backward<R: Real>(parts: &[Affine<R>], mut dy: Vec<R>) -> (Vec<R>, Vec<R>) {
    let mut gradients = Vec::new();
    for (index, part) in parts.iter().enumerate().rev() {
        let before = if index == 0 { Activation::Identity } else { parts[index - 1].activation };
        let (of_part, dx) = part.backward(&dy, before);
        gradients.push(of_part);
        dy = dx;
    }
    (gradients.into_iter().rev().flatten().collect(), dy)
}
