//! [`Affine`]: `x · W + b`, plain or with noisy parameters; what the noisy and the dueling layers are made of.

use super::plan::{BackwardPass, Fan, ForwardPass, LayerParameter, Start, at_least_zero};
use crate::reference::{DenseShape, scaled_noise};
use crate::{Activation, SpecError};

/// `x · W + b`. With a σ₀, W and b are drawn around their means by the noise of a pass: they are then computed once for all its rows, and
/// are the means themselves if the noise is 0. Noisy parameters are stored as `weight_mu`, `weight_sigma`, `bias_mu`, `bias_sigma`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    inputs: usize,
    outputs: usize,
    sigma: Option<f32>,
}

impl Affine {
    pub fn new(index: usize, (inputs, outputs): (usize, usize), sigma: Option<f32>) -> Result<Affine, SpecError> {
        let sigma = sigma.map(|sigma| at_least_zero(index, "sigma", sigma)).transpose()?;
        // Parameters and what is kept are at most 4 · (inputs + 1) · (outputs + 1) numbers.
        (inputs.checked_add(1))
            .and_then(|inputs| inputs.checked_mul(outputs.checked_add(1)?)?.checked_mul(4))
            .ok_or(SpecError::TooLarge { layer: index })?;
        Ok(Affine { inputs, outputs, sigma })
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Its parameters, with `prefix` before their names.
    pub fn parameters(&self, prefix: &str) -> Vec<LayerParameter> {
        let fan = Fan { inputs: self.inputs, outputs: self.outputs };
        let (weight, bias) = (vec![self.inputs, self.outputs], vec![self.outputs]);
        let parameter = |name: &str, shape: &[usize], start| LayerParameter {
            name: format!("{prefix}{name}"),
            shape: shape.to_vec(),
            fan,
            start,
        };
        match self.sigma {
            None => vec![parameter("weight", &weight, Start::Weight), parameter("bias", &bias, Start::Bias)],
            Some(sigma) => {
                let sigma = Start::Constant((f64::from(sigma) / (self.inputs as f64).sqrt()) as f32);
                vec![
                    parameter("weight_mu", &weight, Start::Uniform),
                    parameter("weight_sigma", &weight, sigma),
                    parameter("bias_mu", &bias, Start::Uniform),
                    parameter("bias_sigma", &bias, sigma),
                ]
            }
        }
    }

    pub fn parameter_count(&self) -> usize {
        self.count() * if self.sigma.is_some() { 2 } else { 1 }
    }

    /// Standard normals of a pass: one for each input, then one for each output.
    pub fn noise_len(&self) -> usize {
        if self.sigma.is_some() { self.inputs + self.outputs } else { 0 }
    }

    /// Numbers kept for the backward pass, whatever the rows: the noise as it is used, then the weight and bias drawn.
    pub fn kept_len(&self) -> usize {
        if self.sigma.is_some() { self.inputs + self.outputs + self.count() } else { 0 }
    }

    /// `activation(x · W + b)`. Of `pass`, the scratch and the fractions are not used.
    pub fn forward(&self, pass: ForwardPass<'_>, activation: Activation) {
        let shape = DenseShape { rows: pass.rows, inputs: self.inputs, outputs: self.outputs };
        let (w, b) = if self.sigma.is_none() {
            pass.parameters.split_at(self.weight_len())
        } else {
            let (noise, drawn) = pass.kept.split_at_mut(self.noise_len());
            scaled_noise(pass.noise, noise);
            let mean = self.split(pass.parameters);
            if is_zero(noise) {
                (mean[0], mean[2])
            } else {
                let (w, b) = drawn.split_at_mut(self.weight_len());
                let (noise_in, noise_out) = noise.split_at(self.inputs);
                draw(mean, (noise_in, noise_out), (w, b));
                (&*w, &*b)
            }
        };
        pass.engine.dense_forward(shape, (w, b), pass.inputs, activation, pass.outputs);
    }

    /// The gradients. Of `pass`, the scratch is not used.
    pub fn backward(&self, pass: BackwardPass<'_>) {
        let shape = DenseShape { rows: pass.rows, inputs: self.inputs, outputs: self.outputs };
        let (noise, drawn) = pass.kept.split_at(self.noise_len());
        let is_noisy = !is_zero(noise);
        if self.sigma.is_none() {
            let d = pass.gradients.split_at_mut(self.weight_len());
            pass.engine.dense_weight_gradient(shape, pass.inputs, pass.d_outputs, d);
        } else {
            let [dw, dw_sigma, db, db_sigma] = self.split_mut(pass.gradients);
            pass.engine.dense_weight_gradient(shape, pass.inputs, pass.d_outputs, (&mut *dw, &mut *db));
            if is_noisy {
                let (noise_in, noise_out) = noise.split_at(self.inputs);
                for ((to, from), &e) in
                    dw_sigma.chunks_exact_mut(self.outputs).zip(dw.chunks_exact(self.outputs)).zip(noise_in)
                {
                    to.iter_mut().zip(from).zip(noise_out).for_each(|((to, &d), &f)| *to = d * (e * f));
                }
                db_sigma.iter_mut().zip(&*db).zip(noise_out).for_each(|((to, &d), &f)| *to = d * f);
            } else {
                dw_sigma.fill(0.0);
                db_sigma.fill(0.0);
            }
        }
        if let Some((d_inputs, activation)) = pass.d_inputs {
            let w = if is_noisy { drawn } else { pass.parameters };
            let w = &w[..self.weight_len()];
            pass.engine.dense_input_gradient(shape, w, pass.d_outputs, (pass.inputs, activation), d_inputs);
        }
    }

    fn weight_len(&self) -> usize {
        self.inputs * self.outputs
    }

    /// Numbers of one weight and one bias.
    fn count(&self) -> usize {
        self.weight_len() + self.outputs
    }

    /// The four parts of noisy parameters.
    fn split<'a>(&self, parameters: &'a [f32]) -> [&'a [f32]; 4] {
        let (w_mean, rest) = parameters.split_at(self.weight_len());
        let (w_sigma, rest) = rest.split_at(self.weight_len());
        let (b_mean, b_sigma) = rest.split_at(self.outputs);
        [w_mean, w_sigma, b_mean, b_sigma]
    }

    fn split_mut<'a>(&self, gradients: &'a mut [f32]) -> [&'a mut [f32]; 4] {
        let (w_mean, rest) = gradients.split_at_mut(self.weight_len());
        let (w_sigma, rest) = rest.split_at_mut(self.weight_len());
        let (b_mean, b_sigma) = rest.split_at_mut(self.outputs);
        [w_mean, w_sigma, b_mean, b_sigma]
    }
}

fn is_zero(noise: &[f32]) -> bool {
    noise.iter().all(|&e| e == 0.0)
}

/// See [`crate::reference::draw_noisy`].
fn draw(
    [w_mean, w_sigma, b_mean, b_sigma]: [&[f32]; 4],
    (noise_in, noise_out): (&[f32], &[f32]),
    (w, b): (&mut [f32], &mut [f32]),
) {
    let outputs = noise_out.len();
    let rows = w.chunks_exact_mut(outputs).zip(w_mean.chunks_exact(outputs).zip(w_sigma.chunks_exact(outputs)));
    for ((w, (mean, sigma)), &e) in rows.zip(noise_in) {
        for (((w, &mean), &sigma), &f) in w.iter_mut().zip(mean).zip(sigma).zip(noise_out) {
            *w = mean + sigma * (e * f);
        }
    }
    for (((b, &mean), &sigma), &f) in b.iter_mut().zip(b_mean).zip(b_sigma).zip(noise_out) {
        *b = mean + sigma * f;
    }
}
