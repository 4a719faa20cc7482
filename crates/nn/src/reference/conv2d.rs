//! The convolution: channels last, no padding.

use super::{Real, activate, column_sums, differentiate};
use crate::Activation;

/// The sizes of a convolution over images of `[height, width, channels]` with square patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dShape {
    /// Images of the batch.
    pub rows: usize,
    /// Of an image, in pixels.
    pub height: usize,
    /// Of an image, in pixels.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Numbers of an output pixel.
    pub outputs: usize,
    /// Height and width of a patch, in pixels.
    pub size: usize,
    /// Pixels from a patch to the next, both ways.
    pub stride: usize,
}

impl Conv2dShape {
    /// Output pixels, down and across; 0 where a patch does not fit.
    pub fn output_size(&self) -> (usize, usize) {
        let patches = |pixels: usize| pixels.checked_sub(self.size).map_or(0, |rest| rest / self.stride + 1);
        (patches(self.height), patches(self.width))
    }

    /// Numbers of an image.
    pub fn input_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Numbers of an output image.
    pub fn output_len(&self) -> usize {
        let (down, across) = self.output_size();
        down * across * self.outputs
    }

    /// Numbers of a patch.
    pub fn patch_len(&self) -> usize {
        self.size * self.size * self.channels
    }

    /// Where number `k` of the patch at output pixel (`y`, `x`) of image `row` lies in the input.
    fn input_index(&self, row: usize, (y, x): (usize, usize), k: usize) -> usize {
        let line = self.size * self.channels;
        let first = ((row * self.height + y * self.stride) * self.width + x * self.stride) * self.channels;
        first + k / line * self.width * self.channels + k % line
    }

    /// Every output pixel as (row, (y, x), index of its first number in the output), in the order in which they lie.
    fn pixels(self) -> impl Iterator<Item = (usize, (usize, usize), usize)> {
        let (down, across) = self.output_size();
        (0..self.rows * down * across)
            .map(move |i| (i / (down * across), (i / across % down, i % across), i * self.outputs))
    }
}

/// At each output pixel `y[o] = activation(b[o] + Σ_k patch[k]·w[k][o])`, k increasing over the patch's lines, the pixels
/// of a line and the channels of a pixel.
pub fn conv2d_forward<R: Real>(shape: Conv2dShape, (w, b): (&[R], &[R]), x: &[R], activation: Activation, y: &mut [R]) {
    for (row, pixel, at) in shape.pixels() {
        for o in 0..shape.outputs {
            let mut sum = b[o];
            for k in 0..shape.patch_len() {
                sum = x[shape.input_index(row, pixel, k)].fma(w[k * shape.outputs + o], sum);
            }
            y[at + o] = activate(activation, sum);
        }
    }
}

/// `dx[i] = (Σ dy[pixel][o]·w[k][o]) · activation'(x[i])` over the output pixels whose patch holds number i (as its k-th),
/// in the order in which they lie, and over o at each of them, all one chain from 0. `x` is the output of the layer before
/// and `activation` that layer's.
pub fn conv2d_input_gradient<R: Real>(
    shape: Conv2dShape,
    w: &[R],
    dy: &[R],
    (x, activation): (&[R], Activation),
    dx: &mut [R],
) {
    dx.fill(R::ZERO);
    for (row, pixel, at) in shape.pixels() {
        for k in 0..shape.patch_len() {
            let i = shape.input_index(row, pixel, k);
            for o in 0..shape.outputs {
                dx[i] = dy[at + o].fma(w[k * shape.outputs + o], dx[i]);
            }
        }
    }
    dx.iter_mut().zip(x).for_each(|(d, &y)| *d = differentiate(activation, y, *d));
}

/// `dw[k][o] = Σ patch[k]·dy[o]` and `db[o] = Σ dy[o]` over the output pixels in the order in which they lie, from 0.
pub fn conv2d_weight_gradient<R: Real>(shape: Conv2dShape, x: &[R], dy: &[R], (dw, db): (&mut [R], &mut [R])) {
    dw.fill(R::ZERO);
    for (row, pixel, at) in shape.pixels() {
        for k in 0..shape.patch_len() {
            let value = x[shape.input_index(row, pixel, k)];
            for o in 0..shape.outputs {
                let dw = &mut dw[k * shape.outputs + o];
                *dw = value.fma(dy[at + o], *dw);
            }
        }
    }
    column_sums(dy, db);
}
