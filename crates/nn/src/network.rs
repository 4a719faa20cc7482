//! [`Network`]: the passes over a stack of layers.

use std::ops::Range;
use std::sync::Arc;

use rand_core::Rng;

use crate::init::initialize_slice;
use crate::kernel::{Engine, Kernel};
use crate::layer::{BackwardPass, Chosen, ForwardPass, Layer, Needs, build};
use crate::workspace::WorkspacePlan;
use crate::{Activation, Init, LayerSpec, NetworkSpec, SpecError, Workspace};

/// Computes a network and its gradients. It is immutable and contains no numbers: parameters, gradients and activations are separate
/// buffers, so that one `Network` serves online and target parameters, on any thread.
#[derive(Clone, Debug)]
pub struct Network {
    spec: NetworkSpec,
    engine: Engine,
    /// Numbers in a row of the input (first) and of each layer's outputs.
    widths: Arc<[usize]>,
    /// Of each layer.
    needs: Arc<[Needs]>,
    /// Index of the layer that reads fractions.
    embedding: Option<usize>,
    parameter_count: usize,
    slices: Vec<ParameterSlice>,
    layers: Vec<PlacedLayer>,
}

/// One named array among the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSlice {
    /// Such as `layers.0.weight`, `layers.1.bias_sigma`, `layers.2.advantage.0.weight`.
    pub name: String,
    /// Its shape, slowest index first: `[inputs, outputs]` for the weight of a dense layer.
    pub shape: Vec<usize>,
    /// Its range in the contiguous buffer.
    pub range: Range<usize>,
}

#[derive(Clone, Debug)]
struct PlacedLayer {
    layer: Arc<dyn Layer>,
    parameters: Range<usize>,
    /// Its part of the workspace's noise.
    noise: Range<usize>,
}

impl Network {
    /// Computes the sizes of `spec`. Uses the fastest kernel of this machine.
    ///
    /// # Errors
    /// [`SpecError`] for the layer that does not fit.
    pub fn new(spec: &NetworkSpec) -> Result<Network, SpecError> {
        Network::with_kernel(spec, Kernel::fastest())
    }

    /// Like [`Network::new`], with `kernel`.
    ///
    /// # Errors
    /// [`SpecError`] for the layer that does not fit.
    pub fn with_kernel(spec: &NetworkSpec, kernel: Kernel) -> Result<Network, SpecError> {
        if !(matches!(spec.input_shape.len(), 1 | 3)) || spec.input_shape.contains(&0) {
            return Err(SpecError::InputShape { shape: spec.input_shape.clone() });
        }
        if !spec.input_scale.is_finite() || spec.input_scale == 0.0 {
            return Err(SpecError::InputScale { scale: spec.input_scale });
        }
        let too_large = |layer| SpecError::TooLarge { layer };
        let input_len = spec.input_shape.iter().try_fold(1, |n: usize, &d| n.checked_mul(d)).ok_or(too_large(0))?;
        let (mut layers, mut slices, mut start) = (Vec::<PlacedLayer>::new(), Vec::new(), 0_usize);
        let (mut widths, mut needs, mut noise_len) = (vec![input_len], Vec::<Needs>::new(), 0_usize);
        let mut shape = spec.input_shape.clone();
        for (index, layer_spec) in spec.layers.iter().enumerate() {
            let layer = build(layer_spec, index, &shape)?;
            let first = start;
            for parameter in layer.parameters() {
                start.checked_add(parameter.len()).ok_or(too_large(index))?;
                let name = format!("layers.{index}.{}", parameter.name);
                let range = parameter.range_from(start);
                start = range.end;
                slices.push(ParameterSlice { name, shape: parameter.shape, range });
            }
            shape = layer.output_shape().to_vec();
            widths.push(shape.iter().product());
            needs.push(layer.needs());
            let noise = noise_len..noise_len.checked_add(needs[index].noise).ok_or(too_large(index))?;
            noise_len = noise.end;
            layers.push(PlacedLayer { layer, parameters: first..start, noise });
        }
        let Some(last) = layers.last() else { return Err(SpecError::NoLayers) };
        needs[layers.len() - 1] = last.layer.needs_of_the_last();
        Ok(Network {
            spec: spec.clone(),
            engine: Engine::single(kernel),
            widths: widths.into(),
            needs: needs.into(),
            embedding: embedding(spec)?,
            parameter_count: start,
            slices,
            layers,
        })
    }

    /// The spec that the network was created from.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// The kernel that it uses.
    pub fn kernel(&self) -> Kernel {
        self.engine.kernel
    }

    /// The same network, with large layers computed by up to `threads` threads of rayon's pool (at least 1). Small ones are computed on the
    /// caller's thread. The number of threads does not change a bit of a result: outputs are divided between them, never the terms of a
    /// sum.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Network {
        self.set_threads(threads);
        self
    }

    /// Like [`Network::with_threads`], from now on.
    pub fn set_threads(&mut self, threads: usize) {
        self.engine.threads = threads.max(1);
    }

    /// Numbers in one observation.
    pub fn input_len(&self) -> usize {
        self.widths[0]
    }

    /// Number of outputs for one observation; if the network reads fractions, for one fraction of it.
    pub fn output_len(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// Whether there is a [`LayerSpec::FractionEmbedding`], so that an observation has a row of outputs for each of the
    /// fractions that the workspace is made for.
    pub fn reads_fractions(&self) -> bool {
        self.embedding.is_some()
    }

    /// Standard normals that a pass reads from [`Workspace::noise_mut`]; 0 for a network without noisy layers.
    pub fn noise_len(&self) -> usize {
        self.needs.iter().map(|needs| needs.noise).sum()
    }

    /// The layers that end in an activation, each as its index and the number of its units: outputs of a vector, channels of an image.
    /// [`Workspace::activations`] has their outputs, unit by unit, repeatedly.
    pub fn activated_layers(&self) -> impl Iterator<Item = (usize, usize)> {
        let layers = self.layers.iter().map(|placed| &placed.layer).enumerate();
        let activated = layers.filter(|(_, layer)| layer.activation() != Activation::Identity);
        activated.filter_map(|(index, layer)| Some((index, *layer.output_shape().last()?)))
    }

    /// Numbers in the parameter buffer.
    pub fn parameter_count(&self) -> usize {
        self.parameter_count
    }

    /// The named parts of the parameter buffer, in order and without gaps.
    pub fn slices(&self) -> &[ParameterSlice] {
        &self.slices
    }

    /// Draws initial parameters, in the order of [`Network::slices`].
    ///
    /// # Panics
    /// If `parameters` is not [`Network::parameter_count`] long, or a gain is not finite.
    pub fn initialize(&self, parameters: &mut [f32], init: Init, rng: &mut impl Rng) {
        assert_eq!(parameters.len(), self.parameter_count, "parameter buffer of the wrong length");
        if let Init::Orthogonal { gain } = init {
            assert!(gain.is_finite(), "weights cannot be drawn with the gain {gain}");
        }
        for placed in &self.layers {
            let mut start = placed.parameters.start;
            for parameter in placed.layer.parameters() {
                let range = parameter.range_from(start);
                start = range.end;
                initialize_slice(&mut parameters[range], &parameter, init, rng);
            }
        }
    }

    /// Computes the outputs (`rows × output_len`) of the first `rows` rows of [`Workspace::input_mut`]. A network that reads fractions
    /// gives `rows × fractions × output_len`, all fractions of row 0 first.
    ///
    /// # Panics
    /// If a buffer has the wrong length or `workspace` was made for another network or fewer rows.
    pub fn forward<'w>(&self, parameters: &[f32], rows: usize, workspace: &'w mut Workspace) -> &'w [f32] {
        self.run_forward(parameters, rows, None, workspace)
    }

    /// Like [`Network::forward`], for a caller that reads only one block of the outputs of each of the first rows: those blocks are the
    /// same to the bit, in the same places, and the contents between them are unspecified.
    ///
    /// ```
    /// use requel_nn::{Activation, Chosen, Network, NetworkSpec, Workspace};
    ///
    /// // Two actions with a distribution of 16 numbers each.
    /// let network = Network::new(&NetworkSpec::mlp(3, &[8], 32, Activation::Relu))?;
    /// let parameters = vec![0.5; network.parameter_count()];
    /// let mut workspace = Workspace::new(&network, 2);
    /// workspace.input_mut(2).copy_from_slice(&[0.1, -0.2, 0.3, 0.4, 0.5, 0.6]);
    /// let all = network.forward(&parameters, 2, &mut workspace).to_vec();
    /// let chosen = Chosen { blocks: &[1, 0], block_len: 16 };
    /// let read = network.forward_chosen(&parameters, 2, chosen, &mut workspace);
    /// assert_eq!((&read[16..32], &read[32..48]), (&all[16..32], &all[32..48]));
    /// # Ok::<(), requel_nn::SpecError>(())
    /// ```
    ///
    /// # Panics
    /// As [`Network::forward`], and if there are more or greater blocks than the outputs have.
    pub fn forward_chosen<'w>(
        &self,
        parameters: &[f32],
        rows: usize,
        chosen: Chosen<'_>,
        workspace: &'w mut Workspace,
    ) -> &'w [f32] {
        let count = self.check_chosen(chosen, rows);
        workspace.choice.sort(chosen.blocks, count);
        self.run_forward(parameters, rows, Some(chosen.block_len), workspace)
    }

    fn run_forward<'w>(
        &self,
        parameters: &[f32],
        rows: usize,
        block_len: Option<usize>,
        workspace: &'w mut Workspace,
    ) -> &'w [f32] {
        self.check(parameters, workspace);
        workspace.check_rows(rows);
        workspace.rows = rows;
        workspace.scale_input(rows, self.spec.input_scale, self.engine.kernel);
        let Workspace { plan, values, noise, fractions, kept, scratch, choice, .. } = workspace;
        let chosen = block_len.map(|len| choice.rows(len));
        for (index, placed) in self.layers.iter().enumerate() {
            let (before, after) = values.split_at_mut(index + 1);
            placed.layer.forward(ForwardPass {
                engine: self.engine,
                rows: plan.rows_in(index, rows),
                parameters: &parameters[placed.parameters.clone()],
                noise: &noise.as_slice()[placed.noise.clone()],
                fractions: if self.embedding == Some(index) { &fractions[..rows * plan.fractions] } else { &[] },
                inputs: &before[index].as_slice()[..plan.len(index, rows)],
                outputs: &mut after[0].as_mut_slice()[..plan.len(index + 1, rows)],
                chosen: chosen.as_ref().filter(|_| index + 1 == self.layers.len()),
                kept: &mut kept[index].as_mut_slice()[..plan.kept_len(index, rows)],
                scratch: scratch.as_mut_slice(),
            });
        }
        workspace.outputs(rows)
    }

    /// Computes the gradient of `Σ d_outputs · outputs` with respect to the parameters, and overwrites `gradients` with it. `d_outputs` is
    /// as long as the outputs of the last [`Network::forward`], which must have run in this workspace with these parameters; it may omit
    /// observations at the end. The gradient of the input is not computed.
    ///
    /// # Panics
    /// If a buffer has the wrong length or `workspace` was made for another network.
    pub fn backward(&self, parameters: &[f32], d_outputs: &[f32], workspace: &mut Workspace, gradients: &mut [f32]) {
        self.run_backward(parameters, (d_outputs, None), workspace, gradients);
    }

    /// Like [`Network::backward`] after a [`Network::forward_chosen`] with the same blocks: outside them `d_outputs` is 0. The gradients
    /// are the same, except possibly for the sign of a zero.
    ///
    /// # Panics
    /// As [`Network::backward`], and if the blocks are not those of the last pass.
    pub fn backward_chosen(
        &self,
        parameters: &[f32],
        (d_outputs, chosen): (&[f32], Chosen<'_>),
        workspace: &mut Workspace,
        gradients: &mut [f32],
    ) {
        self.check_chosen(chosen, workspace.rows);
        assert_eq!(chosen.blocks, workspace.choice.blocks, "the blocks are those of the forward pass");
        self.run_backward(parameters, (d_outputs, Some(chosen.block_len)), workspace, gradients);
    }

    fn run_backward(
        &self,
        parameters: &[f32],
        (d_outputs, block_len): (&[f32], Option<usize>),
        workspace: &mut Workspace,
        gradients: &mut [f32],
    ) {
        self.check(parameters, workspace);
        assert_eq!(gradients.len(), self.parameter_count, "gradient buffer of the wrong length");
        let Workspace { plan, values, gradients: d_values, kept, scratch, rows: forward_rows, choice, .. } = workspace;
        let chosen = block_len.map(|len| choice.rows(len));
        let last = self.layers.len() - 1;
        let of_a_row = plan.len(last + 1, 1);
        assert_eq!(d_outputs.len() % of_a_row, 0, "d_outputs is not a whole number of rows");
        let rows = d_outputs.len() / of_a_row;
        assert!(rows <= *forward_rows, "d_outputs has {rows} rows, the forward pass {forward_rows}");

        let activation = self.layers[last].layer.activation();
        let is_plain = activation == Activation::Identity;
        if !is_plain {
            let d_last = &mut d_values[last].as_mut_slice()[..d_outputs.len()];
            d_last.copy_from_slice(d_outputs);
            self.engine.kernel.differentiate(activation, &values[last + 1].as_slice()[..d_outputs.len()], d_last);
        }
        for (index, placed) in self.layers.iter().enumerate().rev() {
            let (before, after) = d_values.split_at_mut(index);
            let input_len = plan.len(index, rows);
            placed.layer.backward(BackwardPass {
                engine: self.engine,
                rows: plan.rows_in(index, rows),
                parameters: &parameters[placed.parameters.clone()],
                inputs: &values[index].as_slice()[..input_len],
                d_outputs: if is_plain && index == last {
                    d_outputs
                } else {
                    &after[0].as_slice()[..plan.len(index + 1, rows)]
                },
                chosen: chosen.as_ref().filter(|_| index == last),
                d_inputs: before
                    .last_mut()
                    .map(|d| (&mut d.as_mut_slice()[..input_len], self.layers[index - 1].layer.activation())),
                gradients: &mut gradients[placed.parameters.clone()],
                kept_rows: plan.rows_in(index + 1, *forward_rows),
                kept: &kept[index].as_slice()[..plan.kept_len(index, *forward_rows)],
                scratch: scratch.as_mut_slice(),
            });
        }
    }

    pub(crate) fn workspace_plan(&self, max_rows: usize, fractions: usize) -> WorkspacePlan {
        WorkspacePlan {
            max_rows,
            fractions: if self.reads_fractions() { fractions } else { 1 },
            expanded_from: self.embedding.map_or(usize::MAX, |index| index + 1),
            widths: Arc::clone(&self.widths),
            needs: Arc::clone(&self.needs),
            is_scaled: self.spec.input_scale != 1.0,
        }
    }

    /// How many blocks a row of outputs has.
    fn check_chosen(&self, chosen: Chosen<'_>, rows: usize) -> usize {
        let Chosen { blocks, block_len } = chosen;
        let of_a_row = if self.reads_fractions() { 0 } else { self.output_len() };
        assert!(
            block_len > 0 && of_a_row > 0 && of_a_row.is_multiple_of(block_len),
            "outputs in blocks of {block_len}"
        );
        assert!(blocks.len() <= rows, "blocks of {} rows, in a pass of {rows}", blocks.len());
        let count = of_a_row / block_len;
        assert!(blocks.iter().all(|&block| (block as usize) < count), "there are {count} blocks in a row");
        count
    }

    #[inline]
    fn check(&self, parameters: &[f32], workspace: &Workspace) {
        assert_eq!(parameters.len(), self.parameter_count, "parameter buffer of the wrong length");
        let plan = &workspace.plan;
        let expanded_from = self.embedding.map_or(usize::MAX, |index| index + 1);
        // A workspace created for this network, or for a copy of it, shares its layer information: then nothing has to be compared.
        let shares = Arc::ptr_eq(&plan.widths, &self.widths) && Arc::ptr_eq(&plan.needs, &self.needs);
        let same =
            (shares || plan.widths == self.widths && plan.needs == self.needs) && plan.expanded_from == expanded_from;
        assert!(same, "the workspace was made for another network");
    }
}

/// The index of the layer that reads fractions.
fn embedding(spec: &NetworkSpec) -> Result<Option<usize>, SpecError> {
    let is_embedding = |layer: &LayerSpec| matches!(layer, LayerSpec::FractionEmbedding { .. });
    let mut found = (0..spec.layers.len()).filter(|&index| is_embedding(&spec.layers[index]));
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(layer) => {
            let reason = "a network has at most one fraction embedding: the rows were given their fractions before";
            Err(SpecError::Incompatible { layer, reason: reason.into() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LayerSpec;

    #[test]
    fn slices_tile_the_parameters() {
        let network = Network::new(&NetworkSpec::mlp(4, &[8, 6], 2, Activation::Tanh)).unwrap();
        let names: Vec<&str> = network.slices().iter().map(|slice| slice.name.as_str()).collect();
        assert_eq!(names[..3], ["layers.0.weight", "layers.0.bias", "layers.1.weight"]);
        let mut end = 0;
        for slice in network.slices() {
            assert_eq!(slice.range.start, end);
            assert_eq!(slice.range.len(), slice.shape.iter().product::<usize>());
            end = slice.range.end;
        }
        assert_eq!(end, network.parameter_count());
    }

    #[test]
    fn what_is_not_a_network_is_refused() {
        let refuse = |spec: NetworkSpec| Network::new(&spec).unwrap_err();
        let good = NetworkSpec::mlp(4, &[8], 2, Activation::Relu);
        assert_eq!(refuse(NetworkSpec { layers: vec![], ..good.clone() }), SpecError::NoLayers);
        assert_eq!(
            refuse(NetworkSpec { input_shape: vec![4, 4], ..good.clone() }),
            SpecError::InputShape { shape: vec![4, 4] }
        );
        assert_eq!(refuse(NetworkSpec { input_scale: 0.0, ..good.clone() }), SpecError::InputScale { scale: 0.0 });
        assert_eq!(
            refuse(NetworkSpec::mlp(4, &[8, 0], 2, Activation::Relu)),
            SpecError::ZeroSize { layer: 1, field: "outputs" }
        );
        let huge = NetworkSpec::mlp(usize::MAX / 2, &[8], 2, Activation::Relu);
        assert_eq!(refuse(huge), SpecError::TooLarge { layer: 0 });
    }

    #[test]
    fn bytes_and_numbers_are_scaled_alike() {
        let dense = LayerSpec::Dense { outputs: 3, activation: Activation::Identity };
        let spec = NetworkSpec { input_shape: vec![2, 2, 2], input_scale: 1.0 / 255.0, layers: vec![dense] };
        let network = Network::new(&spec).unwrap();
        let parameters: Vec<f32> = (0..network.parameter_count()).map(|i| i as f32 * 0.1 - 1.0).collect();
        let pixels = [0, 255, 17, 3, 90, 128, 64, 200];
        let mut workspace = Workspace::new(&network, 2);
        workspace.input_bytes_mut(1).copy_from_slice(&pixels);
        let from_bytes = network.forward(&parameters, 1, &mut workspace).to_vec();
        let unscaled = Network::new(&NetworkSpec { input_scale: 1.0, ..spec }).unwrap();
        let mut other = Workspace::new(&unscaled, 1);
        other.input_mut(1).iter_mut().zip(pixels).for_each(|(x, p)| *x = f32::from(p) * (1.0 / 255.0));
        assert_eq!(from_bytes, unscaled.forward(&parameters, 1, &mut other));
        workspace.input_mut(1).iter_mut().zip(pixels).for_each(|(x, p)| *x = f32::from(p));
        assert_eq!(from_bytes, network.forward(&parameters, 1, &mut workspace));
        // A second pass reads the same input again.
        assert_eq!(from_bytes, network.forward(&parameters, 1, &mut workspace));
        // Bytes may also go in as they are.
        other.input_bytes_mut(1).copy_from_slice(&pixels);
        let unscaled_bytes = unscaled.forward(&parameters, 1, &mut other).to_vec();
        other.input_mut(1).iter_mut().zip(pixels).for_each(|(x, p)| *x = f32::from(p));
        assert_eq!(unscaled_bytes, unscaled.forward(&parameters, 1, &mut other));
    }

    #[test]
    fn a_workspace_counts_its_bytes_beforehand() {
        let network = Network::new(&NetworkSpec::mlp(4, &[64, 64], 2, Activation::Relu)).unwrap();
        let bytes = Workspace::bytes_needed(&network, 32).unwrap();
        assert!((32 * 4 * (4 + 2 * 130)..64 * 4 * (4 + 2 * 130)).contains(&bytes), "{bytes}");
        assert!(Workspace::bytes_needed(&network, usize::MAX / 8).is_err());
    }
}
