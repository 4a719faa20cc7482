//! [`NetworkSpec`]: what a network looks like, as plain data.

use std::error::Error;
use std::fmt;

/// A network as a list of layers, from the observation to the outputs.
///
/// ```
/// use requel_nn::{Activation, Network, NetworkSpec};
///
/// let spec = NetworkSpec::mlp(4, &[64, 64], 2, Activation::Relu);
/// assert_eq!(Network::new(&spec)?.parameter_count(), 4 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2);
/// # Ok::<(), requel_nn::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct NetworkSpec {
    /// `[n]` for a vector, `[height, width, channels]` for an image (channels last).
    pub input_shape: Vec<usize>,
    /// The factor applied to every input: 1, or 1/255 for pixels.
    #[cfg_attr(feature = "serde", serde(default = "left_out::scale"))]
    pub input_scale: f32,
    /// The layers in order; at least one.
    pub layers: Vec<LayerSpec>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields))]
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
    /// `activation(gain · (x − mean) / √(variance + epsilon) + bias)`, over the last axis: all of a vector, the channels
    /// of each pixel of an image (Ba, Kiros and Hinton 2016). The variance is divided by the count; the gain starts as 1,
    /// the bias as 0. `torch.nn.LayerNorm` of that one axis.
    LayerNorm {
        /// Applied to each output.
        activation: Activation,
        /// Added to the variance, against division by zero.
        #[cfg_attr(feature = "serde", serde(default = "left_out::epsilon"))]
        epsilon: f32,
    },
    /// A dense layer whose weights are `μ + σ·ε`, with the factorised Gaussian noise of Fortunato et al. (2018, equations
    /// 10 and 11): `ε_w = f(ε_in) f(ε_out)ᵀ`, `ε_b = f(ε_out)`, `f(x) = sign(x)·√|x|`. The standard normals ε are given in
    /// [`crate::Workspace::noise_mut`]; without them it is the dense layer of the means.
    NoisyDense {
        /// Number of outputs.
        outputs: usize,
        /// Applied to each output.
        activation: Activation,
        /// σ₀: every σ starts as σ₀/√inputs; the means start uniform in ±1/√inputs whatever the [`crate::Init`].
        #[cfg_attr(feature = "serde", serde(default = "left_out::sigma"))]
        sigma: f32,
    },
    /// Two streams that read the same input, a value V and an advantage A, combined as `V + A − mean of A over the actions` (Wang et al.
    /// 2016), separately for each atom of a distribution (Hessel et al. 2018). Gives `actions × atoms` numbers, action by action.
    ///
    /// The paper also multiplies the gradient that enters the layers below by 1/√2; this is omitted.
    Dueling {
        /// Units of the single hidden layer of each stream; 0 for none, so that both read the input directly.
        hidden: usize,
        /// Numbers of actions.
        actions: usize,
        /// Numbers for each action: 1 for a value.
        #[cfg_attr(feature = "serde", serde(default = "left_out::atoms"))]
        atoms: usize,
        /// Applied to the hidden layers.
        activation: Activation,
        /// If given, every dense part is noisy with this σ₀, each with its own noise; see [`LayerSpec::NoisyDense`].
        #[cfg_attr(feature = "serde", serde(default))]
        sigma: Option<f32>,
    },
    /// Multiplies the features below, x, by an embedding of fractions τ of a distribution: `x_j · ReLU(Σ_{i<cosines}
    /// cos(π·i·τ)·w_ij + b_j)` (Dabney et al. 2018, "Implicit Quantile Networks", equation 4). Every row becomes one row
    /// for each of its fractions, which are given in [`crate::Workspace::fractions_mut`]: all of row 0 first. At most one
    /// layer of a network.
    FractionEmbedding {
        /// Number of cosines; 64 in the paper.
        #[cfg_attr(feature = "serde", serde(default = "left_out::cosines"))]
        cosines: usize,
    },
}

/// The function applied to each output of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Activation {
    /// `x`.
    #[default]
    Identity,
    /// `max(x, 0)`. NaN stays NaN, so that a diverged network cannot look healthy; the derivative at 0 is 0.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

/// Why a [`NetworkSpec`] is invalid.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SpecError {
    /// `input_shape` is empty or has a zero, or is neither a vector nor an image.
    InputShape {
        /// The value that was given.
        shape: Vec<usize>,
    },
    /// `input_scale` is zero, infinite or NaN.
    InputScale {
        /// The value that was given.
        scale: f32,
    },
    /// There is no layer.
    NoLayers,
    /// A size in a layer is zero.
    ZeroSize {
        /// Index of the layer.
        layer: usize,
        /// The field's name.
        field: &'static str,
    },
    /// A number in a layer is out of its range.
    OutOfRange {
        /// Index of the layer.
        layer: usize,
        /// The field's name.
        field: &'static str,
        /// Its value.
        value: f32,
        /// The valid values.
        expected: &'static str,
    },
    /// The layer cannot read the outputs of the previous layer.
    Incompatible {
        /// Index of the layer.
        layer: usize,
        /// What does not fit, and what would.
        reason: String,
    },
    /// The number of parameters or activations overflows a `usize`.
    TooLarge {
        /// Index of the layer.
        layer: usize,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpecError::InputShape { shape } => {
                write!(f, "input_shape {shape:?}: expected [n] or [height, width, channels], each at least 1")
            }
            SpecError::InputScale { scale } => {
                write!(f, "input_scale {scale}: expected a finite number other than 0, such as 1 or 1/255")
            }
            SpecError::NoLayers => f.write_str("layers is empty: a network needs at least its output layer"),
            SpecError::ZeroSize { layer, field } => write!(f, "layers.{layer}: {field} is 0, expected at least 1"),
            SpecError::OutOfRange { layer, field, value, expected } => {
                write!(f, "layers.{layer}: {field} is {value}, expected {expected}")
            }
            SpecError::Incompatible { layer, reason } => write!(f, "layers.{layer}: {reason}"),
            SpecError::TooLarge { layer } => {
                write!(f, "layers.{layer}: the sizes overflow the address space, use smaller ones")
            }
        }
    }
}

impl Error for SpecError {}

impl LayerSpec {
    /// [`LayerSpec::LayerNorm`]'s default epsilon.
    pub const DEFAULT_EPSILON: f32 = 1e-5;
    /// [`LayerSpec::NoisyDense`]'s default σ₀: that of the paper.
    pub const DEFAULT_SIGMA: f32 = 0.5;
    /// [`LayerSpec::FractionEmbedding`]'s default number of cosines: as in the paper.
    pub const DEFAULT_COSINES: usize = 64;
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

/// Defaults for serde.
#[cfg(feature = "serde")]
mod left_out {
    use super::LayerSpec;

    pub fn scale() -> f32 {
        1.0
    }

    pub fn atoms() -> usize {
        1
    }

    pub fn epsilon() -> f32 {
        LayerSpec::DEFAULT_EPSILON
    }

    pub fn sigma() -> f32 {
        LayerSpec::DEFAULT_SIGMA
    }

    pub fn cosines() -> usize {
        LayerSpec::DEFAULT_COSINES
    }
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

    #[test]
    fn the_constants_of_the_papers_need_not_be_given() {
        let layers = r#"[
            {"kind": "layer_norm", "activation": "relu"},
            {"kind": "fraction_embedding"},
            {"kind": "noisy_dense", "outputs": 8, "activation": "relu"},
            {"kind": "dueling", "hidden": 8, "actions": 2, "activation": "relu"}
        ]"#;
        let activation = Activation::Relu;
        assert_eq!(
            serde_json::from_str::<Vec<LayerSpec>>(layers).unwrap(),
            [
                LayerSpec::LayerNorm { activation, epsilon: 1e-5 },
                LayerSpec::FractionEmbedding { cosines: 64 },
                LayerSpec::NoisyDense { outputs: 8, activation, sigma: 0.5 },
                LayerSpec::Dueling { hidden: 8, actions: 2, atoms: 1, activation, sigma: None },
            ]
        );
    }
}
