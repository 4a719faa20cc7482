//! The interface: the routines that an engine offers. Lengths are checked here, once, for every instruction set.

use super::select::Isa;
use super::{DenseBlock, Engine};
use crate::Activation;
use crate::reference::{self, DenseShape};

impl Engine {
    /// See [`reference::dense_forward`].
    pub(crate) fn dense_forward(
        self,
        shape: DenseShape,
        (w, b): (&[f32], &[f32]),
        x: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let DenseShape { rows, inputs, outputs } = shape;
        check_lengths(&[(w.len(), inputs * outputs), (b.len(), outputs), (x.len(), rows * inputs)]);
        check_lengths(&[(y.len(), rows * outputs)]);
        match self.kernel.0 {
            Isa::Scalar => reference::dense_forward(shape, (w, b), x, activation, y),
            #[allow(unreachable_patterns)] // there may be no other
            _ => self.vector_dense_forward(shape, (w, b), x, activation, y),
        }
    }

    /// See [`reference::dense_input_gradient`].
    pub(crate) fn dense_input_gradient(
        self,
        shape: DenseShape,
        w: &[f32],
        dy: &[f32],
        (x, activation): (&[f32], Activation),
        dx: &mut [f32],
    ) {
        let DenseShape { rows, inputs, outputs } = shape;
        check_lengths(&[(w.len(), inputs * outputs), (dy.len(), rows * outputs), (x.len(), rows * inputs)]);
        check_lengths(&[(dx.len(), rows * inputs)]);
        match self.kernel.0 {
            Isa::Scalar => reference::dense_input_gradient(shape, w, dy, (x, activation), dx),
            #[allow(unreachable_patterns)]
            _ => self.vector_block_input_gradient(DenseBlock::whole(shape), w, dy, (x, activation), dx),
        }
    }

    /// See [`reference::dense_weight_gradient`].
    pub(crate) fn dense_weight_gradient(
        self,
        shape: DenseShape,
        x: &[f32],
        dy: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
    ) {
        let DenseShape { rows, inputs, outputs } = shape;
        check_lengths(&[(x.len(), rows * inputs), (dy.len(), rows * outputs)]);
        check_lengths(&[(dw.len(), inputs * outputs), (db.len(), outputs)]);
        match self.kernel.0 {
            Isa::Scalar => reference::dense_weight_gradient(shape, x, dy, (dw, db)),
            #[allow(unreachable_patterns)]
            _ => self.vector_dense_weight_gradient(shape, x, dy, (dw, db)),
        }
    }
}

/// The passes of a block of a layer. The scalar twin has none of them: it computes whole layers.
impl Engine {
    /// See [`Engine::vector_block_forward`].
    pub(crate) fn block_forward(
        self,
        block: DenseBlock,
        (w, b): (&[f32], &[f32]),
        x: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let DenseBlock { shape: DenseShape { rows, inputs, outputs }, of, .. } = block;
        check_block(block, w);
        check_lengths(&[(b.len(), of), (x.len(), rows * inputs), (y.len(), rows * outputs)]);
        self.vector_block_forward(block, (w, b), x, activation, y);
    }

    /// See [`Engine::vector_block_input_gradient`].
    pub(crate) fn block_input_gradient(
        self,
        block: DenseBlock,
        w: &[f32],
        dy: &[f32],
        (x, activation): (&[f32], Activation),
        dx: &mut [f32],
    ) {
        let DenseShape { rows, inputs, outputs } = block.shape;
        check_block(block, w);
        check_lengths(&[(dy.len(), rows * outputs), (x.len(), rows * inputs), (dx.len(), rows * inputs)]);
        self.vector_block_input_gradient(block, w, dy, (x, activation), dx);
    }

    /// See [`Engine::vector_block_weight_gradient`].
    pub(crate) fn block_weight_gradient(
        self,
        block: DenseBlock,
        x: &[f32],
        dy: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
    ) {
        let DenseBlock { shape: DenseShape { rows, inputs, outputs }, of, .. } = block;
        check_block(block, dw);
        check_lengths(&[(db.len(), of), (dy.len(), rows * outputs), (x.len(), rows * inputs)]);
        self.vector_block_weight_gradient(block, x, dy, (dw, db));
    }
}

/// Panics unless the block lies within the layer whose weight this is.
#[track_caller]
fn check_block(block: DenseBlock, w: &[f32]) {
    assert!(block.first + block.shape.outputs <= block.of, "the block lies within the layer");
    check_lengths(&[(w.len(), block.shape.inputs * block.of)]);
}

/// Panics unless each length is the one expected: the fast paths read without bounds checks.
#[track_caller]
fn check_lengths(pairs: &[(usize, usize)]) {
    for &(actual, expected) in pairs {
        assert_eq!(actual, expected, "a buffer has {actual} numbers where {expected} are needed");
    }
}
