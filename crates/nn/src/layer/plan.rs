//! What every kind of layer does for the network.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use super::conv2d::Conv2d;
use super::dense::Dense;
use crate::kernel::Engine;
use crate::{Activation, LayerSpec, SpecError};

/// One layer of a network, with its sizes worked out. It holds no parameters: it is handed its part of the one buffer.
pub(crate) trait Layer: Debug + Send + Sync {
    /// `[n]` or `[height, width, channels]`.
    fn output_shape(&self) -> &[usize];

    /// The activation already applied to the outputs, which the layer after this one differentiates on the way back.
    fn activation(&self) -> Activation;

    /// Its named parameters in the order in which they lie in the buffer, without gaps.
    fn parameters(&self) -> Vec<LayerParameter>;

    /// Numbers of scratch space for a backward pass. Layers share it: nothing in it outlives the pass.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Computes `outputs` from `inputs`.
    fn forward(&self, pass: ForwardPass<'_>);

    /// Computes `gradients`, and `d_inputs` where it is asked for.
    fn backward(&self, pass: BackwardPass<'_>);
}

/// A named array of a layer.
pub(crate) struct LayerParameter {
    /// `weight` or `bias`.
    pub name: &'static str,
    /// Its shape in this crate's layout.
    pub shape: Vec<usize>,
    /// Which numbers of a unit's activity reach one of its outputs, and how many outputs there are: what the
    /// initialisations need.
    pub fan: Fan,
}

/// Sizes that the initial weights depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fan {
    /// Inputs of each output.
    pub inputs: usize,
    /// Outputs that each input reaches.
    pub outputs: usize,
}

/// What a forward pass reads and writes.
pub(crate) struct ForwardPass<'a> {
    pub engine: Engine,
    pub rows: usize,
    pub parameters: &'a [f32],
    /// `rows × inputs`.
    pub inputs: &'a [f32],
    /// `rows × outputs`, overwritten.
    pub outputs: &'a mut [f32],
}

/// What a backward pass reads and writes.
pub(crate) struct BackwardPass<'a> {
    pub engine: Engine,
    pub rows: usize,
    pub parameters: &'a [f32],
    /// `rows × inputs`, as in the forward pass.
    pub inputs: &'a [f32],
    /// `rows × outputs`: the gradient before this layer's activation.
    pub d_outputs: &'a [f32],
    /// Where the gradient before the previous layer's activation goes, and that activation; `None` for the first layer.
    pub d_inputs: Option<(&'a mut [f32], Activation)>,
    /// As long as `parameters`, overwritten.
    pub gradients: &'a mut [f32],
    /// [`Layer::scratch_len`] numbers or more, with anything in them.
    pub scratch: &'a mut [f32],
}

impl LayerParameter {
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn range_from(&self, start: usize) -> Range<usize> {
        start..start + self.len()
    }
}

/// The layer that `spec` describes, the `index`-th of the network, reading `input_shape`.
pub(crate) fn build(spec: &LayerSpec, index: usize, input_shape: &[usize]) -> Result<Arc<dyn Layer>, SpecError> {
    match spec {
        LayerSpec::Dense { outputs, activation } => {
            Ok(Arc::new(Dense::new(index, input_shape, *outputs, *activation)?))
        }
        LayerSpec::Conv2d { .. } => Ok(Arc::new(Conv2d::new(spec, index, input_shape)?)),
    }
}
