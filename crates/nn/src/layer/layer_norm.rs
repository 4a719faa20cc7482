//! Layer normalisation.

use super::plan::{BackwardPass, Fan, ForwardPass, Layer, LayerParameter, Needs, Start, at_least_zero};
use crate::reference::LayerNormShape;
use crate::{Activation, SpecError};

/// See [`crate::LayerSpec::LayerNorm`]. It keeps the normalised inputs, and after them 1/√(variance + ε) of each group.
#[derive(Debug)]
pub(super) struct LayerNorm {
    output_shape: Vec<usize>,
    /// Numbers that are normalised together: the last axis.
    features: usize,
    /// Groups of `features` in a row.
    groups: usize,
    activation: Activation,
    epsilon: f32,
}

impl LayerNorm {
    pub fn new(
        index: usize,
        input_shape: &[usize],
        activation: Activation,
        epsilon: f32,
    ) -> Result<LayerNorm, SpecError> {
        let (&features, outer) = input_shape.split_last().ok_or(SpecError::InputShape { shape: Vec::new() })?;
        let epsilon = at_least_zero(index, "epsilon", epsilon)?;
        Ok(LayerNorm {
            output_shape: input_shape.to_vec(),
            features,
            groups: outer.iter().product(),
            activation,
            epsilon,
        })
    }

    fn width(&self) -> usize {
        self.features * self.groups
    }

    fn shape(&self, rows: usize) -> LayerNormShape {
        LayerNormShape { groups: rows * self.groups, features: self.features }
    }
}

impl Layer for LayerNorm {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn parameters(&self) -> Vec<LayerParameter> {
        let parameter = |name: &str, start| LayerParameter {
            name: name.into(),
            shape: vec![self.features],
            fan: Fan { inputs: self.features, outputs: self.features },
            start: Start::Constant(start),
        };
        vec![parameter("weight", 1.0), parameter("bias", 0.0)]
    }

    fn needs(&self) -> Needs {
        Needs { kept_per_row: self.width() + self.groups, ..Needs::default() }
    }

    fn forward(&self, pass: ForwardPass<'_>) {
        let (gain, bias) = pass.parameters.split_at(self.features);
        let kept = pass.kept.split_at_mut(pass.rows * self.width());
        let (shape, inputs) = (self.shape(pass.rows), (pass.inputs, self.activation));
        pass.engine.kernel.layer_norm_forward(shape, (gain, bias, self.epsilon), inputs, kept, pass.outputs);
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        let (gain, _) = pass.parameters.split_at(self.features);
        let (normal, scales) = pass.kept.split_at(pass.kept_rows * self.width());
        let shape = self.shape(pass.rows);
        let (normal, scales) = (&normal[..pass.rows * self.width()], &scales[..shape.groups]);
        let gradients = pass.gradients.split_at_mut(self.features);
        pass.engine.kernel.layer_norm_parameter_gradient(shape, (pass.d_outputs, normal), gradients);
        if let Some((d_inputs, activation)) = pass.d_inputs {
            let inputs = (pass.inputs, activation);
            pass.engine.kernel.layer_norm_input_gradient(
                shape,
                (gain, pass.d_outputs),
                (normal, scales),
                inputs,
                d_inputs,
            );
        }
    }
}
