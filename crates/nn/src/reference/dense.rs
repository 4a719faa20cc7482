//! The fully connected layer.

use super::{Real, activate, differentiate};
use crate::Activation;

/// The sizes of a dense layer's matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseShape {
    /// Rows of the batch.
    pub rows: usize,
    /// Inputs of a row.
    pub inputs: usize,
    /// Outputs of a row.
    pub outputs: usize,
}

/// `y[r][o] = activation(b[o] + Σ_k x[r][k]·w[k][o])`, k increasing.
pub fn dense_forward<R: Real>(shape: DenseShape, (w, b): (&[R], &[R]), x: &[R], activation: Activation, y: &mut [R]) {
    for r in 0..shape.rows {
        for o in 0..shape.outputs {
            let mut sum = b[o];
            for k in 0..shape.inputs {
                sum = x[r * shape.inputs + k].fma(w[k * shape.outputs + o], sum);
            }
            y[r * shape.outputs + o] = activate(activation, sum);
        }
    }
}

/// `dx[r][k] = (Σ_o dy[r][o]·w[k][o]) · activation'(x)`, o increasing from 0, where `x` is the output of the layer
/// before (and input of this one) and `activation` is that layer's.
pub fn dense_input_gradient<R: Real>(
    shape: DenseShape,
    w: &[R],
    dy: &[R],
    (x, activation): (&[R], Activation),
    dx: &mut [R],
) {
    for r in 0..shape.rows {
        for k in 0..shape.inputs {
            let mut sum = R::ZERO;
            for o in 0..shape.outputs {
                sum = dy[r * shape.outputs + o].fma(w[k * shape.outputs + o], sum);
            }
            let i = r * shape.inputs + k;
            dx[i] = differentiate(activation, x[i], sum);
        }
    }
}

/// `dw[k][o] = Σ_r x[r][k]·dy[r][o]` and `db[o] = Σ_r dy[r][o]`, r increasing from 0.
pub fn dense_weight_gradient<R: Real>(shape: DenseShape, x: &[R], dy: &[R], (dw, db): (&mut [R], &mut [R])) {
    for o in 0..shape.outputs {
        for k in 0..shape.inputs {
            let mut sum = R::ZERO;
            for r in 0..shape.rows {
                sum = x[r * shape.inputs + k].fma(dy[r * shape.outputs + o], sum);
            }
            dw[k * shape.outputs + o] = sum;
        }
    }
    column_sums(dy, db);
}

/// `sums[o] = Σ_r rows[r][o]`, r increasing from 0.
pub fn column_sums<R: Real>(rows: &[R], sums: &mut [R]) {
    sums.fill(R::ZERO);
    if !sums.is_empty() {
        for row in rows.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum = sum.plus(x));
        }
    }
}
