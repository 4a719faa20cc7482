//! Layer normalisation.

use super::plan::{BackwardPass, Fan, ForwardPass, Layer, LayerParameter, Needs, Start, at_least_zero};
use crate::{Activation, SpecError};

/// Partial sums of a sum over the features; see [`crate::reference::spread_sum`].
const PARTS: usize = crate::reference::SUM_PARTS;

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
        let (normal, scales) = pass.kept.split_at_mut(pass.rows * self.width());
        let count = self.features as f32;
        let inputs = pass.inputs.chunks_exact(self.features).zip(normal.chunks_exact_mut(self.features));
        let outputs = pass.outputs.chunks_exact_mut(self.features).zip(scales);
        for ((x, normal), (y, scale)) in inputs.zip(outputs) {
            let mean = sum(x) / count;
            normal.iter_mut().zip(x).for_each(|(n, &x)| *n = x - mean);
            *scale = 1.0 / (sum_of_products(normal, normal) / count + self.epsilon).sqrt();
            let scale = *scale;
            for (((n, y), &gain), &bias) in normal.iter_mut().zip(y).zip(gain).zip(bias) {
                *n *= scale;
                *y = *n * gain + bias;
            }
        }
        pass.engine.kernel.activate(self.activation, pass.outputs);
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        let (gain, _) = pass.parameters.split_at(self.features);
        let (normal, scales) = pass.kept.split_at(pass.kept_rows * self.width());
        let groups = || pass.d_outputs.chunks_exact(self.features).zip(normal.chunks_exact(self.features));
        pass.gradients.fill(0.0);
        let (d_gain, d_bias) = pass.gradients.split_at_mut(self.features);
        for (dy, normal) in groups() {
            for (((d_gain, d_bias), &dy), &n) in d_gain.iter_mut().zip(&mut *d_bias).zip(dy).zip(normal) {
                *d_gain += dy * n;
                *d_bias += dy;
            }
        }
        let Some((d_inputs, activation)) = pass.d_inputs else { return };
        let count = self.features as f32;
        for ((dx, (dy, normal)), &scale) in d_inputs.chunks_exact_mut(self.features).zip(groups()).zip(scales) {
            dx.iter_mut().zip(dy).zip(gain).for_each(|((dx, &dy), &gain)| *dx = dy * gain);
            let (mean, slope) = (sum(dx) / count, sum_of_products(dx, normal) / count);
            dx.iter_mut().zip(normal).for_each(|(dx, &n)| *dx = (*dx - mean - n * slope) * scale);
        }
        pass.engine.kernel.differentiate(activation, pass.inputs, d_inputs);
    }
}

/// See [`crate::reference::spread_sum`].
fn sum(values: &[f32]) -> f32 {
    let mut parts = [0.0; PARTS];
    let (whole, rest) = values.as_chunks::<PARTS>();
    for block in whole {
        parts.iter_mut().zip(block).for_each(|(part, &x)| *part += x);
    }
    parts.iter_mut().zip(rest).for_each(|(part, &x)| *part += x);
    fold(parts)
}

/// [`sum`] of `a[i] · b[i]`, each product rounded.
fn sum_of_products(a: &[f32], b: &[f32]) -> f32 {
    let mut parts = [0.0; PARTS];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<PARTS>(), b.as_chunks::<PARTS>());
    for (a, b) in a.iter().zip(b) {
        parts.iter_mut().zip(a.iter().zip(b)).for_each(|(part, (&a, &b))| *part += a * b);
    }
    parts.iter_mut().zip(a_rest.iter().zip(b_rest)).for_each(|(part, (&a, &b))| *part += a * b);
    fold(parts)
}

/// Adds the second half to the first until one is left.
fn fold(mut parts: [f32; PARTS]) -> f32 {
    let mut half = PARTS / 2;
    while half > 0 {
        let (low, high) = parts.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
        half /= 2;
    }
    parts[0]
}
