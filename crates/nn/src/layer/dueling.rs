//! The dueling head.

use super::affine::Affine;
use super::plan::{BackwardPass, ForwardPass, Layer, LayerParameter, Needs};
use crate::{Activation, LayerSpec, SpecError};

/// See [`LayerSpec::Dueling`]. Its parameters are those of `value.0`, `value.1`, `advantage.0`, `advantage.1`, and without
/// hidden layers those of `value.0`, `advantage.0`; its noise lies likewise.
#[derive(Debug)]
pub(super) struct Dueling {
    output_shape: [usize; 1],
    inputs: usize,
    atoms: usize,
    value: Stream,
    advantage: Stream,
}

/// The layers of one stream. It keeps what its layers keep, and after that the outputs of its hidden layer.
#[derive(Debug)]
struct Stream {
    name: &'static str,
    hidden: Option<Affine>,
    output: Affine,
    /// Of the hidden layer.
    activation: Activation,
}

impl Dueling {
    pub fn new(spec: &LayerSpec, index: usize, input_shape: &[usize]) -> Result<Dueling, SpecError> {
        let &LayerSpec::Dueling { hidden, actions, atoms, activation, sigma } = spec else {
            unreachable!("built from the spec of a dueling head")
        };
        for (value, field) in [(actions, "actions"), (atoms, "atoms")] {
            if value == 0 {
                return Err(SpecError::ZeroSize { layer: index, field });
            }
        }
        let too_large = || SpecError::TooLarge { layer: index };
        let outputs = actions.checked_mul(atoms).ok_or_else(too_large)?;
        let inputs = input_shape.iter().product();
        let stream = |name, outputs| -> Result<Stream, SpecError> {
            let before = if hidden == 0 { inputs } else { hidden };
            Ok(Stream {
                name,
                hidden: (hidden > 0).then(|| Affine::new(index, (inputs, hidden), sigma)).transpose()?,
                output: Affine::new(index, (before, outputs), sigma)?,
                activation,
            })
        };
        let (value, advantage) = (stream("value", atoms)?, stream("advantage", outputs)?);
        (value.kept_len().checked_add(advantage.kept_len())).ok_or_else(too_large)?;
        Ok(Dueling { output_shape: [outputs], inputs, atoms, value, advantage })
    }

    fn outputs(&self) -> usize {
        self.output_shape[0]
    }

    fn actions(&self) -> f32 {
        (self.outputs() / self.atoms) as f32
    }

    /// `q ← q + (value − mean of q over the actions)`; see [`crate::reference::dueling_forward`].
    fn aggregate(&self, sums: &mut [f32], value: &mut [f32], q: &mut [f32]) {
        sums.fill(0.0);
        for q in q.chunks_exact(self.atoms) {
            sums.iter_mut().zip(q).for_each(|(sum, &q)| *sum += q);
        }
        let actions = self.actions();
        value.iter_mut().zip(sums).for_each(|(value, sum)| *value -= *sum / actions);
        for q in q.chunks_exact_mut(self.atoms) {
            q.iter_mut().zip(&*value).for_each(|(q, &offset)| *q += offset);
        }
    }

    /// The way back; see [`crate::reference::dueling_backward`].
    fn separate(&self, dq: &[f32], d_value: &mut [f32], d_advantage: &mut [f32]) {
        d_value.fill(0.0);
        for dq in dq.chunks_exact(self.atoms) {
            d_value.iter_mut().zip(dq).for_each(|(d, &dq)| *d += dq);
        }
        let actions = self.actions();
        for (dq, d_advantage) in dq.chunks_exact(self.atoms).zip(d_advantage.chunks_exact_mut(self.atoms)) {
            for ((d_advantage, &dq), &d_value) in d_advantage.iter_mut().zip(dq).zip(&*d_value) {
                *d_advantage = dq - d_value / actions;
            }
        }
    }
}

impl Layer for Dueling {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn activation(&self) -> Activation {
        Activation::Identity
    }

    fn parameters(&self) -> Vec<LayerParameter> {
        let mut parameters = self.value.parameters();
        parameters.append(&mut self.advantage.parameters());
        parameters
    }

    fn needs(&self) -> Needs {
        Needs {
            noise: self.value.noise_len() + self.advantage.noise_len(),
            kept: self.value.kept_len() + self.advantage.kept_len(),
            kept_per_row: 2 * self.value.hidden_len(),
            scratch: self.atoms,
            scratch_per_row: self.atoms + self.outputs() + self.value.hidden_len() + self.inputs,
        }
    }

    fn forward(&self, pass: ForwardPass<'_>) {
        let ForwardPass { rows, outputs, .. } = pass;
        let (sums, scratch) = pass.scratch.split_at_mut(self.atoms);
        let (values, scratch) = scratch.split_at_mut(rows * self.atoms);
        let (first_parameters, parameters) = pass.parameters.split_at(self.value.parameter_count());
        let (first_noise, noise) = pass.noise.split_at(self.value.noise_len());
        let (first_kept, kept) = pass.kept.split_at_mut(self.value.kept_len() + rows * self.value.hidden_len());
        self.value.forward(ForwardPass {
            parameters: first_parameters,
            noise: first_noise,
            outputs: &mut *values,
            kept: first_kept,
            scratch: &mut *scratch,
            ..pass
        });
        self.advantage.forward(ForwardPass { parameters, noise, outputs: &mut *outputs, kept, scratch, ..pass });
        for (value, q) in values.chunks_exact_mut(self.atoms).zip(outputs.chunks_exact_mut(self.outputs())) {
            self.aggregate(sums, value, q);
        }
    }

    fn backward(&self, pass: BackwardPass<'_>) {
        let BackwardPass { rows, kept_rows, .. } = pass;
        let (d_values, scratch) = pass.scratch.split_at_mut(rows * self.atoms);
        let (d_advantages, scratch) = scratch.split_at_mut(rows * self.outputs());
        let (more_d_inputs, scratch) = scratch.split_at_mut(rows * self.inputs);
        let groups = d_values.chunks_exact_mut(self.atoms).zip(d_advantages.chunks_exact_mut(self.outputs()));
        for (dq, (d_value, d_advantage)) in pass.d_outputs.chunks_exact(self.outputs()).zip(groups) {
            self.separate(dq, d_value, d_advantage);
        }
        let (first_parameters, parameters) = pass.parameters.split_at(self.value.parameter_count());
        let (first_gradients, gradients) = pass.gradients.split_at_mut(self.value.parameter_count());
        let (first_kept, kept) = pass.kept.split_at(self.value.kept_len() + kept_rows * self.value.hidden_len());
        let mut d_inputs = pass.d_inputs;
        self.value.backward(BackwardPass {
            parameters: first_parameters,
            d_outputs: d_values,
            d_inputs: d_inputs.as_mut().map(|(d, _)| (&mut **d, Activation::Identity)),
            gradients: first_gradients,
            kept: first_kept,
            scratch: &mut *scratch,
            ..pass
        });
        self.advantage.backward(BackwardPass {
            parameters,
            d_outputs: d_advantages,
            d_inputs: d_inputs.is_some().then_some((&mut *more_d_inputs, Activation::Identity)),
            gradients,
            kept,
            scratch,
            ..pass
        });
        if let Some((d_inputs, activation)) = d_inputs {
            d_inputs.iter_mut().zip(&*more_d_inputs).for_each(|(d, &more)| *d += more);
            pass.engine.kernel.differentiate(activation, pass.inputs, d_inputs);
        }
    }
}

impl Stream {
    fn parameters(&self) -> Vec<LayerParameter> {
        let layers = self.hidden.iter().chain([&self.output]).enumerate();
        layers.flat_map(|(i, layer)| layer.parameters(&format!("{}.{i}.", self.name))).collect()
    }

    fn parameter_count(&self) -> usize {
        self.hidden.map_or(0, |hidden| hidden.parameter_count()) + self.output.parameter_count()
    }

    fn noise_len(&self) -> usize {
        self.hidden.map_or(0, |hidden| hidden.noise_len()) + self.output.noise_len()
    }

    fn kept_len(&self) -> usize {
        self.hidden.map_or(0, |hidden| hidden.kept_len()) + self.output.kept_len()
    }

    fn hidden_len(&self) -> usize {
        self.hidden.map_or(0, |hidden| hidden.outputs())
    }

    fn forward(&self, pass: ForwardPass<'_>) {
        let Some(hidden) = self.hidden else { return self.output.forward(pass, Activation::Identity) };
        let (first_parameters, parameters) = pass.parameters.split_at(hidden.parameter_count());
        let (first_noise, noise) = pass.noise.split_at(hidden.noise_len());
        let (first_kept, kept) = pass.kept.split_at_mut(hidden.kept_len());
        let (kept, units) = kept.split_at_mut(self.output.kept_len());
        let units = &mut units[..pass.rows * hidden.outputs()];
        let first = ForwardPass {
            parameters: first_parameters,
            noise: first_noise,
            outputs: &mut *units,
            kept: first_kept,
            scratch: &mut [],
            ..pass
        };
        hidden.forward(first, self.activation);
        let last = ForwardPass { parameters, noise, inputs: units, kept, ..pass };
        self.output.forward(last, Activation::Identity);
    }

    /// The scratch of `pass` holds the gradients of the hidden layer.
    fn backward(&self, pass: BackwardPass<'_>) {
        let Some(hidden) = self.hidden else { return self.output.backward(pass) };
        let (first_parameters, parameters) = pass.parameters.split_at(hidden.parameter_count());
        let (first_gradients, gradients) = pass.gradients.split_at_mut(hidden.parameter_count());
        let (first_kept, kept) = pass.kept.split_at(hidden.kept_len());
        let (kept, units) = kept.split_at(self.output.kept_len());
        let len = pass.rows * hidden.outputs();
        let (inputs, d_units) = (&units[..len], &mut pass.scratch[..len]);
        self.output.backward(BackwardPass {
            parameters,
            inputs,
            d_inputs: Some((&mut *d_units, self.activation)),
            gradients,
            kept,
            scratch: &mut [],
            ..pass
        });
        hidden.backward(BackwardPass {
            parameters: first_parameters,
            d_outputs: d_units,
            gradients: first_gradients,
            kept: first_kept,
            scratch: &mut [],
            ..pass
        });
    }
}
