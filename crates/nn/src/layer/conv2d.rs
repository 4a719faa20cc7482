//! The convolution.

use super::plan::{BackwardPass, Fan, ForwardPass, Layer, LayerParameter, Needs};
use crate::reference::Conv2dShape;
use crate::{Activation, LayerSpec, SpecError};

/// A convolution without padding over images with the channels last. Its weight is `[down, across, inputs, outputs]`, so that the lines of
/// a patch have the same order in the image and in the weight, and neighbouring outputs are adjacent.
#[derive(Debug)]
pub(super) struct Conv2d {
    /// With no rows.
    shape: Conv2dShape,
    output_shape: [usize; 3],
    activation: Activation,
}

impl Conv2d {
    pub fn new(spec: &LayerSpec, index: usize, input_shape: &[usize]) -> Result<Conv2d, SpecError> {
        let &LayerSpec::Conv2d { channels: outputs, kernel: size, stride, activation } = spec else {
            unreachable!("built from the spec of a convolution")
        };
        for (value, field) in [(outputs, "channels"), (size, "kernel"), (stride, "stride")] {
            if value == 0 {
                return Err(SpecError::ZeroSize { layer: index, field });
            }
        }
        let &[height, width, channels] = input_shape else {
            let reason = format!("a convolution reads [height, width, channels], but its input is {input_shape:?}");
            return Err(SpecError::Incompatible { layer: index, reason });
        };
        if size > height.min(width) {
            let reason = format!("kernel {size} is larger than the image of {height} × {width}");
            return Err(SpecError::Incompatible { layer: index, reason });
        }
        let too_large = SpecError::TooLarge { layer: index };
        (size.checked_mul(size))
            .and_then(|n| n.checked_mul(channels)?.checked_mul(outputs))
            .and(height.checked_mul(width).and_then(|n| n.checked_mul(outputs)))
            .ok_or(too_large)?;
        let shape = Conv2dShape { rows: 0, height, width, channels, outputs, size, stride };
        let (down, across) = shape.output_size();
        Ok(Conv2d { shape, output_shape: [down, across, outputs], activation })
    }

    fn shape(&self, rows: usize) -> Conv2dShape {
        Conv2dShape { rows, ..self.shape }
    }

    fn weight_len(&self) -> usize {
        self.shape.patch_len() * self.shape.outputs
    }
}

impl Layer for Conv2d {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn parameters(&self) -> Vec<LayerParameter> {
        let Conv2dShape { size, channels, outputs, .. } = self.shape;
        let fan = Fan { inputs: self.shape.patch_len(), outputs: size * size * outputs };
        vec![LayerParameter::weight(vec![size, size, channels, outputs], fan), LayerParameter::bias(outputs, fan)]
    }

    fn needs(&self) -> Needs {
        Needs { scratch: crate::kernel::conv2d_scratch_len(self.shape), ..Needs::default() }
    }

    fn forward(&self, pass: ForwardPass<'_>) {
        let (w, b) = pass.parameters.split_at(self.weight_len());
        pass.engine.conv2d_forward(self.shape(pass.rows), (w, b), pass.inputs, self.activation, pass.outputs);
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        let shape = self.shape(pass.rows);
        let (dw, db) = pass.gradients.split_at_mut(self.weight_len());
        pass.engine.conv2d_weight_gradient(shape, pass.inputs, pass.d_outputs, (dw, db));
        if let Some((d_inputs, activation)) = pass.d_inputs {
            let given = (&pass.parameters[..self.weight_len()], pass.d_outputs, pass.scratch);
            pass.engine.conv2d_input_gradient(shape, given, (pass.inputs, activation), d_inputs);
        }
    }
}
