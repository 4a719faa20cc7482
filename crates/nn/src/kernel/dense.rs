//! A dense layer's three passes as [`Product`]s.

use super::Kernel;
use super::product::{Finish, Layout, Product, Start, Walk};
use crate::Activation;
use crate::reference::DenseShape;

impl Kernel {
    /// As [`crate::reference::dense_forward`]; the lengths have been checked.
    pub(super) fn vector_dense_forward(
        self,
        shape: DenseShape,
        (w, b): (&[f32], &[f32]),
        x: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let DenseShape { rows, inputs, outputs } = shape;
        let product = Product {
            rows,
            columns: outputs,
            a: x.as_ptr(),
            a_rows: Walk::straight(rows, inputs),
            a_terms: Walk::straight(inputs, 1),
            b: w.as_ptr(),
            b_layout: Layout::Terms,
            b_stride: outputs,
            c: y.as_mut_ptr(),
            c_stride: outputs,
            start: Start::Row(b.as_ptr()),
            finish: if activation == Activation::Relu { Finish::Relu } else { Finish::Keep },
        };
        // SAFETY: x is rows × inputs, w is inputs × outputs, b is outputs, y is rows × outputs and not shared.
        unsafe { self.product(&product) };
        if activation == Activation::Tanh {
            self.activate(activation, y);
        }
    }

    /// As [`crate::reference::dense_input_gradient`]; the lengths have been checked.
    pub(super) fn vector_dense_input_gradient(
        self,
        shape: DenseShape,
        w: &[f32],
        dy: &[f32],
        (x, activation): (&[f32], Activation),
        dx: &mut [f32],
    ) {
        let DenseShape { rows, inputs, outputs } = shape;
        let product = Product {
            rows,
            columns: inputs,
            a: dy.as_ptr(),
            a_rows: Walk::straight(rows, outputs),
            a_terms: Walk::straight(outputs, 1),
            b: w.as_ptr(),
            b_layout: Layout::Columns,
            b_stride: outputs,
            c: dx.as_mut_ptr(),
            c_stride: inputs,
            start: Start::Zero,
            finish: if activation == Activation::Relu { Finish::WherePositive(x.as_ptr()) } else { Finish::Keep },
        };
        // SAFETY: dy is rows × outputs, w is inputs × outputs, x and dx are rows × inputs, and dx is not shared.
        unsafe { self.product(&product) };
        if activation == Activation::Tanh {
            self.differentiate(activation, x, dx);
        }
    }

    /// As [`crate::reference::dense_weight_gradient`]; the lengths have been checked.
    pub(super) fn vector_dense_weight_gradient(
        self,
        shape: DenseShape,
        x: &[f32],
        dy: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
    ) {
        let DenseShape { rows, inputs, outputs } = shape;
        let product = Product {
            rows: inputs,
            columns: outputs,
            a: x.as_ptr(),
            a_rows: Walk::straight(inputs, 1),
            a_terms: Walk::straight(rows, inputs),
            b: dy.as_ptr(),
            b_layout: Layout::Terms,
            b_stride: outputs,
            c: dw.as_mut_ptr(),
            c_stride: outputs,
            start: Start::Zero,
            finish: Finish::Keep,
        };
        // SAFETY: x is rows × inputs, dy is rows × outputs, dw is inputs × outputs and not shared.
        unsafe { self.product(&product) };
        self.column_sums(dy, db);
    }
}
