//! A dense layer's three passes as [`Product`]s, of all its outputs or of some neighbouring ones.

use super::Engine;
use super::product::{Finish, Layout, Product, Start, Walk};
use crate::Activation;
use crate::reference::DenseShape;

/// Some neighbouring outputs of a dense layer: columns of its weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DenseBlock {
    /// Rows of the batch, inputs, and the outputs of the block.
    pub shape: DenseShape,
    /// The first of its outputs.
    pub first: usize,
    /// Outputs of the whole layer.
    pub of: usize,
}

impl DenseBlock {
    /// All outputs.
    pub fn whole(shape: DenseShape) -> DenseBlock {
        DenseBlock { shape, first: 0, of: shape.outputs }
    }
}

/// Of `x` and `dx`, `y` and `dy` there are only the rows, and the outputs, of the block; the weight, the bias and their
/// gradients are those of the whole layer. The lengths have been checked.
impl Engine {
    /// As [`Engine::dense_forward`].
    pub(super) fn vector_block_forward(
        self,
        block: DenseBlock,
        (w, b): (&[f32], &[f32]),
        x: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let DenseBlock { shape: DenseShape { rows, inputs, outputs }, first, of } = block;
        let product = Product {
            rows,
            columns: outputs,
            a: x.as_ptr(),
            a_rows: Walk::straight(rows, inputs),
            a_terms: Walk::straight(inputs, 1),
            b: w[first..].as_ptr(),
            b_layout: Layout::Terms,
            b_stride: of,
            c: y.as_mut_ptr(),
            c_stride: outputs,
            start: Start::Row(b[first..].as_ptr()),
            finish: if activation == Activation::Relu { Finish::Relu } else { Finish::Keep },
        };
        // SAFETY: x is rows × inputs and y rows × outputs, which nobody shares; w is inputs × of and b is of, from where
        // `outputs` columns on from `first` are read.
        unsafe { self.product(&product) };
        if activation == Activation::Tanh {
            self.kernel.activate(activation, y);
        }
    }

    /// As [`Engine::dense_input_gradient`].
    pub(super) fn vector_block_input_gradient(
        self,
        block: DenseBlock,
        w: &[f32],
        dy: &[f32],
        (x, activation): (&[f32], Activation),
        dx: &mut [f32],
    ) {
        let DenseBlock { shape: DenseShape { rows, inputs, outputs }, first, of } = block;
        let product = Product {
            rows,
            columns: inputs,
            a: dy.as_ptr(),
            a_rows: Walk::straight(rows, outputs),
            a_terms: Walk::straight(outputs, 1),
            b: w[first..].as_ptr(),
            b_layout: Layout::Columns,
            b_stride: of,
            c: dx.as_mut_ptr(),
            c_stride: inputs,
            start: Start::Zero,
            finish: if activation == Activation::Relu { Finish::WherePositive(x.as_ptr()) } else { Finish::Keep },
        };
        // SAFETY: dy is rows × outputs, x and dx are rows × inputs, and dx is not shared; of w, inputs × of, the columns
        // from `first` on are read.
        unsafe { self.product(&product) };
        if activation == Activation::Tanh {
            self.kernel.differentiate(activation, x, dx);
        }
    }

    /// As [`Engine::dense_weight_gradient`]; what belongs to other outputs is left alone.
    pub(super) fn vector_block_weight_gradient(
        self,
        block: DenseBlock,
        x: &[f32],
        dy: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
    ) {
        let DenseBlock { shape: DenseShape { rows, inputs, outputs }, first, of } = block;
        self.kernel.column_sums(dy, &mut db[first..first + outputs]);
        let product = Product {
            rows: inputs,
            columns: outputs,
            a: x.as_ptr(),
            a_rows: Walk::straight(inputs, 1),
            a_terms: Walk::straight(rows, inputs),
            b: dy.as_ptr(),
            b_layout: Layout::Terms,
            b_stride: outputs,
            c: dw[first..].as_mut_ptr(),
            c_stride: of,
            start: Start::Zero,
            finish: Finish::Keep,
        };
        // SAFETY: x is rows × inputs, dy is rows × outputs; of dw, inputs × of and not shared, the columns from `first` on
        // are written.
        unsafe { self.product(&product) };
    }
}
