//! The embedding of fractions of a distribution.

use super::plan::{BackwardPass, Fan, ForwardPass, Layer, LayerParameter, Needs};
use crate::reference::DenseShape;
use crate::{Activation, SpecError};

/// Fractions whose cosines are worked out side by side.
const SIDE_BY_SIDE: usize = 8;

/// See [`crate::LayerSpec::FractionEmbedding`]. It keeps the cosines of every fraction, and after them the embeddings φ.
#[derive(Debug)]
pub(super) struct FractionEmbedding {
    output_shape: [usize; 1],
    cosines: usize,
}

impl FractionEmbedding {
    pub fn new(index: usize, input_shape: &[usize], cosines: usize) -> Result<FractionEmbedding, SpecError> {
        if cosines == 0 {
            return Err(SpecError::ZeroSize { layer: index, field: "cosines" });
        }
        let features: usize = input_shape.iter().product();
        cosines.checked_mul(features).ok_or(SpecError::TooLarge { layer: index })?;
        Ok(FractionEmbedding { output_shape: [features], cosines })
    }

    fn features(&self) -> usize {
        self.output_shape[0]
    }

    /// The sizes of the product of cosines and weight.
    fn shape(&self, rows: usize) -> DenseShape {
        DenseShape { rows, inputs: self.cosines, outputs: self.features() }
    }

    fn weight_len(&self) -> usize {
        self.cosines * self.features()
    }
}

impl Layer for FractionEmbedding {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn activation(&self) -> Activation {
        Activation::Identity
    }

    fn parameters(&self) -> Vec<LayerParameter> {
        let fan = Fan { inputs: self.cosines, outputs: self.features() };
        vec![
            LayerParameter::weight(vec![self.cosines, self.features()], fan),
            LayerParameter::bias(self.features(), fan),
        ]
    }

    fn needs(&self) -> Needs {
        Needs {
            kept_per_row: self.cosines.saturating_add(self.features()),
            scratch_per_row: self.features(),
            ..Needs::default()
        }
    }

    fn forward(&self, pass: ForwardPass<'_>) {
        let rows = pass.fractions.len();
        if rows == 0 {
            return;
        }
        let (cosines, embeddings) = pass.kept.split_at_mut(rows * self.cosines);
        fill_cosines(pass.fractions, self.cosines, cosines);
        let parameters = pass.parameters.split_at(self.weight_len());
        pass.engine.dense_forward(self.shape(rows), parameters, cosines, Activation::Relu, embeddings);
        let of_a_row = rows / pass.rows * self.features();
        let groups = pass.outputs.chunks_exact_mut(of_a_row).zip(embeddings.chunks_exact(of_a_row));
        for (x, (y, phi)) in pass.inputs.chunks_exact(self.features()).zip(groups) {
            for (y, phi) in y.chunks_exact_mut(x.len()).zip(phi.chunks_exact(x.len())) {
                y.iter_mut().zip(x).zip(phi).for_each(|((y, &x), &phi)| *y = x * phi);
            }
        }
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        let features = self.features();
        let rows = pass.d_outputs.len() / features;
        let (cosines, embeddings) = pass.kept.split_at(pass.kept_rows * self.cosines);
        let embeddings = &embeddings[..rows * features];
        let d_embeddings = &mut pass.scratch[..rows * features];
        let of_a_row = rows.checked_div(pass.rows).unwrap_or(0).max(1) * features;
        let groups = d_embeddings.chunks_exact_mut(of_a_row).zip(pass.d_outputs.chunks_exact(of_a_row));
        for (x, (d, dy)) in pass.inputs.chunks_exact(features).zip(groups) {
            for (d, dy) in d.chunks_exact_mut(features).zip(dy.chunks_exact(features)) {
                d.iter_mut().zip(x).zip(dy).for_each(|((d, &x), &dy)| *d = x * dy);
            }
        }
        pass.engine.kernel.differentiate(Activation::Relu, embeddings, d_embeddings);
        let gradients = pass.gradients.split_at_mut(self.weight_len());
        pass.engine.dense_weight_gradient(self.shape(rows), &cosines[..rows * self.cosines], d_embeddings, gradients);
        let Some((d_inputs, activation)) = pass.d_inputs else { return };
        d_inputs.fill(0.0);
        let groups = pass.d_outputs.chunks_exact(of_a_row).zip(embeddings.chunks_exact(of_a_row));
        for (dx, (dy, phi)) in d_inputs.chunks_exact_mut(features).zip(groups) {
            for (dy, phi) in dy.chunks_exact(features).zip(phi.chunks_exact(features)) {
                dx.iter_mut().zip(dy).zip(phi).for_each(|((dx, &dy), &phi)| *dx += dy * phi);
            }
        }
        pass.engine.kernel.differentiate(activation, pass.inputs, d_inputs);
    }
}

/// See [`crate::reference::fraction_cosines`], several fractions at a time: each waits for its last cosine.
fn fill_cosines(fractions: &[f32], cosines: usize, to: &mut [f32]) {
    for (fractions, to) in fractions.chunks(SIDE_BY_SIDE).zip(to.chunks_mut(SIDE_BY_SIDE * cosines)) {
        let mut first = [0.0; SIDE_BY_SIDE];
        for (first, &fraction) in first.iter_mut().zip(fractions) {
            *first = libm::cos(std::f64::consts::PI * f64::from(fraction));
        }
        // cos(−πτ) and cos(0).
        let (mut before, mut last) = (first, [1.0; SIDE_BY_SIDE]);
        for i in 0..cosines {
            for (row, &cosine) in to.chunks_exact_mut(cosines).zip(&last) {
                row[i] = cosine as f32;
            }
            for ((before, last), &first) in before.iter_mut().zip(&mut last).zip(&first) {
                (*before, *last) = (*last, 2.0 * first * *last - *before);
            }
        }
    }
}
