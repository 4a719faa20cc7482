//! The passes of a whole dense layer: blocks of all outputs, except in layers with few outputs.

use super::product::{Finish, Layout, Product, Start, Walk};
use super::{DenseBlock, Engine};
use crate::Activation;
use crate::reference::DenseShape;

impl Engine {
    /// As [`crate::reference::dense_forward`]; the lengths have been checked.
    pub(super) fn vector_dense_forward(
        self,
        shape: DenseShape,
        (w, b): (&[f32], &[f32]),
        x: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        if is_narrow(shape) {
            return self.narrow_forward(shape, (w, b), x, activation, y);
        }
        self.vector_block_forward(DenseBlock::whole(shape), (w, b), x, activation, y);
    }

    /// As [`crate::reference::dense_weight_gradient`]; the lengths have been checked.
    pub(super) fn vector_dense_weight_gradient(
        self,
        shape: DenseShape,
        x: &[f32],
        dy: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
    ) {
        if is_narrow(shape) {
            self.kernel.column_sums(dy, db);
            return self.narrow_weight_gradient(shape, x, dy, dw);
        }
        self.vector_block_weight_gradient(DenseBlock::whole(shape), x, dy, (dw, db));
    }

    /// As [`Engine::vector_dense_forward`], computing `yᵀ = wᵀ · xᵀ`: the rows of the batch fill the lanes.
    fn narrow_forward(
        self,
        shape: DenseShape,
        (w, b): (&[f32], &[f32]),
        x: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let DenseShape { inputs, outputs, .. } = shape;
        let mut transposed = [0.0; NARROW * BLOCK];
        for (x, y) in x.chunks(BLOCK * inputs).zip(y.chunks_mut(BLOCK * outputs)) {
            let rows = y.len() / outputs;
            let product = Product {
                rows: outputs,
                columns: rows,
                a: w.as_ptr(),
                a_rows: Walk::straight(outputs, 1),
                a_terms: Walk::straight(inputs, outputs),
                b: x.as_ptr(),
                b_layout: Layout::Columns,
                b_stride: inputs,
                c: transposed.as_mut_ptr(),
                c_stride: BLOCK,
                start: Start::Column(b.as_ptr()),
                finish: if activation == Activation::Relu { Finish::Relu } else { Finish::Keep },
            };
            // SAFETY: w is inputs × outputs, x is rows × inputs, b is outputs; outputs rows of BLOCK numbers, of which
            // `rows` are written, fit the array.
            unsafe { self.product(&product) };
            untranspose(&transposed, outputs, y);
        }
        if activation == Activation::Tanh {
            self.kernel.activate(activation, y);
        }
    }

    /// As [`Engine::vector_dense_weight_gradient`] without the bias, computing `dwᵀ = dyᵀ · x`: the inputs fill the lanes.
    fn narrow_weight_gradient(self, shape: DenseShape, x: &[f32], dy: &[f32], dw: &mut [f32]) {
        let DenseShape { rows, inputs, outputs } = shape;
        let mut transposed = [0.0; NARROW * BLOCK];
        for (block, dw) in dw.chunks_mut(BLOCK * outputs).enumerate() {
            let product = Product {
                rows: outputs,
                columns: dw.len() / outputs,
                a: dy.as_ptr(),
                a_rows: Walk::straight(outputs, 1),
                a_terms: Walk::straight(rows, outputs),
                b: x[block * BLOCK..].as_ptr(),
                b_layout: Layout::Terms,
                b_stride: inputs,
                c: transposed.as_mut_ptr(),
                c_stride: BLOCK,
                start: Start::Zero,
                finish: Finish::Keep,
            };
            // SAFETY: dy is rows × outputs; the columns are within a row of x; outputs rows of BLOCK numbers fit the array.
            unsafe { self.product(&product) };
            untranspose(&transposed, outputs, dw);
        }
    }
}

/// Most outputs of a layer that is computed transposed.
const NARROW: usize = 6;

/// Columns of a transposed block.
const BLOCK: usize = 64;

/// Whether so few outputs would leave most of a register empty, and the batch can fill it instead.
fn is_narrow(shape: DenseShape) -> bool {
    (1..=NARROW).contains(&shape.outputs) && shape.rows >= 8 && shape.inputs >= 8
}

/// `to[i][o] = from[o][i]`, rows of `outputs` from rows of [`BLOCK`].
fn untranspose(from: &[f32; NARROW * BLOCK], outputs: usize, to: &mut [f32]) {
    for (i, to) in to.chunks_exact_mut(outputs).enumerate() {
        for (o, to) in to.iter_mut().enumerate() {
            *to = from[o * BLOCK + i];
        }
    }
}
