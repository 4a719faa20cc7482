//! The fully connected layer with noisy weights.

use super::affine::Affine;
use super::plan::{BackwardPass, ForwardPass, Layer, LayerParameter, Needs};
use crate::{Activation, LayerSpec, SpecError};

/// See [`LayerSpec::NoisyDense`].
#[derive(Debug)]
pub(super) struct NoisyDense {
    affine: Affine,
    output_shape: [usize; 1],
    activation: Activation,
}

impl NoisyDense {
    pub fn new(spec: &LayerSpec, index: usize, input_shape: &[usize]) -> Result<NoisyDense, SpecError> {
        let &LayerSpec::NoisyDense { outputs, activation, sigma } = spec else {
            unreachable!("built from the spec of a noisy layer")
        };
        if outputs == 0 {
            return Err(SpecError::ZeroSize { layer: index, field: "outputs" });
        }
        let affine = Affine::new(index, (input_shape.iter().product(), outputs), Some(sigma))?;
        Ok(NoisyDense { affine, output_shape: [outputs], activation })
    }
}

impl Layer for NoisyDense {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn parameters(&self) -> Vec<LayerParameter> {
        self.affine.parameters("")
    }

    fn needs(&self) -> Needs {
        Needs { noise: self.affine.noise_len(), kept: self.affine.kept_len(), ..Needs::default() }
    }

    fn forward(&self, pass: ForwardPass<'_>) {
        self.affine.forward(pass, self.activation);
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        self.affine.backward(pass);
    }
}
