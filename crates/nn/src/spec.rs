//! [`NetworkSpec`]: what a network looks like, as plain data.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A network as a list of layers, from the observation to the outputs.
///
/// ```
/// use requel_nn::{Activation, Network, NetworkSpec};
///
/// let spec = NetworkSpec::mlp(4, &[64, 64], 2, Activation::Relu);
/// assert_eq!(Network::new(&spec)?.parameter_count(), 4 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2);
/// # Ok::<(), requel_nn::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// `[n]` for a vector, `[height, width, channels]` for an image (channels last).
    pub input_shape: Vec<usize>,
    /// What every input is multiplied by on the way in: 1, or 1/255 for pixels.
    #[serde(default = "one")]
    pub input_scale: f32,
    /// The layers in order; at least one.
    pub layers: Vec<LayerSpec>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LayerSpec {
    /// `activation(x · W + b)`; an image before it is read as one flat vector.
    Dense {
        /// Number of outputs.
        outputs: usize,
        /// Applied to each output.
        activation: Activation,
    },
    /// A convolution without padding, over an image with the channels last. Each side of the output image is
    /// `(side − kernel) / stride + 1`, rounded down.
    Conv2d {
        /// Numbers of an output pixel.
        channels: usize,
        /// Height and width of a patch, in pixels.
        kernel: usize,
        /// Pixels from a patch to the next, both ways.
        stride: usize,
        /// Applied to each output.
        activation: Activation,
    },
}

/// What is applied to each output of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x`.
    #[default]
    Identity,
    /// `max(x, 0)`. A NaN stays a NaN, so that a diverged network cannot look healthy; the derivative at 0 is 0.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

/// Why a [`NetworkSpec`] is not a network.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SpecError {
    /// `input_shape` is empty or has a zero, or is neither a vector nor an image.
    #[error("input_shape {shape:?}: expected [n] or [height, width, channels], each at least 1")]
    InputShape {
        /// What was given.
        shape: Vec<usize>,
    },
    /// `input_scale` is zero, infinite or NaN.
    #[error("input_scale {scale}: expected a finite number other than 0, such as 1 or 1/255")]
    InputScale {
        /// What was given.
        scale: f32,
    },
    /// There is no layer.
    #[error("layers is empty: a network needs at least its output layer")]
    NoLayers,
    /// A size in a layer is zero.
    #[error("layers.{layer}: {field} is 0, expected at least 1")]
    ZeroSize {
        /// Index of the layer.
        layer: usize,
        /// The field's name.
        field: &'static str,
    },
    /// The layer cannot read what the layer before it gives.
    #[error("layers.{layer}: {reason}")]
    Incompatible {
        /// Index of the layer.
        layer: usize,
        /// What does not fit, and what would.
        reason: String,
    },
    /// The parameters or activations cannot be counted in a `usize`.
    #[error("layers.{layer}: the sizes overflow the address space, use smaller ones")]
    TooLarge {
        /// Index of the layer.
        layer: usize,
    },
}

impl NetworkSpec {
    /// A multilayer perceptron: `activation` after each hidden layer, none after the last.
    pub fn mlp(inputs: usize, hidden: &[usize], outputs: usize, activation: Activation) -> NetworkSpec {
        let mut layers: Vec<LayerSpec> =
            hidden.iter().map(|&outputs| LayerSpec::Dense { outputs, activation }).collect();
        layers.push(LayerSpec::Dense { outputs, activation: Activation::Identity });
        NetworkSpec { input_shape: vec![inputs], input_scale: 1.0, layers }
    }
}

fn one() -> f32 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_survives_json() {
        let spec = NetworkSpec::mlp(4, &[64, 64], 2, Activation::Relu);
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<NetworkSpec>(&text).unwrap(), spec);
        let short = r#"{"input_shape":[4],"layers":[{"kind":"dense","outputs":2,"activation":"tanh"}]}"#;
        let short: NetworkSpec = serde_json::from_str(short).unwrap();
        assert_eq!(
            short,
            NetworkSpec {
                input_shape: vec![4],
                input_scale: 1.0,
                layers: vec![LayerSpec::Dense { outputs: 2, activation: Activation::Tanh }],
            }
        );
        assert!(serde_json::from_str::<NetworkSpec>(r#"{"input_shape":[4],"layer":[]}"#).is_err());
    }
}
