//! Forward and backward passes of a dense layer where each row needs only one block of outputs (the atoms of the action taken). Rows
//! are grouped by block, and each group is multiplied by that block's weights only.

use super::plan::{BackwardPass, ChosenRows, ForwardPass};
use crate::kernel::DenseBlock;
use crate::reference::DenseShape;
use crate::{Activation, Kernel};

/// Fewer outputs than this fill no vector register.
const LEAST_BLOCK: usize = 16;

/// Whether the savings are worth grouping the rows. The scalar twin computes whole layers.
pub(super) fn is_worth_it(kernel: Kernel, block_len: usize, outputs: usize) -> bool {
    kernel != Kernel::SCALAR && block_len >= LEAST_BLOCK && 2 * block_len <= outputs
}

/// Numbers of a row that the forward pass leaves for the backward pass: its input, in the order of the blocks.
pub(super) fn kept_per_row(inputs: usize) -> usize {
    inputs
}

/// Numbers of a row that a pass needs for itself.
pub(super) fn scratch_per_row(inputs: usize, outputs: usize) -> usize {
    inputs + outputs
}

/// The outputs that are read, of a layer with these inputs and outputs and no activation.
pub(super) fn forward(pass: &mut ForwardPass<'_>, rows: &ChosenRows<'_>, (inputs, outputs): (usize, usize)) {
    let (w, b) = pass.parameters.split_at(inputs * outputs);
    let len = rows.chosen.block_len;
    let mut kept = &mut pass.kept[..rows.order.len() * inputs];
    for (block, members) in groups(rows) {
        let (x, rest) = kept.split_at_mut(members.len() * inputs);
        kept = rest;
        gather(members, (pass.inputs, inputs, 0), x, inputs);
        let y = &mut pass.scratch[..members.len() * len];
        let shape = DenseShape { rows: members.len(), inputs, outputs: len };
        pass.engine.block_forward(
            DenseBlock { shape, first: block * len, of: outputs },
            (w, b),
            x,
            Activation::Identity,
            y,
        );
        for (&row, y) in members.iter().zip(y.chunks_exact(len)) {
            pass.outputs[row as usize * outputs + block * len..][..len].copy_from_slice(y);
        }
    }
}

/// The gradients, where every row is read in one block.
pub(super) fn backward(pass: BackwardPass<'_>, rows: &ChosenRows<'_>, (inputs, outputs): (usize, usize)) {
    let w = &pass.parameters[..inputs * outputs];
    let (dw, db) = pass.gradients.split_at_mut(inputs * outputs);
    let len = rows.chosen.block_len;
    let mut d_inputs = pass.d_inputs;
    let mut kept = pass.kept;
    let mut next = 0;
    for (block, members) in groups(rows) {
        clear(dw, (next * len, block * len), outputs);
        clear(db, (next * len, block * len), outputs);
        next = block + 1;
        let (x, rest) = kept.split_at(members.len() * inputs);
        kept = rest;
        let (dy, scratch) = pass.scratch.split_at_mut(members.len() * len);
        gather(members, (pass.d_outputs, outputs, block * len), dy, len);
        let shape = DenseShape { rows: members.len(), inputs, outputs: len };
        let place = DenseBlock { shape, first: block * len, of: outputs };
        pass.engine.block_weight_gradient(place, x, dy, (dw, db));
        if let Some((d_inputs, activation)) = &mut d_inputs {
            let dx = &mut scratch[..members.len() * inputs];
            pass.engine.block_input_gradient(place, w, dy, (x, *activation), dx);
            for (&row, dx) in members.iter().zip(dx.chunks_exact(inputs)) {
                d_inputs[row as usize * inputs..][..inputs].copy_from_slice(dx);
            }
        }
    }
    clear(dw, (next * len, outputs), outputs);
    clear(db, (next * len, outputs), outputs);
}

/// The blocks that are read, each with its rows.
fn groups<'a>(rows: &ChosenRows<'a>) -> impl Iterator<Item = (usize, &'a [u32])> {
    let ChosenRows { chosen, order } = *rows;
    let block_of = move |row: u32| chosen.blocks[row as usize];
    order.chunk_by(move |&a, &b| block_of(a) == block_of(b)).map(move |group| (block_of(group[0]) as usize, group))
}

/// Copies `len` numbers of each of `rows`, from `first` on in rows of `stride`, one behind the other.
fn gather(rows: &[u32], (from, stride, first): (&[f32], usize, usize), to: &mut [f32], len: usize) {
    for (&row, to) in rows.iter().zip(to.chunks_exact_mut(len)) {
        to.copy_from_slice(&from[row as usize * stride + first..][..len]);
    }
}

/// 0 in the columns from `first` up to `end` of rows of `width`: outputs that no row is read in.
fn clear(numbers: &mut [f32], (first, end): (usize, usize), width: usize) {
    if first < end {
        numbers.chunks_exact_mut(width).for_each(|row| row[first..end].fill(0.0));
    }
}
