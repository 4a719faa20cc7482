//! A convolution's three passes as [`Product`]s over the patches where they lie.

use super::Kernel;
use super::product::{Finish, Layout, Product, Start, Walk};
use super::select::Isa;
use crate::Activation;
use crate::reference::{self, Conv2dShape};

/// Images whose gradients are worked out together.
const IMAGES_TOGETHER: usize = 12;

/// The widest tile of four rows and more, in numbers, of any instruction set.
const WIDEST_TILE: usize = 32;

/// Numbers of scratch space that [`Kernel::conv2d_input_gradient`] needs, whatever the rows.
pub(crate) fn conv2d_scratch_len(shape: Conv2dShape) -> usize {
    shape.size * (shape.size * shape.channels).next_multiple_of(WIDEST_TILE) * shape.outputs
}

impl Kernel {
    /// See [`reference::conv2d_forward`].
    pub(crate) fn conv2d_forward(
        self,
        shape: Conv2dShape,
        (w, b): (&[f32], &[f32]),
        x: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        check(shape, x, y);
        assert!(w.len() == shape.patch_len() * shape.outputs && b.len() == shape.outputs);
        if self.0 == Isa::Scalar {
            return reference::conv2d_forward(shape, (w, b), x, activation, y);
        }
        let (patches, terms) = (patches(shape), patch(shape));
        for (x, y) in x.chunks_exact(shape.input_len()).zip(y.chunks_exact_mut(shape.output_len())) {
            let product = Product {
                rows: patches.total(),
                columns: shape.outputs,
                a: x.as_ptr(),
                a_rows: patches,
                a_terms: terms,
                b: w.as_ptr(),
                b_layout: Layout::Terms,
                b_stride: shape.outputs,
                c: y.as_mut_ptr(),
                c_stride: shape.outputs,
                start: Start::Row(b.as_ptr()),
                finish: if activation == Activation::Relu { Finish::Relu } else { Finish::Keep },
            };
            // SAFETY: every patch lies within the image x, w is patch × outputs, y is patches × outputs and not shared.
            unsafe { self.product(&product) };
        }
        if activation == Activation::Tanh {
            self.activate(activation, y);
        }
    }

    /// See [`reference::conv2d_input_gradient`]; `scratch` is at least [`conv2d_scratch_len`] long.
    pub(crate) fn conv2d_input_gradient(
        self,
        shape: Conv2dShape,
        (w, dy, scratch): (&[f32], &[f32], &mut [f32]),
        (x, activation): (&[f32], Activation),
        dx: &mut [f32],
    ) {
        check(shape, x, dy);
        assert!(w.len() == shape.patch_len() * shape.outputs && dx.len() == x.len());
        if self.0 == Isa::Scalar {
            return reference::conv2d_input_gradient(shape, w, dy, (x, activation), dx);
        }
        assert!(scratch.len() >= conv2d_scratch_len(shape));
        let Conv2dShape { channels, outputs, size, .. } = shape;
        let (line, width) = (size * channels, self.tile_width());
        // The weight's transpose, cut into panels of one tile's width, which are read again at every pixel.
        let panels = line.div_ceil(width);
        let panel_len = outputs * width;
        for down in 0..size {
            for i in 0..panels {
                let used = width.min(line - i * width);
                let from = &w[(down * line + i * width) * outputs..][..used * outputs];
                self.pack_transposed(
                    from,
                    (outputs, width),
                    &mut scratch[(down * panels + i) * panel_len..][..panel_len],
                );
            }
        }
        let together = IMAGES_TOGETHER;
        let (input_len, output_len) = (shape.input_len(), shape.output_len());
        for (dx, dy) in dx.chunks_mut(together * input_len).zip(dy.chunks(together * output_len)) {
            dx.fill(0.0);
            let rows = dx.len() / input_len;
            let patches = patches(shape);
            // From the last number of the patch to the first, and there from the first pixel to the last: a number of dx
            // that several patches share is then reached by the pixels in their order.
            for (down, i) in (0..size * panels).rev().map(|n| (n / panels, n % panels)) {
                let used = width.min(line - i * width);
                let panel = &scratch[(down * panels + i) * panel_len..][..panel_len];
                for pixel in 0..patches.total() {
                    let at = patches.offset(pixel) + down * shape.width * channels + i * width;
                    let product = Product {
                        rows,
                        columns: used,
                        a: dy[pixel * outputs..].as_ptr(),
                        a_rows: Walk::straight(rows, output_len),
                        a_terms: Walk::straight(outputs, 1),
                        b: panel.as_ptr(),
                        b_layout: Layout::Terms,
                        b_stride: width,
                        c: dx[at..].as_mut_ptr(),
                        c_stride: input_len,
                        start: Start::Continue,
                        finish: Finish::Keep,
                    };
                    // SAFETY: `used` numbers from `at` are part of a line of the patch, which lies within each image of dx;
                    // dy has `outputs` numbers at each pixel of each image; the panel is outputs × width.
                    unsafe { self.product(&product) };
                }
            }
        }
        self.differentiate(activation, x, dx);
    }

    /// See [`reference::conv2d_weight_gradient`].
    pub(crate) fn conv2d_weight_gradient(
        self,
        shape: Conv2dShape,
        x: &[f32],
        dy: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
    ) {
        check(shape, x, dy);
        assert!(dw.len() == shape.patch_len() * shape.outputs && db.len() == shape.outputs);
        if self.0 == Isa::Scalar {
            return reference::conv2d_weight_gradient(shape, x, dy, (dw, db));
        }
        dw.fill(0.0);
        for (x, dy) in x.chunks_exact(shape.input_len()).zip(dy.chunks_exact(shape.output_len())) {
            let product = Product {
                rows: shape.patch_len(),
                columns: shape.outputs,
                a: x.as_ptr(),
                a_rows: patch(shape),
                a_terms: patches(shape),
                b: dy.as_ptr(),
                b_layout: Layout::Terms,
                b_stride: shape.outputs,
                c: dw.as_mut_ptr(),
                c_stride: shape.outputs,
                start: Start::Continue,
                finish: Finish::Keep,
            };
            // SAFETY: every patch lies within the image x, dy is patches × outputs, dw is patch × outputs and not shared.
            unsafe { self.product(&product) };
        }
        self.column_sums(dy, db);
    }
}

/// From patch to patch of an image.
fn patches(shape: Conv2dShape) -> Walk {
    let (groups, len) = shape.output_size();
    let inner = shape.stride * shape.channels;
    Walk { groups, len, inner, outer: inner * shape.width }
}

/// From number to number of a patch.
fn patch(shape: Conv2dShape) -> Walk {
    Walk { groups: shape.size, len: shape.size * shape.channels, inner: 1, outer: shape.width * shape.channels }
}

#[track_caller]
fn check(shape: Conv2dShape, x: &[f32], y: &[f32]) {
    assert!(shape.size > 0 && shape.stride > 0 && shape.size <= shape.height.min(shape.width), "{shape:?}");
    assert_eq!(x.len(), shape.rows * shape.input_len(), "images of {shape:?}");
    assert_eq!(y.len(), shape.rows * shape.output_len(), "output images of {shape:?}");
}
