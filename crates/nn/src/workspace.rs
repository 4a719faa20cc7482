//! [`Workspace`]: everything that a pass through a network writes.

use std::ops::Range;
use std::sync::Arc;

use crate::kernel::{Kernel, Task};
use crate::layer::{Chosen, ChosenRows, Needs};
use crate::{Network, SpecError};

/// Numbers in a cache line of 64 bytes; every region of a workspace starts on one.
const LINE: usize = 16;

/// The buffers for the passes of one [`Network`], allocated once: its input, each layer's outputs, their gradients.
///
/// ```
/// use requel_nn::{Activation, Network, NetworkSpec, Workspace};
///
/// let network = Network::new(&NetworkSpec::mlp(3, &[8], 2, Activation::Relu))?;
/// let mut workspace = Workspace::new(&network, 32);
/// workspace.input_mut(1).copy_from_slice(&[0.1, -0.2, 0.3]);
/// let outputs = network.forward(&vec![0.5; network.parameter_count()], 1, &mut workspace);
/// assert_eq!(outputs.len(), 2);
/// # Ok::<(), requel_nn::SpecError>(())
/// ```
#[derive(Debug)]
pub struct Workspace {
    pub(crate) plan: WorkspacePlan,
    /// One buffer for each region of the plan.
    pub(crate) values: Vec<Buffer>,
    pub(crate) gradients: Vec<Buffer>,
    /// Noise drawn by the caller for noisy layers; 0 at first.
    pub(crate) noise: Buffer,
    /// For each row, if the network reads fractions.
    pub(crate) fractions: Vec<f32>,
    /// What each layer keeps from a forward pass for the backward pass.
    pub(crate) kept: Vec<Buffer>,
    /// What a layer needs during a pass.
    pub(crate) scratch: Buffer,
    /// Rows of the last forward pass.
    pub(crate) rows: usize,
    /// The blocks chosen by the caller for it.
    pub(crate) choice: Choice,
    /// Where the caller writes the input if the network scales it; otherwise empty.
    raw: Buffer,
    /// Where the caller writes an input of bytes.
    bytes: Vec<u8>,
    source: Source,
}

/// Which buffer the caller last wrote the input to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Numbers,
    Bytes,
}

/// The sizes of a workspace, known before it is allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkspacePlan {
    pub max_rows: usize,
    /// Fractions per row; 1 if the network reads none.
    pub fractions: usize,
    /// The first region with one row per fraction; beyond the last if the network reads none.
    pub expanded_from: usize,
    /// Numbers in a row of the input (first) and of each layer's outputs: the regions.
    pub widths: Arc<[usize]>,
    /// Of each layer.
    pub needs: Arc<[Needs]>,
    /// Whether the input is scaled.
    pub is_scaled: bool,
}

impl WorkspacePlan {
    /// Rows of a region for `rows` observations.
    pub fn rows_in(&self, region: usize, rows: usize) -> usize {
        if region < self.expanded_from { rows } else { rows * self.fractions }
    }

    /// Numbers of a region for `rows` observations.
    pub fn len(&self, region: usize, rows: usize) -> usize {
        self.rows_in(region, rows) * self.widths[region]
    }

    /// Numbers that a layer keeps of a pass over `rows` observations.
    pub fn kept_len(&self, layer: usize, rows: usize) -> usize {
        self.needs[layer].kept + self.rows_in(layer + 1, rows) * self.needs[layer].kept_per_row
    }

    /// The lengths of the buffers, or the layer for which they overflow.
    fn sizes(&self) -> Result<Sizes, SpecError> {
        let too_large = |layer| SpecError::TooLarge { layer };
        let expanded = self.max_rows.checked_mul(self.fractions).ok_or(too_large(0))?;
        let rows = |region| if region < self.expanded_from { self.max_rows } else { expanded };
        let mut values = Vec::with_capacity(self.widths.len());
        for (region, width) in self.widths.iter().enumerate() {
            values.push(width.checked_mul(rows(region)).ok_or(too_large(region.saturating_sub(1)))?);
        }
        let (mut kept, mut scratch, mut noise) = (Vec::with_capacity(self.needs.len()), 0, 0_usize);
        for (layer, needs) in self.needs.iter().enumerate() {
            let len = |once: usize, per_row: usize| {
                per_row.checked_mul(rows(layer + 1)).and_then(|len| len.checked_add(once)).ok_or(too_large(layer))
            };
            kept.push(len(needs.kept, needs.kept_per_row)?);
            scratch = len(needs.scratch, needs.scratch_per_row)?.max(scratch);
            noise = noise.checked_add(needs.noise).ok_or(too_large(layer))?;
        }
        let fractions = if self.expanded_from < self.widths.len() { expanded } else { 0 };
        let raw = if self.is_scaled { values[0] } else { 0 };
        Ok(Sizes { values, kept, scratch, noise, fractions, raw })
    }
}

/// The number of numbers in each buffer.
struct Sizes {
    values: Vec<usize>,
    kept: Vec<usize>,
    scratch: usize,
    noise: usize,
    fractions: usize,
    /// Of the unscaled input.
    raw: usize,
}

impl Workspace {
    /// A workspace for batches of at most `max_rows` rows. A batch of 0 rows is allowed and gives nothing. If the network reads fractions,
    /// it is created for one fraction per row, which is ½ until another is set: see [`Workspace::with_fractions`].
    ///
    /// # Panics
    /// If the buffers do not fit into the address space; [`Workspace::bytes_needed`] checks that beforehand.
    pub fn new(network: &Network, max_rows: usize) -> Workspace {
        Workspace::with_fractions(network, max_rows, 1)
    }

    /// Like [`Workspace::new`], with `fractions` fractions per row for a network that reads them; for other networks it equals
    /// [`Workspace::new`]. They are spread evenly until others are set: (i + ½) / `fractions`.
    ///
    /// # Panics
    /// If `fractions` is 0, or the buffers do not fit into the address space; [`Workspace::bytes_needed_with_fractions`] checks that
    /// beforehand.
    pub fn with_fractions(network: &Network, max_rows: usize, fractions: usize) -> Workspace {
        assert!(fractions > 0, "a workspace is made for at least one fraction of a row");
        let plan = network.workspace_plan(max_rows, fractions);
        let sizes = plan.sizes().expect("the workspace does not fit the address space");
        let spread = |i: usize| ((i % fractions) as f32 + 0.5) / fractions as f32;
        Workspace {
            values: sizes.values.iter().map(|&len| Buffer::new(len)).collect(),
            gradients: sizes.values.iter().skip(1).map(|&len| Buffer::new(len)).collect(),
            noise: Buffer::new(sizes.noise),
            fractions: (0..sizes.fractions).map(spread).collect(),
            kept: sizes.kept.iter().map(|&len| Buffer::new(len)).collect(),
            scratch: Buffer::new(sizes.scratch),
            rows: 0,
            choice: Choice::default(),
            raw: Buffer::new(sizes.raw),
            bytes: vec![0; sizes.values[0]],
            source: Source::Numbers,
            plan,
        }
    }

    /// Bytes that [`Workspace::new`] would allocate.
    ///
    /// # Errors
    /// [`SpecError::TooLarge`] if their number overflows a `usize`.
    pub fn bytes_needed(network: &Network, max_rows: usize) -> Result<usize, SpecError> {
        Workspace::bytes_needed_with_fractions(network, max_rows, 1)
    }

    /// Bytes that [`Workspace::with_fractions`] would allocate.
    ///
    /// # Errors
    /// [`SpecError::TooLarge`] if their number overflows a `usize`.
    pub fn bytes_needed_with_fractions(
        network: &Network,
        max_rows: usize,
        fractions: usize,
    ) -> Result<usize, SpecError> {
        let sizes = network.workspace_plan(max_rows, fractions).sizes()?;
        let buffers = (sizes.values.iter().chain(&sizes.values[1..]).chain(&sizes.kept)).chain([
            &sizes.noise,
            &sizes.scratch,
            &sizes.raw,
        ]);
        let mut numbers = sizes.fractions;
        let too_large = SpecError::TooLarge { layer: sizes.kept.len() - 1 };
        for len in buffers {
            numbers = numbers.checked_add(*len).and_then(|len| len.checked_add(LINE)).ok_or(too_large.clone())?;
        }
        (numbers.checked_mul(size_of::<f32>())).and_then(|bytes| bytes.checked_add(sizes.values[0])).ok_or(too_large)
    }

    /// The maximum number of rows in a batch.
    pub fn max_rows(&self) -> usize {
        self.plan.max_rows
    }

    /// The input of the next pass, `rows × input_len`, one row after another. The input of the last pass stays until it is overwritten.
    ///
    /// # Panics
    /// If `rows` is more than the workspace was created for.
    #[inline]
    pub fn input_mut(&mut self, rows: usize) -> &mut [f32] {
        self.check_rows(rows);
        self.source = Source::Numbers;
        let buffer = if self.plan.is_scaled { &mut self.raw } else { &mut self.values[0] };
        &mut buffer.as_mut_slice()[..rows * self.plan.widths[0]]
    }

    /// Like [`Workspace::input_mut`], for observations stored as bytes: each is converted and multiplied by the network's `input_scale`
    /// during the pass. The next pass reads whichever of the two was requested last.
    ///
    /// # Panics
    /// If `rows` is more than the workspace was created for.
    pub fn input_bytes_mut(&mut self, rows: usize) -> &mut [u8] {
        self.check_rows(rows);
        self.source = Source::Bytes;
        &mut self.bytes[..rows * self.plan.widths[0]]
    }

    /// Fractions per row that the workspace was created for; 1 if the network reads none.
    pub fn fractions(&self) -> usize {
        self.plan.fractions
    }

    /// The fractions that the next pass reads, `rows × fractions`, each from 0 to 1: all of row 0 first. Those of the last pass stay until
    /// they are overwritten. Empty if the network reads none.
    ///
    /// # Panics
    /// If `rows` is more than the workspace was created for.
    pub fn fractions_mut(&mut self, rows: usize) -> &mut [f32] {
        self.check_rows(rows);
        let len = if self.fractions.is_empty() { 0 } else { rows * self.plan.fractions };
        &mut self.fractions[..len]
    }

    /// The standard normals that the next pass of a network with noisy layers reads, [`Network::noise_len`] of them: one draw for all rows
    /// of the pass. They are 0 at first, which gives exactly the network of the mean weights, and stay until they are overwritten. For each
    /// noisy part, in the order of its parameters, there is one for each input, then one for each output.
    pub fn noise_mut(&mut self) -> &mut [f32] {
        self.noise.as_mut_slice()
    }

    /// The outputs of the last pass, `rows × output_len`, or `rows × fractions × output_len`.
    ///
    /// # Panics
    /// If the last pass had fewer rows.
    #[inline]
    pub fn outputs(&self, rows: usize) -> &[f32] {
        assert!(rows <= self.rows, "the last forward pass had {} rows, not {rows}", self.rows);
        let last = self.values.len() - 1;
        &self.values[last].as_slice()[..self.plan.len(last, rows)]
    }

    /// The outputs of layer `layer` in the last pass, rows × outputs; if the network reads fractions and the layer comes after them, rows ×
    /// fractions × outputs. For the last layer, only the outputs requested from the pass are valid.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn activations(&self, layer: usize) -> &[f32] {
        &self.values[layer + 1].as_slice()[..self.plan.len(layer + 1, self.rows)]
    }

    /// Moves the input of `rows` rows to where the first layer reads it.
    pub(crate) fn scale_input(&mut self, rows: usize, scale: f32, kernel: Kernel) {
        let len = rows * self.plan.widths[0];
        let scaled = &mut self.values[0].as_mut_slice()[..len];
        match self.source {
            Source::Numbers if !self.plan.is_scaled => {}
            Source::Numbers => kernel.run(Scale { from: self.raw.as_slice(), scale, to: scaled }),
            Source::Bytes => kernel.run(Scale { from: &self.bytes, scale, to: scaled }),
        }
    }

    pub(crate) fn check_rows(&self, rows: usize) {
        assert!(rows <= self.max_rows(), "the workspace holds {} rows, not {rows}", self.max_rows());
    }
}

/// Converts numbers and multiplies them, for the input of a network.
struct Scale<'a, T> {
    from: &'a [T],
    scale: f32,
    to: &'a mut [f32],
}

impl<T: Copy + Into<f32>> Task for Scale<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = (*from).into() * self.scale;
        }
    }
}

/// The blocks of outputs that are read in a pass, and its rows grouped by block.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub blocks: Vec<u32>,
    pub order: Vec<u32>,
    /// For each block, where its next row goes.
    places: Vec<u32>,
}

impl Choice {
    /// In the form that layers need, with blocks of this many outputs.
    pub fn rows(&self, block_len: usize) -> ChosenRows<'_> {
        ChosenRows { chosen: Chosen { blocks: &self.blocks, block_len }, order: &self.order }
    }

    /// Groups the rows by which of these `count` blocks they read, without branches that depend on the data.
    pub fn sort(&mut self, blocks: &[u32], count: usize) {
        let Choice { blocks: own, order, places } = self;
        own.clear();
        own.extend_from_slice(blocks);
        places.clear();
        places.resize(count + 1, 0);
        for &block in blocks {
            places[block as usize + 1] += 1;
        }
        let mut start = 0;
        for place in places.iter_mut() {
            start += *place;
            *place = start;
        }
        order.resize(blocks.len(), 0);
        for (row, &block) in (0..).zip(blocks) {
            let place = &mut places[block as usize];
            order[*place as usize] = row;
            *place += 1;
        }
    }
}

/// Numbers that start on a cache line, so that a vector load never straddles two.
#[derive(Debug)]
pub(crate) struct Buffer {
    data: Vec<f32>,
    range: Range<usize>,
}

impl Buffer {
    pub fn new(len: usize) -> Buffer {
        let data = vec![0.0; len + LINE];
        // The vector never grows, so it never moves.
        let start = data.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Buffer { data, range: start..start + len }
    }

    pub fn as_slice(&self) -> &[f32] {
        &self.data[self.range.clone()]
    }

    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data[self.range.clone()]
    }
}
