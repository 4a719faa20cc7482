//! The backward pass, from gradients of the outputs to those of the parameters.

use requel_nn::Activation;

use super::pass::{Drawn, Kept, KeptStream, Noise, Pass};
use super::plan::{Affine, Kind, Plan, Stream};
use crate::driver::{Conv2d, Numbers, Program, Shape};

impl Plan {
    /// Appends the backward pass with these parameters, from the gradients of the outputs of its first `rows` rows on the host to those of
    /// all parameters.
    pub fn backward(
        &self,
        (parameters, gradients): (Numbers, Numbers),
        pass: &Pass,
        rows: usize,
        program: &mut Program,
    ) {
        let mut size = pass.size;
        size.rows = rows;
        let last = self.layers.len();
        let of = |region: usize, numbers: Numbers| numbers.first(self.rows(region, size) * self.width(region));
        let len = of(last, pass.values[last]).len;
        let (from, to) = (pass.d_outputs.0.first(len), pass.d_outputs.1.first(len));
        program.upload(from, to);
        let mut dy = to;
        let activation = self.layers[last - 1].activation;
        if activation != Activation::Identity {
            dy = of(last, pass.d_values[last - 1]);
            program.differentiate_outputs((of(last, pass.values[last]), activation), to, dy);
        }
        let by = By { parameters, gradients, noise: pass.noise };
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let (before, after) = (self.rows(index, size), self.rows(index + 1, size));
            let x = of(index, pass.values[index]);
            // Where the gradient of the input is written, and the input's activation; for the first layer nowhere.
            let dx = (index > 0).then(|| (of(index, pass.d_values[index - 1]), self.activation_before(index)));
            match (&layer.kind, &pass.kept[index]) {
                (Kind::Affine(affine), kept) => {
                    let drawn = if let Kept::Affine(drawn) = kept { Some(*drawn) } else { None };
                    by.affine(affine, drawn, (x, after), dy, dx, program);
                }
                (Kind::Conv2d { shape, weight, bias }, _) => {
                    let shape = Conv2d { images: after, ..*shape };
                    program.conv2d_weight_gradient(shape, (x, dy), (weight.of(gradients), bias.of(gradients)));
                    if let Some((dx, activation)) = dx {
                        program.conv2d_input_gradient(shape, (weight.of(parameters), dy), (x, activation), dx);
                    }
                }
                (Kind::LayerNorm { groups, gain, bias, .. }, Kept::LayerNorm { normal, scales }) => {
                    let (normal, scales) = (normal.first(dy.len), scales.first(after * groups));
                    program.layer_norm_parameter_gradient((dy, normal), (gain.of(gradients), bias.of(gradients)));
                    if let Some((dx, activation)) = dx {
                        let given = (gain.of(parameters), dy);
                        program.layer_norm_input_gradient(given, (normal, scales), (x, activation), dx);
                    }
                }
                (Kind::Dueling { actions, atoms, streams }, Kept::Dueling(kept)) => {
                    let back = kept.back.expect("a pass that goes back has room for it");
                    let d_values = back.d_values.first(after * atoms);
                    let d_advantages = back.d_advantages.first(dy.len);
                    program.dueling_backward((*actions, *atoms), dy, (d_values, d_advantages));
                    // The contribution of each stream to the gradient of the input; combined before the activation.
                    let first = dx.map(|(dx, _)| (dx, Activation::Identity));
                    let second = dx.map(|(dx, _)| (back.more.first(dx.len), Activation::Identity));
                    by.stream(&streams[0], &kept.streams[0], (x, after), d_values, first, program);
                    by.stream(&streams[1], &kept.streams[1], (x, after), d_advantages, second, program);
                    if let Some((dx, activation)) = dx {
                        program.add_and_differentiate(dx, back.more.first(dx.len), (x, activation));
                    }
                }
                (Kind::Embedding { cosines, affine }, Kept::Embedding { cosines: table, phi, d_phi: Some(d_phi) }) => {
                    let (phi, d_phi) = (phi.first(dy.len), d_phi.first(dy.len));
                    program.embedding_gradient((before, layer.outputs), (x, phi), (dy, d_phi));
                    by.affine(affine, None, (table.first(after * cosines), after), d_phi, None, program);
                    if let Some((dx, activation)) = dx {
                        program.embedding_input_gradient((before, layer.outputs), (phi, dy), (x, activation), dx);
                    }
                }
                _ => unreachable!("a layer that learns keeps what its kind keeps"),
            }
            if let Some((dx, _)) = dx {
                dy = dx;
            }
        }
    }
}

/// The inputs of layers' gradients, and where these are written.
struct By {
    parameters: Numbers,
    gradients: Numbers,
    noise: Option<Noise>,
}

impl By {
    fn affine(
        &self,
        affine: &Affine,
        drawn: Option<Drawn>,
        (x, rows): (Numbers, usize),
        dy: Numbers,
        dx: Option<(Numbers, Activation)>,
        program: &mut Program,
    ) {
        let Affine { inputs, outputs, weight, bias, noisy } = *affine;
        let shape = Shape { rows, inputs, outputs };
        let (dw, db) = (weight.of(self.gradients), bias.of(self.gradients));
        program.dense_weight_gradient(shape, (x, dy), (dw, db));
        if let (Some(noisy), Some(noise)) = (noisy, self.noise) {
            let sigma = (noisy.weight_sigma.of(self.gradients), noisy.bias_sigma.of(self.gradients));
            let noise = (noisy.noise.of(noise.scaled.1), noise.is_drawn.1.part(noisy.index..noisy.index + 1));
            program.noisy_gradient((inputs, outputs), (dw, db), noise, sigma);
        }
        if let Some((dx, activation)) = dx {
            let w = drawn.map_or(weight.of(self.parameters), |drawn| drawn.w);
            program.dense_input_gradient(shape, (w, dy), (x, activation), dx);
        }
    }

    fn stream(
        &self,
        stream: &Stream,
        kept: &KeptStream,
        (x, rows): (Numbers, usize),
        dy: Numbers,
        dx: Option<(Numbers, Activation)>,
        program: &mut Program,
    ) {
        let (Some((hidden, activation)), Some(units), Some(d_units)) = (&stream.hidden, kept.units, kept.d_units)
        else {
            return self.affine(&stream.output, kept.output, (x, rows), dy, dx, program);
        };
        let len = rows * hidden.outputs;
        let (units, d_units) = (units.first(len), d_units.first(len));
        self.affine(&stream.output, kept.output, (units, rows), dy, Some((d_units, *activation)), program);
        self.affine(hidden, kept.hidden, (x, rows), d_units, dx, program);
    }
}
