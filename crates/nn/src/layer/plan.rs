//! The interface of every kind of layer.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use super::conv2d::Conv2d;
use super::dense::Dense;
use super::dueling::Dueling;
use super::fraction_embedding::FractionEmbedding;
use super::layer_norm::LayerNorm;
use super::noisy_dense::NoisyDense;
use crate::kernel::Engine;
use crate::{Activation, LayerSpec, SpecError};

/// One layer of a network, with its sizes. It contains no parameters: it is passed its part of the single buffer.
pub(crate) trait Layer: Debug + Send + Sync {
    /// `[n]` or `[height, width, channels]`.
    fn output_shape(&self) -> &[usize];

    /// The activation already applied to the outputs, which the layer after this one differentiates on the way back.
    fn activation(&self) -> Activation;

    /// Its named parameters in the order of the buffer, without gaps.
    fn parameters(&self) -> Vec<LayerParameter>;

    /// What it needs in a workspace besides its inputs and outputs.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Like [`Layer::needs`], if it is the last layer, for which only some outputs may be read.
    fn needs_of_the_last(&self) -> Needs {
        self.needs()
    }

    /// Computes `outputs` from `inputs`.
    fn forward(&self, pass: ForwardPass<'_>);

    /// Computes `gradients`, and `d_inputs` if requested.
    fn backward(&self, pass: BackwardPass<'_>);
}

/// A named array of a layer.
#[derive(Clone, Debug)]
pub(crate) struct LayerParameter {
    /// `weight` or `bias`, preceded by the part of the layer if it has several.
    pub name: String,
    /// Its shape in this crate's layout.
    pub shape: Vec<usize>,
    /// Fan-in and fan-out, as used by the initialisers.
    pub fan: Fan,
    /// How it is initialised.
    pub start: Start,
}

/// How a parameter is initialised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Start {
    /// Like [`crate::Init`] draws weights.
    Weight,
    /// Like [`crate::Init`] draws biases.
    Bias,
    /// Uniform in ±1/√(inputs of an output), whatever the [`crate::Init`].
    Uniform,
    /// This number, whatever the [`crate::Init`]; nothing is drawn.
    Constant(f32),
}

/// Sizes that the initial weights depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fan {
    /// Inputs of each output.
    pub inputs: usize,
    /// Number of outputs that each input reaches.
    pub outputs: usize,
}

/// Numbers that a layer needs in a workspace. A row is a row of its outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Standard normals that it reads.
    pub noise: usize,
    /// Written by a forward pass and read by the following backward pass: once, and per row.
    pub kept: usize,
    /// See `kept`.
    pub kept_per_row: usize,
    /// Written and read within one pass, forward or backward: once, and per row. Layers share it.
    pub scratch: usize,
    /// See `scratch`.
    pub scratch_per_row: usize,
}

/// The blocks of a network's outputs that will be read, while the others will not: the values of the actions taken.
///
/// It is a promise that allows a layer to skip work, nothing more: the numbers of the blocks that are read do not depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// For each of the first rows, the block that is read. For the rows after these, everything is read.
    pub blocks: &'a [u32],
    /// The size of a block; a row of outputs consists of whole blocks.
    pub block_len: usize,
}

/// [`Chosen`], with the rows in the order of their blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChosenRows<'a> {
    pub chosen: Chosen<'a>,
    /// The rows of block 0, then those of block 1, and so on.
    pub order: &'a [u32],
}

/// What a forward pass reads and writes.
pub(crate) struct ForwardPass<'a> {
    pub engine: Engine,
    /// Of the inputs, and for every layer but the fraction embedding of the outputs.
    pub rows: usize,
    pub parameters: &'a [f32],
    /// [`Needs::noise`] numbers.
    pub noise: &'a [f32],
    /// For the fraction embedding the fractions of each row, for every other layer nothing.
    pub fractions: &'a [f32],
    /// `rows × inputs`.
    pub inputs: &'a [f32],
    /// `rows × outputs`, overwritten.
    pub outputs: &'a mut [f32],
    /// Which outputs will be read; `None` for all, and for every layer except the last.
    pub chosen: Option<&'a ChosenRows<'a>>,
    /// Sized by [`Needs`] for the rows of the outputs: the numbers needed once come first.
    pub kept: &'a mut [f32],
    /// At least the size given by [`Needs`], with arbitrary contents.
    pub scratch: &'a mut [f32],
}

/// What a backward pass reads and writes.
pub(crate) struct BackwardPass<'a> {
    pub engine: Engine,
    /// Of the inputs; perhaps fewer than the forward pass had.
    pub rows: usize,
    pub parameters: &'a [f32],
    /// `rows × inputs`, as in the forward pass.
    pub inputs: &'a [f32],
    /// `rows × outputs`: the gradient before this layer's activation.
    pub d_outputs: &'a [f32],
    /// Which outputs were read, as in the forward pass: elsewhere `d_outputs` is 0.
    pub chosen: Option<&'a ChosenRows<'a>>,
    /// Where the gradient before the previous layer's activation is written, and that activation; `None` for the first layer.
    pub d_inputs: Option<(&'a mut [f32], Activation)>,
    /// As long as `parameters`, overwritten.
    pub gradients: &'a mut [f32],
    /// Rows of the outputs of the forward pass, at least those of `d_outputs`.
    pub kept_rows: usize,
    /// What the forward pass left, for all of its rows.
    pub kept: &'a [f32],
    /// At least the size given by [`Needs`], with arbitrary contents.
    pub scratch: &'a mut [f32],
}

impl LayerParameter {
    /// The weight of a layer, drawn by [`crate::Init`].
    pub fn weight(shape: Vec<usize>, fan: Fan) -> LayerParameter {
        LayerParameter { name: "weight".into(), shape, fan, start: Start::Weight }
    }

    /// The bias of a layer, drawn by [`crate::Init`].
    pub fn bias(outputs: usize, fan: Fan) -> LayerParameter {
        LayerParameter { name: "bias".into(), shape: vec![outputs], fan, start: Start::Bias }
    }

    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn range_from(&self, start: usize) -> Range<usize> {
        start..start + self.len()
    }
}

/// The layer that `spec` describes, the `index`-th of the network, reading `input_shape`.
pub(crate) fn build(spec: &LayerSpec, index: usize, input_shape: &[usize]) -> Result<Arc<dyn Layer>, SpecError> {
    match *spec {
        LayerSpec::Dense { outputs, activation } => Ok(Arc::new(Dense::new(index, input_shape, outputs, activation)?)),
        LayerSpec::Conv2d { .. } => Ok(Arc::new(Conv2d::new(spec, index, input_shape)?)),
        LayerSpec::LayerNorm { activation, epsilon } => {
            Ok(Arc::new(LayerNorm::new(index, input_shape, activation, epsilon)?))
        }
        LayerSpec::NoisyDense { .. } => Ok(Arc::new(NoisyDense::new(spec, index, input_shape)?)),
        LayerSpec::Dueling { .. } => Ok(Arc::new(Dueling::new(spec, index, input_shape)?)),
        LayerSpec::FractionEmbedding { cosines } => Ok(Arc::new(FractionEmbedding::new(index, input_shape, cosines)?)),
    }
}

/// `value`, if it is finite and at least 0.
pub(crate) fn at_least_zero(layer: usize, field: &'static str, value: f32) -> Result<f32, SpecError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(value);
    }
    Err(SpecError::OutOfRange { layer, field, value, expected: "a finite number of at least 0" })
}
