//! The forward pass, from observations to outputs.

use requel_nn::Activation;

use super::pass::{Drawn, Kept, KeptStream, Noise, Pass};
use super::plan::{Affine, Kind, Plan, Stream};
use crate::driver::{Conv2d, Numbers, Program, Shape};

impl Plan {
    /// Appends a forward pass with these parameters, from observations on the host to outputs there.
    pub fn forward(&self, parameters: Numbers, pass: &Pass, program: &mut Program) {
        pass.upload(self, program);
        for (index, layer) in self.layers.iter().enumerate() {
            let (x, y) = (pass.values[index], pass.values[index + 1]);
            let to = (y, layer.activation);
            let (before, after) = (self.rows(index, pass.size), self.rows(index + 1, pass.size));
            let by = By { parameters, noise: pass.noise };
            match (&layer.kind, &pass.kept[index]) {
                (Kind::Affine(affine), kept) => {
                    let drawn = if let Kept::Affine(drawn) = kept { Some(*drawn) } else { None };
                    by.affine(affine, drawn, (x, after), to, program);
                }
                (Kind::Conv2d { shape, weight, bias }, _) => {
                    let shape = Conv2d { images: after, ..*shape };
                    program.conv2d_forward(shape, (weight.of(parameters), bias.of(parameters)), x, to);
                }
                (Kind::LayerNorm { gain, bias, epsilon, .. }, Kept::LayerNorm { normal, scales }) => {
                    let by = (gain.of(parameters), bias.of(parameters), *epsilon);
                    program.layer_norm_forward(by, x, (*normal, *scales), to);
                }
                (Kind::Dueling { actions, atoms, streams }, Kept::Dueling(kept)) => {
                    by.stream(&streams[0], &kept.streams[0], (x, after), kept.values, program);
                    by.stream(&streams[1], &kept.streams[1], (x, after), y, program);
                    program.dueling_forward((*actions, *atoms), kept.values, y);
                }
                (Kind::Embedding { cosines, affine }, Kept::Embedding { cosines: table, phi, .. }) => {
                    let fractions = pass.fractions.expect("a network that reads fractions has them");
                    program.cosines(fractions.cosines.1, *cosines, *table);
                    by.affine(affine, None, (*table, after), (*phi, Activation::Relu), program);
                    program.embedding_forward((before, layer.outputs), (x, *phi), y);
                }
                _ => unreachable!("a layer keeps what its kind keeps"),
            }
        }
        program.download(pass.values[self.layers.len()], pass.outputs);
    }
}

/// The inputs of layers.
struct By {
    parameters: Numbers,
    noise: Option<Noise>,
}

impl By {
    fn affine(
        &self,
        affine: &Affine,
        drawn: Option<Drawn>,
        (x, rows): (Numbers, usize),
        to: (Numbers, Activation),
        program: &mut Program,
    ) {
        let Affine { inputs, outputs, weight, bias, .. } = *affine;
        let mut by = (weight.of(self.parameters), bias.of(self.parameters));
        if let (Some(noisy), Some(noise), Some(Drawn { w, b })) = (affine.noisy, self.noise, drawn) {
            let sigma = (noisy.weight_sigma.of(self.parameters), noisy.bias_sigma.of(self.parameters));
            let noise = (noisy.noise.of(noise.scaled.1), noise.is_drawn.1.part(noisy.index..noisy.index + 1));
            program.draw_noisy((inputs, outputs), [by.0, sigma.0, by.1, sigma.1], noise, (w, b));
            by = (w, b);
        }
        program.dense_forward(Shape { rows, inputs, outputs }, by, x, to);
    }

    fn stream(
        &self,
        stream: &Stream,
        kept: &KeptStream,
        (x, rows): (Numbers, usize),
        y: Numbers,
        program: &mut Program,
    ) {
        let mut input = x;
        if let (Some((hidden, activation)), Some(units)) = (&stream.hidden, kept.units) {
            self.affine(hidden, kept.hidden, (x, rows), (units, *activation), program);
            input = units;
        }
        self.affine(&stream.output, kept.output, (input, rows), (y, Activation::Identity), program);
    }
}
