//! [`Plan`]: the layers of a network with their sizes, and where their parameters and noise lie.

use requel_nn::{Activation, LayerSpec, Network};

use crate::DeviceError;
use crate::driver::{Conv2d, Numbers};

/// The layers of a network.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub layers: Vec<LayerPlan>,
    pub input_len: usize,
    pub input_scale: f32,
    pub parameters: usize,
    /// The number of standard normals of a pass, and of noisy parts that use them.
    pub noise: usize,
    pub noisy_parts: usize,
    /// Index of the layer that reads fractions, with its cosines.
    pub embedding: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct LayerPlan {
    pub kind: Kind,
    /// Numbers in a row of its outputs.
    pub outputs: usize,
    pub activation: Activation,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Affine(Affine),
    Conv2d { shape: Conv2d, weight: Part, bias: Part },
    LayerNorm { features: usize, groups: usize, gain: Part, bias: Part, epsilon: f32 },
    Dueling { actions: usize, atoms: usize, streams: Box<[Stream; 2]> },
    Embedding { cosines: usize, affine: Affine },
}

/// `x · W + b`, plain or with noisy parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    pub inputs: usize,
    pub outputs: usize,
    pub weight: Part,
    pub bias: Part,
    pub noisy: Option<Noisy>,
}

/// What makes parameters noisy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noisy {
    pub weight_sigma: Part,
    pub bias_sigma: Part,
    /// Its part of the noise of a pass: one for each input, then one for each output.
    pub noise: Part,
    /// Its index among the noisy parts.
    pub index: usize,
}

/// One stream of a dueling head: the first gives the value, the second the advantages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub hidden: Option<(Affine, Activation)>,
    pub output: Affine,
}

/// A range within a longer list: its start and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    start: usize,
    len: usize,
}

impl Part {
    /// These numbers of the list.
    pub fn of<T>(self, list: Numbers<T>) -> Numbers<T> {
        list.part(self.start..self.start + self.len)
    }

    /// The same, of a list on the host.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }
}

impl Plan {
    /// The layers of `network`.
    pub fn new(network: &Network) -> Result<Plan, DeviceError> {
        let spec = network.spec();
        let mut walk = Walk { parameters: 0, noise: 0, noisy_parts: 0 };
        let mut shape = spec.input_shape.clone();
        let (mut layers, mut embedding) = (Vec::new(), None);
        for (index, layer) in spec.layers.iter().enumerate() {
            let inputs = shape.iter().product();
            let (kind, outputs, activation) = match *layer {
                LayerSpec::Dense { outputs, activation } => {
                    (Kind::Affine(walk.affine(inputs, outputs, false)), vec![outputs], activation)
                }
                LayerSpec::NoisyDense { outputs, activation, .. } => {
                    (Kind::Affine(walk.affine(inputs, outputs, true)), vec![outputs], activation)
                }
                LayerSpec::Conv2d { channels: outputs, kernel: size, stride, activation } => {
                    let [height, width, channels] = shape[..] else { unreachable!("the network was checked") };
                    let shape = Conv2d { images: 0, height, width, channels, outputs, size, stride };
                    let (down, across) = shape.output_size();
                    let (weight, bias) = (walk.take(shape.patch_len() * outputs), walk.take(outputs));
                    (Kind::Conv2d { shape, weight, bias }, vec![down, across, outputs], activation)
                }
                LayerSpec::LayerNorm { activation, epsilon } => {
                    let features = shape[shape.len() - 1];
                    let (gain, bias) = (walk.take(features), walk.take(features));
                    let groups = inputs / features;
                    (Kind::LayerNorm { features, groups, gain, bias, epsilon }, shape.clone(), activation)
                }
                LayerSpec::Dueling { hidden, actions, atoms, activation, sigma } => {
                    let mut stream = |outputs| {
                        let first = (hidden > 0).then(|| (walk.affine(inputs, hidden, sigma.is_some()), activation));
                        let before = if hidden > 0 { hidden } else { inputs };
                        Stream { hidden: first, output: walk.affine(before, outputs, sigma.is_some()) }
                    };
                    let streams = Box::new([stream(atoms), stream(actions * atoms)]);
                    (Kind::Dueling { actions, atoms, streams }, vec![actions * atoms], Activation::Identity)
                }
                LayerSpec::FractionEmbedding { cosines } => {
                    embedding = Some(index);
                    let affine = walk.affine(cosines, inputs, false);
                    (Kind::Embedding { cosines, affine }, vec![inputs], Activation::Identity)
                }
                _ => return Err(DeviceError::UnknownLayer { layer: index }),
            };
            layers.push(LayerPlan { kind, outputs: outputs.iter().product(), activation });
            shape = outputs;
        }
        assert_eq!(walk.parameters, network.parameter_count(), "the parameters lie as the network has them");
        assert_eq!(walk.noise, network.noise_len(), "the noise lies as the network has it");
        Ok(Plan {
            layers,
            input_len: network.input_len(),
            input_scale: spec.input_scale,
            parameters: walk.parameters,
            noise: walk.noise,
            noisy_parts: walk.noisy_parts,
            embedding,
        })
    }

    /// Numbers in a row of the input (0) and of each layer's outputs.
    pub fn width(&self, region: usize) -> usize {
        if region == 0 { self.input_len } else { self.layers[region - 1].outputs }
    }

    /// The last activation of the layer's input.
    pub fn activation_before(&self, layer: usize) -> Activation {
        if layer == 0 { Activation::Identity } else { self.layers[layer - 1].activation }
    }

    /// The parts of the noise, in order.
    pub fn noise_parts(&self) -> Vec<Part> {
        let mut parts: Vec<(usize, Part)> = Vec::new();
        let mut add = |affine: &Affine| parts.extend(affine.noisy.map(|noisy| (noisy.index, noisy.noise)));
        for layer in &self.layers {
            match &layer.kind {
                Kind::Affine(affine) => add(affine),
                Kind::Dueling { streams, .. } => {
                    for stream in &**streams {
                        stream.hidden.iter().for_each(|(hidden, _)| add(hidden));
                        add(&stream.output);
                    }
                }
                Kind::Conv2d { .. } | Kind::LayerNorm { .. } | Kind::Embedding { .. } => {}
            }
        }
        parts.into_iter().map(|(_, part)| part).collect()
    }
}

/// The positions of the next parameters and noise: in the order of the layers, without gaps.
struct Walk {
    parameters: usize,
    noise: usize,
    noisy_parts: usize,
}

impl Walk {
    fn take(&mut self, len: usize) -> Part {
        let part = Part { start: self.parameters, len };
        self.parameters += len;
        part
    }

    fn affine(&mut self, inputs: usize, outputs: usize, is_noisy: bool) -> Affine {
        let weight = self.take(inputs * outputs);
        if !is_noisy {
            return Affine { inputs, outputs, weight, bias: self.take(outputs), noisy: None };
        }
        let weight_sigma = self.take(inputs * outputs);
        let (bias, bias_sigma) = (self.take(outputs), self.take(outputs));
        let noise = Part { start: self.noise, len: inputs + outputs };
        let index = self.noisy_parts;
        (self.noise, self.noisy_parts) = (self.noise + noise.len, index + 1);
        Affine { inputs, outputs, weight, bias, noisy: Some(Noisy { weight_sigma, bias_sigma, noise, index }) }
    }
}
