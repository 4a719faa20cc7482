//! Networks in `f64`, layer by layer out of [`requel_nn::reference`].

use requel_nn::reference::{self, DenseShape, LayerNormShape};
use requel_nn::{Activation, LayerSpec, NetworkSpec};

/// The layers of a spec. Parameters are one flat array, as in [`requel_nn::Network`].
pub struct TwinNetwork {
    layers: Vec<Layer>,
}

/// What a pass wrote, for the way back.
pub struct Pass {
    tapes: Vec<Tape>,
    pub outputs: Vec<f64>,
}

enum Layer {
    Affine(Affine),
    Normalize { features: usize, activation: Activation, epsilon: f64 },
    Dueling { value: Vec<Affine>, advantage: Vec<Affine>, actions: usize, atoms: usize },
    Embedding { cosines: usize, features: usize },
}

#[derive(Clone, Copy)]
struct Affine {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    noisy: bool,
}

enum Tape {
    Affine(AffineTape),
    Normalize { normal: Vec<f64>, scales: Vec<f64>, y: Vec<f64> },
    Dueling { value: Vec<AffineTape>, advantage: Vec<AffineTape> },
    Embedding { cosines: Vec<f64>, phi: Vec<f64>, x: Vec<f64> },
}

struct AffineTape {
    x: Vec<f64>,
    y: Vec<f64>,
    w: Vec<f64>,
    /// The scaled noise, inputs and outputs.
    noise: Vec<f64>,
}

/// Takes from the front of a slice.
fn take<'a>(rest: &mut &'a [f64], len: usize) -> &'a [f64] {
    let (taken, left) = rest.split_at(len);
    *rest = left;
    taken
}

impl TwinNetwork {
    pub fn new(spec: &NetworkSpec) -> Self {
        let mut width = spec.input_shape.iter().product();
        let mut layers = Vec::new();
        for layer in &spec.layers {
            let affine = |inputs, outputs, activation, noisy| Affine { inputs, outputs, activation, noisy };
            layers.push(match *layer {
                LayerSpec::Dense { outputs, activation } => Layer::Affine(affine(width, outputs, activation, false)),
                LayerSpec::NoisyDense { outputs, activation, .. } => {
                    Layer::Affine(affine(width, outputs, activation, true))
                }
                LayerSpec::LayerNorm { activation, epsilon } => {
                    Layer::Normalize { features: width, activation, epsilon: epsilon.into() }
                }
                LayerSpec::FractionEmbedding { cosines } => Layer::Embedding { cosines, features: width },
                LayerSpec::Dueling { hidden, actions, atoms, activation, sigma } => {
                    let stream = |outputs| match hidden {
                        0 => vec![affine(width, outputs, Activation::Identity, sigma.is_some())],
                        _ => vec![
                            affine(width, hidden, activation, sigma.is_some()),
                            affine(hidden, outputs, Activation::Identity, sigma.is_some()),
                        ],
                    };
                    let (value, advantage) = (stream(atoms), stream(actions * atoms));
                    Layer::Dueling { value, advantage, actions, atoms }
                }
                ref other => unreachable!("the cases have no {other:?}"),
            });
            width = match layers.last().unwrap() {
                Layer::Affine(affine) => affine.outputs,
                Layer::Dueling { actions, atoms, .. } => actions * atoms,
                _ => width,
            };
        }
        TwinNetwork { layers }
    }

    /// The outputs for `rows` inputs `x`, with the standard normals and the fractions of the pass.
    pub fn forward(
        &self,
        mut parameters: &[f64],
        rows: usize,
        x: &[f64],
        (noise, fractions): (&[f64], &[f64]),
    ) -> Pass {
        let (mut noise, mut rows, mut x) = (noise, rows, x.to_vec());
        let mut tapes = Vec::new();
        for layer in &self.layers {
            match layer {
                Layer::Affine(affine) => {
                    let tape = affine.forward(&mut parameters, &mut noise, rows, x);
                    x = tape.y.clone();
                    tapes.push(Tape::Affine(tape));
                }
                Layer::Normalize { features, activation, epsilon } => {
                    let (gain, bias) = (take(&mut parameters, *features), take(&mut parameters, *features));
                    let shape = LayerNormShape { groups: rows, features: *features };
                    let (mut normal, mut scales, mut y) = (x.clone(), vec![0.0; rows], x.clone());
                    reference::layer_norm_forward(
                        shape,
                        (gain, bias, *epsilon),
                        (&x, *activation),
                        (&mut normal, &mut scales),
                        &mut y,
                    );
                    x.clone_from(&y);
                    tapes.push(Tape::Normalize { normal, scales, y });
                }
                Layer::Dueling { value, advantage, actions, atoms } => {
                    let mut stream = |layers: &[Affine]| {
                        let mut tapes: Vec<AffineTape> = Vec::new();
                        for affine in layers {
                            let x = tapes.last().map_or(&x, |tape| &tape.y).clone();
                            tapes.push(affine.forward(&mut parameters, &mut noise, rows, x));
                        }
                        tapes
                    };
                    let (value, advantage) = (stream(value), stream(advantage));
                    let mut q = vec![0.0; rows * actions * atoms];
                    let (v, a) = (&value.last().unwrap().y, &advantage.last().unwrap().y);
                    reference::dueling_forward((*actions, *atoms), v, a, &mut q);
                    tapes.push(Tape::Dueling { value, advantage });
                    x = q;
                }
                Layer::Embedding { cosines, features } => {
                    let shape = DenseShape { rows: fractions.len(), inputs: *cosines, outputs: *features };
                    let parameters = (take(&mut parameters, cosines * features), take(&mut parameters, *features));
                    let mut waves = vec![0.0; fractions.len() * cosines];
                    reference::fraction_cosines(fractions, *cosines, &mut waves);
                    let (mut phi, mut y) = (vec![0.0; shape.rows * features], vec![0.0; shape.rows * features]);
                    reference::fraction_embedding_forward(shape, parameters, (&waves, &x), (&mut phi, &mut y));
                    tapes.push(Tape::Embedding { cosines: waves, phi, x });
                    (x, rows) = (y, fractions.len());
                }
            }
        }
        Pass { tapes, outputs: x }
    }

    /// The gradient of `d · outputs` in the parameters.
    pub fn backward(&self, parameters: &[f64], pass: &Pass, d: &[f64]) -> Vec<f64> {
        // From the end: each layer's gradients come before those of the layers above it.
        let (mut d, mut gradients, mut end) = (d.to_vec(), vec![0.0; parameters.len()], parameters.len());
        let mut put = |part: &[f64]| {
            gradients[end - part.len()..end].copy_from_slice(part);
            end -= part.len();
            end
        };
        for (layer, tape) in self.layers.iter().zip(&pass.tapes).rev() {
            match (layer, tape) {
                (Layer::Affine(affine), Tape::Affine(tape)) => {
                    let (dx, gradient) = affine.backward(tape, &d);
                    put(&gradient);
                    d = dx;
                }
                (Layer::Normalize { features, activation, .. }, Tape::Normalize { normal, scales, y }) => {
                    let dy: Vec<f64> =
                        d.iter().zip(y).map(|(d, y)| reference::differentiate(*activation, *y, *d)).collect();
                    let shape = LayerNormShape { groups: scales.len(), features: *features };
                    let (mut d_gain, mut d_bias) = (vec![0.0; *features], vec![0.0; *features]);
                    reference::layer_norm_parameter_gradient(shape, (&dy, normal), (&mut d_gain, &mut d_bias));
                    let start = put(&[d_gain, d_bias].concat());
                    let gain = &parameters[start..start + features];
                    let identity = (&normal[..], Activation::Identity);
                    reference::layer_norm_input_gradient(shape, (gain, &dy), (normal, scales), identity, &mut d);
                }
                (Layer::Dueling { value, advantage, actions, atoms }, Tape::Dueling { value: v, advantage: a }) => {
                    let rows = d.len() / (actions * atoms);
                    let (mut dv, mut da) = (vec![0.0; rows * atoms], vec![0.0; d.len()]);
                    reference::dueling_backward((*actions, *atoms), &d, (&mut dv, &mut da));
                    let mut stream = |layers: &[Affine], tapes: &[AffineTape], mut d: Vec<f64>| {
                        for (affine, tape) in layers.iter().zip(tapes).rev() {
                            let (dx, gradient) = affine.backward(tape, &d);
                            put(&gradient);
                            d = dx;
                        }
                        d
                    };
                    let from_advantage = stream(advantage, a, da);
                    d = stream(value, v, dv).iter().zip(from_advantage).map(|(v, a)| v + a).collect();
                }
                (Layer::Embedding { cosines: count, features }, Tape::Embedding { cosines, phi, x }) => {
                    let shape = DenseShape { rows: phi.len() / features, inputs: *count, outputs: *features };
                    let (mut dw, mut db, mut dx) = (vec![0.0; count * features], vec![0.0; *features], x.clone());
                    reference::fraction_embedding_backward(
                        shape,
                        (cosines, phi),
                        ((x, Activation::Identity), &d),
                        ((&mut dw, &mut db), &mut dx),
                    );
                    put(&[dw, db].concat());
                    d = dx;
                }
                _ => unreachable!("a tape for each layer"),
            }
        }
        gradients
    }
}

impl Affine {
    fn forward(&self, parameters: &mut &[f64], noise: &mut &[f64], rows: usize, x: Vec<f64>) -> AffineTape {
        let (weights, outputs) = (self.inputs * self.outputs, self.outputs);
        let mut scaled = Vec::new();
        let (mut w, b) = (take(parameters, weights).to_vec(), if self.noisy { vec![0.0; outputs] } else { vec![] });
        let b = if self.noisy {
            let weight_mean = w.clone();
            let weight_sigma = take(parameters, weights);
            let (bias_mean, bias_sigma) = (take(parameters, outputs), take(parameters, outputs));
            scaled = vec![0.0; self.inputs + outputs];
            reference::scaled_noise(take(noise, scaled.len()), &mut scaled);
            let drawn = reference::NoisyParameters { weight_mean: &weight_mean, weight_sigma, bias_mean, bias_sigma };
            let mut b = b;
            reference::draw_noisy(drawn, scaled.split_at(self.inputs), (&mut w, &mut b));
            b
        } else {
            take(parameters, outputs).to_vec()
        };
        let mut y = vec![0.0; rows * outputs];
        let shape = DenseShape { rows, inputs: self.inputs, outputs };
        reference::dense_forward(shape, (&w, &b), &x, self.activation, &mut y);
        AffineTape { x, y, w, noise: scaled }
    }

    /// The gradients of the inputs and of the parameters.
    fn backward(&self, tape: &AffineTape, d: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let dy: Vec<f64> =
            d.iter().zip(&tape.y).map(|(d, y)| reference::differentiate(self.activation, *y, *d)).collect();
        let shape = DenseShape { rows: d.len() / self.outputs, inputs: self.inputs, outputs: self.outputs };
        let (mut dw, mut db) = (tape.w.clone(), vec![0.0; self.outputs]);
        reference::dense_weight_gradient(shape, &tape.x, &dy, (&mut dw, &mut db));
        let mut dx = tape.x.clone();
        reference::dense_input_gradient(shape, &tape.w, &dy, (&tape.x, Activation::Identity), &mut dx);
        if !self.noisy {
            return (dx, [dw, db].concat());
        }
        let (mut dw_sigma, mut db_sigma) = (dw.clone(), db.clone());
        let noise = tape.noise.split_at(self.inputs);
        reference::noisy_gradient((&dw, &db), noise, (&mut dw_sigma, &mut db_sigma));
        (dx, [dw, dw_sigma, db, db_sigma].concat())
    }
}
