//! The fully connected layer.

use super::chosen;
use super::plan::{BackwardPass, ChosenRows, Fan, ForwardPass, Layer, LayerParameter, Needs};
use crate::kernel::Engine;
use crate::reference::DenseShape;
use crate::{Activation, SpecError};

/// `activation(x · W + b)`, with W as `[inputs, outputs]`: one input's weights are adjacent, so that a vector unit computes neighbouring
/// outputs together. PyTorch stores the transpose; see [`crate::pytorch`].
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

    /// What is read of the outputs, where that saves enough.
    fn worth_choosing<'a>(&self, engine: Engine, chosen: Option<&'a ChosenRows<'a>>) -> Option<&'a ChosenRows<'a>> {
        let worth = |len: usize| chosen::is_worth_it(engine.kernel, len, self.output_shape[0]);
        chosen.filter(|rows| worth(rows.chosen.block_len) && self.activation == Activation::Identity)
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

    fn needs_of_the_last(&self) -> Needs {
        Needs {
            kept_per_row: chosen::kept_per_row(self.inputs),
            scratch_per_row: chosen::scratch_per_row(self.inputs, self.output_shape[0]),
            ..self.needs()
        }
    }

    fn forward(&self, mut pass: ForwardPass<'_>) {
        let sizes @ (inputs, outputs) = (self.inputs, self.output_shape[0]);
        let mut done = 0;
        if let Some(chosen) = self.worth_choosing(pass.engine, pass.chosen) {
            chosen::forward(&mut pass, chosen, sizes);
            done = chosen.order.len();
        }
        let (w, b) = pass.parameters.split_at(self.weight_len());
        let (x, y) = (&pass.inputs[done * inputs..], &mut pass.outputs[done * outputs..]);
        pass.engine.dense_forward(self.shape(pass.rows - done), (w, b), x, self.activation, y);
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        if let Some(chosen) = self.worth_choosing(pass.engine, pass.chosen)
            && chosen.order.len() == pass.rows
        {
            return chosen::backward(pass, chosen, (self.inputs, self.output_shape[0]));
        }
        let shape = self.shape(pass.rows);
        let (dw, db) = pass.gradients.split_at_mut(self.weight_len());
        pass.engine.dense_weight_gradient(shape, pass.inputs, pass.d_outputs, (dw, db));
        if let Some((d_inputs, activation)) = pass.d_inputs {
            let w = &pass.parameters[..self.weight_len()];
            pass.engine.dense_input_gradient(shape, w, pass.d_outputs, (pass.inputs, activation), d_inputs);
        }
    }
}
