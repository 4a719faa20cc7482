//! The network of a config, laid out layer by layer.

use requel_envs::{DType, Space};
use requel_nn::{Activation, Init, LayerSpec, NetworkSpec};

use crate::config::{ActivationKind, InitKind, NetworkConfig, NoisyLayers};

/// What the last layer of a network outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// Actions of the environment.
    pub actions: usize,
    /// Numbers for each of them.
    pub atoms: usize,
    /// Number of cosines for embedding fractions, if the network reads fractions.
    pub cosines: Option<usize>,
}

impl From<usize> for Outputs {
    /// One number for each action.
    fn from(actions: usize) -> Self {
        Outputs { actions, atoms: 1, cosines: None }
    }
}

impl NetworkConfig {
    /// The network for observations in a space. Pixels are scaled from 0 … 255 to 0 … 1.
    pub fn spec(&self, observations: &Space, outputs: Outputs) -> NetworkSpec {
        let activation = match self.activation {
            ActivationKind::Relu => Activation::Relu,
            ActivationKind::Tanh => Activation::Tanh,
        };
        let sigma = self.noisy.then_some(self.noisy_sigma as f32);
        let dense = |outputs: usize, activation: Activation, sigma: Option<f32>| match sigma {
            None => LayerSpec::Dense { outputs, activation },
            Some(sigma) => LayerSpec::NoisyDense { outputs, activation, sigma },
        };
        let hidden_sigma = sigma.filter(|_| self.noisy_layers == NoisyLayers::All);
        let mut layers = Vec::new();
        let hidden = |layers: &mut Vec<LayerSpec>, layer: &dyn Fn(Activation) -> LayerSpec| {
            if self.layer_norm {
                layers.extend([layer(Activation::Identity), LayerSpec::LayerNorm { activation, epsilon: 1e-5 }]);
            } else {
                layers.push(layer(activation));
            }
        };
        for &[channels, kernel, stride] in &self.conv {
            hidden(&mut layers, &|activation| LayerSpec::Conv2d { channels, kernel, stride, activation });
        }
        // The last hidden layer comes after the embedding of fractions, and is part of each stream in a dueling network.
        let (last, trunk) = match self.hidden.split_last() {
            // Without a convolution, the only features in which fractions can be embedded are those of the single hidden layer.
            Some((_, [])) if self.conv.is_empty() && outputs.cosines.is_some() => (None, &self.hidden[..]),
            Some((last, trunk)) => (Some(*last), trunk),
            None => (None, &[][..]),
        };
        for &units in trunk {
            hidden(&mut layers, &|activation| dense(units, activation, hidden_sigma));
        }
        layers.extend(outputs.cosines.map(|cosines| LayerSpec::FractionEmbedding { cosines }));
        let Outputs { actions, atoms, .. } = outputs;
        if self.dueling {
            layers.push(LayerSpec::Dueling { hidden: last.unwrap_or(0), actions, atoms, activation, sigma });
        } else {
            if let Some(units) = last {
                hidden(&mut layers, &|activation| dense(units, activation, hidden_sigma));
            }
            layers.push(dense(actions * atoms, Activation::Identity, sigma));
        }
        let (input_shape, input_scale) = match observations {
            // Without convolutions an image is read as one flat vector.
            Space::Box { shape, dtype, .. } => {
                let shape = match shape[..] {
                    _ if self.conv.is_empty() => vec![observations.len()],
                    [height, width] => vec![height, width, 1],
                    _ => shape.clone(),
                };
                (shape, if *dtype == DType::U8 { 1.0 / 255.0 } else { 1.0 })
            }
            Space::Discrete { .. } | Space::MultiDiscrete { .. } => (vec![observations.len()], 1.0),
        };
        NetworkSpec { input_shape, input_scale, layers }
    }

    /// The initialisation in the network crate's form.
    pub fn init_spec(&self) -> Init {
        match self.init {
            InitKind::PytorchLinear => Init::PytorchLinear,
            InitKind::Orthogonal => Init::Orthogonal { gain: std::f32::consts::SQRT_2 },
            InitKind::GlorotUniform => Init::GlorotUniform,
        }
    }
}

#[cfg(test)]
mod tests {
    use requel_nn::Network;

    use super::*;

    #[test]
    fn noise_is_in_the_layers_that_are_asked_for() {
        let noisy = |layers, dueling, conv: &[[usize; 3]]| {
            let config =
                NetworkConfig { noisy: true, noisy_layers: layers, dueling, conv: conv.to_vec(), ..Default::default() };
            let image =
                Space::Box { low: vec![0.0; 100], high: vec![1.0; 100], shape: vec![10, 10], dtype: DType::F32 };
            let is_noisy = |layer: &LayerSpec| match layer {
                LayerSpec::NoisyDense { .. } => true,
                LayerSpec::Dueling { sigma, .. } => sigma.is_some(),
                _ => false,
            };
            config.spec(&image, 2.into()).layers.iter().map(is_noisy).collect::<Vec<_>>()
        };
        assert_eq!(noisy(NoisyLayers::All, false, &[]), [true, true, true]);
        assert_eq!(noisy(NoisyLayers::Head, false, &[]), [false, false, true]);
        assert_eq!(noisy(NoisyLayers::Head, true, &[]), [false, true]);
        assert_eq!(noisy(NoisyLayers::Head, false, &[[8, 3, 1]]), [false, false, false, true]);
    }

    #[test]
    fn networks_fit_their_observations() {
        let image = |shape: &[usize], dtype| {
            let len = shape.iter().product();
            Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape: shape.to_vec(), dtype }
        };
        let network = |conv: &[[usize; 3]]| NetworkConfig { conv: conv.to_vec(), ..NetworkConfig::default() };
        // Observation, convolutions, input shape, input scale, parameters of the first layer.
        let pixels = image(&[10, 10, 4], DType::U8);
        let table = [
            (pixels.clone(), &[][..], vec![400], 1.0 / 255.0, 400 * 64 + 64),
            (pixels, &[[16, 3, 1]][..], vec![10, 10, 4], 1.0 / 255.0, 3 * 3 * 4 * 16 + 16),
            (image(&[10, 5], DType::F32), &[[8, 3, 1]][..], vec![10, 5, 1], 1.0, 3 * 3 * 8 + 8),
            (Space::Discrete { n: 3 }, &[][..], vec![1], 1.0, 64 + 64),
        ];
        for (space, conv, shape, scale, parameters) in table {
            let spec = network(conv).spec(&space, 2.into());
            assert_eq!((&spec.input_shape, spec.input_scale), (&shape, scale));
            let network = Network::new(&spec).unwrap();
            let first = network.slices().iter().take(2).map(|slice| slice.range.len()).sum::<usize>();
            assert_eq!((first, network.output_len()), (parameters, 2));
        }
    }
}
