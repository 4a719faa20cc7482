//! The fully connected layer.

use super::plan::{BackwardPass, Fan, ForwardPass, Layer, LayerParameter};
use crate::reference::DenseShape;
use crate::{Activation, SpecError};

/// `activation(x · W + b)`, with W as `[inputs, outputs]`: one input's weights lie side by side, so that a vector unit
/// computes neighbouring outputs together. PyTorch keeps the transpose; see [`crate::pytorch`].
#[derive(Debug)]
pub(super) struct Dense {
    inputs: usize,
    output_shape: [usize; 1],
    activation: Activation,
}

impl Dense {
    pub fn new(
        index: usize,
        input_shape: &[usize],
        outputs: usize,
        activation: Activation,
    ) -> Result<Dense, SpecError> {
        if outputs == 0 {
            return Err(SpecError::ZeroSize { layer: index, field: "outputs" });
        }
        let inputs = input_shape.iter().product();
        outputs.checked_mul(inputs).ok_or(SpecError::TooLarge { layer: index })?;
        Ok(Dense { inputs, output_shape: [outputs], activation })
    }

    fn shape(&self, rows: usize) -> DenseShape {
        DenseShape { rows, inputs: self.inputs, outputs: self.output_shape[0] }
    }

    fn weight_len(&self) -> usize {
        self.inputs * self.output_shape[0]
    }
}

impl Layer for Dense {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn parameters(&self) -> Vec<LayerParameter> {
        let [outputs] = self.output_shape;
        let fan = Fan { inputs: self.inputs, outputs };
        vec![LayerParameter::weight(vec![self.inputs, outputs], fan), LayerParameter::bias(outputs, fan)]
    }

    fn forward(&self, pass: ForwardPass<'_>) {
        let (w, b) = pass.parameters.split_at(self.weight_len());
        pass.engine.dense_forward(self.shape(pass.rows), (w, b), pass.inputs, self.activation, pass.outputs);
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        let shape = self.shape(pass.rows);
        let (dw, db) = pass.gradients.split_at_mut(self.weight_len());
        pass.engine.dense_weight_gradient(shape, pass.inputs, pass.d_outputs, (dw, db));
        if let Some((d_inputs, activation)) = pass.d_inputs {
            let w = &pass.parameters[..self.weight_len()];
            pass.engine.dense_input_gradient(shape, w, pass.d_outputs, (pass.inputs, activation), d_inputs);
        }
    }
}
