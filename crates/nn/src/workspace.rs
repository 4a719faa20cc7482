//! [`Workspace`]: everything that a pass through a network writes.

use std::ops::Range;

use crate::{Network, SpecError};

/// Numbers in a cache line of 64 bytes; every region of a workspace begins on one.
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
    /// What a layer needs during its backward pass.
    pub(crate) scratch: Buffer,
    /// Rows of the last forward pass.
    pub(crate) rows: usize,
    /// What the caller writes where the network scales its input; empty where it does not.
    raw: Buffer,
    bytes: Vec<u8>,
    source: Source,
}

/// Which buffer the caller wrote the input into last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Numbers,
    Bytes,
}

/// The sizes of a workspace, known before it is allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkspacePlan {
    pub max_rows: usize,
    /// Numbers in a row of the input (first) and of each layer's outputs.
    pub widths: Vec<usize>,
    pub scratch_len: usize,
    /// Whether the input is multiplied by something on the way in.
    pub is_scaled: bool,
}

impl Workspace {
    /// A workspace for batches of at most `max_rows` rows. A batch of 0 rows is allowed and gives nothing.
    ///
    /// # Panics
    /// If the buffers do not fit the address space; [`Workspace::bytes_needed`] tells beforehand.
    pub fn new(network: &Network, max_rows: usize) -> Workspace {
        let plan = network.workspace_plan(max_rows);
        let len = |width: &usize| width.checked_mul(max_rows).expect("the workspace does not fit the address space");
        Workspace {
            values: plan.widths.iter().map(|width| Buffer::new(len(width))).collect(),
            gradients: plan.widths.iter().skip(1).map(|width| Buffer::new(len(width))).collect(),
            scratch: Buffer::new(plan.scratch_len),
            rows: 0,
            raw: Buffer::new(if plan.is_scaled { len(&plan.widths[0]) } else { 0 }),
            bytes: vec![0; if plan.is_scaled { len(&plan.widths[0]) } else { 0 }],
            source: Source::Numbers,
            plan,
        }
    }

    /// Bytes that [`Workspace::new`] would allocate.
    ///
    /// # Errors
    /// [`SpecError::TooLarge`] if they cannot be counted in a `usize`.
    pub fn bytes_needed(network: &Network, max_rows: usize) -> Result<usize, SpecError> {
        let plan = network.workspace_plan(max_rows);
        let mut numbers: usize = 0;
        for (layer, width) in plan.widths.iter().enumerate() {
            // A scaled input is kept as numbers twice and as bytes once, rounded up to a number.
            let copies = if layer == 0 && !plan.is_scaled { 1 } else { 2 + usize::from(layer == 0) };
            numbers = (width.checked_mul(max_rows))
                .and_then(|len| len.checked_add(LINE)?.checked_mul(copies))
                .and_then(|len| numbers.checked_add(len))
                .ok_or(SpecError::TooLarge { layer: layer.saturating_sub(1) })?;
        }
        let last = plan.widths.len() - 2;
        (numbers.checked_add(plan.scratch_len))
            .and_then(|numbers| numbers.checked_add(LINE)?.checked_mul(size_of::<f32>()))
            .ok_or(SpecError::TooLarge { layer: last })
    }

    /// The most rows of a batch.
    pub fn max_rows(&self) -> usize {
        self.plan.max_rows
    }

    /// The input of the next pass, `rows × input_len`, one row after another. What a pass read stays until it is
    /// overwritten.
    ///
    /// # Panics
    /// If `rows` is more than the workspace was made for.
    pub fn input_mut(&mut self, rows: usize) -> &mut [f32] {
        self.check_rows(rows);
        self.source = Source::Numbers;
        let buffer = if self.plan.is_scaled { &mut self.raw } else { &mut self.values[0] };
        &mut buffer.as_mut_slice()[..rows * self.plan.widths[0]]
    }

    /// As [`Workspace::input_mut`], for observations that are stored as bytes: each is converted and multiplied by the
    /// network's `input_scale` in the pass. The next pass reads whichever of the two was asked for last.
    ///
    /// # Panics
    /// If `rows` is more than the workspace was made for, or the network's `input_scale` is 1.
    pub fn input_bytes_mut(&mut self, rows: usize) -> &mut [u8] {
        self.check_rows(rows);
        assert!(self.plan.is_scaled, "bytes are read by networks whose input_scale is not 1");
        self.source = Source::Bytes;
        &mut self.bytes[..rows * self.plan.widths[0]]
    }

    /// The outputs of the last pass, `rows × output_len`.
    ///
    /// # Panics
    /// If the last pass had fewer rows.
    pub fn outputs(&self, rows: usize) -> &[f32] {
        assert!(rows <= self.rows, "the last forward pass had {} rows, not {rows}", self.rows);
        let width = self.plan.widths[self.plan.widths.len() - 1];
        &self.values[self.values.len() - 1].as_slice()[..rows * width]
    }

    /// Brings the input of `rows` rows to where the first layer reads it.
    pub(crate) fn scale_input(&mut self, rows: usize, scale: f32) {
        if !self.plan.is_scaled {
            return;
        }
        let len = rows * self.plan.widths[0];
        let scaled = &mut self.values[0].as_mut_slice()[..len];
        match self.source {
            Source::Numbers => scaled.iter_mut().zip(self.raw.as_slice()).for_each(|(y, &x)| *y = x * scale),
            Source::Bytes => scaled.iter_mut().zip(&self.bytes).for_each(|(y, &x)| *y = f32::from(x) * scale),
        }
    }

    pub(crate) fn check_rows(&self, rows: usize) {
        assert!(rows <= self.max_rows(), "the workspace holds {} rows, not {rows}", self.max_rows());
    }
}

/// Numbers that begin on a cache line, so that a vector load never straddles two.
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
