//! A convolution's three passes as [`Product`]s over the patches where they lie.

use super::join::join;
use super::product::{Finish, Layout, Product, Start, Walk};
use super::select::Isa;
use super::{Engine, Kernel};
use crate::Activation;
use crate::reference::{self, Conv2dShape};

/// Images whose gradients are computed together.
const IMAGES_TOGETHER: usize = 12;

/// The widest tile of four rows and more, in numbers, of any instruction set.
const WIDEST_TILE: usize = 32;

/// Numbers of scratch space that [`Engine::conv2d_input_gradient`] needs, whatever the rows.
pub(crate) fn conv2d_scratch_len(shape: Conv2dShape) -> usize {
    shape.size * (shape.size * shape.channels).next_multiple_of(WIDEST_TILE) * shape.outputs
}

impl Engine {
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
        if self.kernel.0 == Isa::Scalar {
            return reference::conv2d_forward(shape, (w, b), x, activation, y);
        }
        self.divide_images(shape, (x, y), &|(x, y)| forward(self.kernel, shape, (w, b), x, activation, y));
        if activation == Activation::Tanh {
            self.kernel.activate(activation, y);
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
        if self.kernel.0 == Isa::Scalar {
            return reference::conv2d_input_gradient(shape, w, dy, (x, activation), dx);
        }
        assert!(scratch.len() >= conv2d_scratch_len(shape));
        let Conv2dShape { channels, outputs, size, .. } = shape;
        let (line, width) = (size * channels, self.kernel.tile_width());
        // The weight's transpose, cut into panels of one tile's width, which are read again at every pixel.
        let panels = line.div_ceil(width);
        let panel_len = outputs * width;
        for down in 0..size {
            for i in 0..panels {
                let used = width.min(line - i * width);
                let from = &w[(down * line + i * width) * outputs..][..used * outputs];
                self.kernel.pack_transposed(
                    from,
                    (outputs, width),
                    &mut scratch[(down * panels + i) * panel_len..][..panel_len],
                );
            }
        }
        let scratch = &*scratch;
        self.divide_images(shape, (dy, dx), &|(dy, dx)| input_gradient(self.kernel, shape, scratch, dy, dx));
        self.kernel.differentiate(activation, x, dx);
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
        if self.kernel.0 == Isa::Scalar {
            return reference::conv2d_weight_gradient(shape, x, dy, (dw, db));
        }
        dw.fill(0.0);
        let line_len = shape.size * shape.channels * shape.outputs;
        let parts = self.parts(multiply_adds(shape)).min(shape.size);
        divide_lines(parts, (0, dw), line_len, &|first, dw| weight_gradient(self.kernel, shape, (x, dy), first, dw));
        self.kernel.column_sums(dy, db);
    }

    /// Calls `f` with the images and results of parts of the batch.
    fn divide_images(
        self,
        shape: Conv2dShape,
        (from, to): (&[f32], &mut [f32]),
        f: &(impl Fn((&[f32], &mut [f32])) + Sync),
    ) {
        let parts = self.parts(multiply_adds(shape)).min(shape.rows.max(1));
        divide_rows(parts, shape.rows, (from, to), f);
    }
}

fn multiply_adds(shape: Conv2dShape) -> usize {
    shape.rows * shape.output_len() * shape.patch_len()
}

/// Calls `f` with `parts` parts of `rows` rows of two arrays, each perhaps on a thread of its own.
fn divide_rows(
    parts: usize,
    rows: usize,
    (from, to): (&[f32], &mut [f32]),
    f: &(impl Fn((&[f32], &mut [f32])) + Sync),
) {
    if parts <= 1 {
        return f((from, to));
    }
    let (first_parts, first_rows) = (parts / 2, rows * (parts / 2) / parts);
    let (from1, from2) = from.split_at(from.len() / rows * first_rows);
    let (to1, to2) = to.split_at_mut(to.len() / rows * first_rows);
    join(
        || divide_rows(first_parts, first_rows, (from1, to1), f),
        || divide_rows(parts - first_parts, rows - first_rows, (from2, to2), f),
    );
}

/// Calls `f` with the first line and the gradient of parts of the patch's lines.
fn divide_lines(
    parts: usize,
    (first, dw): (usize, &mut [f32]),
    line_len: usize,
    f: &(impl Fn(usize, &mut [f32]) + Sync),
) {
    if parts <= 1 {
        return f(first, dw);
    }
    let lines = dw.len() / line_len * (parts / 2) / parts;
    let (dw1, dw2) = dw.split_at_mut(lines * line_len);
    join(
        || divide_lines(parts / 2, (first, dw1), line_len, f),
        || divide_lines(parts - parts / 2, (first + lines, dw2), line_len, f),
    );
}

/// The outputs of some images, before tanh is applied.
fn forward(
    kernel: Kernel,
    shape: Conv2dShape,
    (w, b): (&[f32], &[f32]),
    x: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
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
        unsafe { kernel.product(&product) };
    }
}

/// The gradients of some images before the activation, from the packed weights.
fn input_gradient(kernel: Kernel, shape: Conv2dShape, packed: &[f32], dy: &[f32], dx: &mut [f32]) {
    let Conv2dShape { channels, outputs, size, .. } = shape;
    let (line, width) = (size * channels, kernel.tile_width());
    let panels = line.div_ceil(width);
    let panel_len = outputs * width;
    let (input_len, output_len) = (shape.input_len(), shape.output_len());
    let patches = patches(shape);
    for (dx, dy) in dx.chunks_mut(IMAGES_TOGETHER * input_len).zip(dy.chunks(IMAGES_TOGETHER * output_len)) {
        dx.fill(0.0);
        let rows = dx.len() / input_len;
        // From the last number of the patch to the first, and there from the first pixel to the last: a number of dx that
        // several patches share is then reached by the pixels in their order.
        for (down, i) in (0..size * panels).rev().map(|n| (n / panels, n % panels)) {
            let used = width.min(line - i * width);
            let panel = &packed[(down * panels + i) * panel_len..][..panel_len];
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
                // SAFETY: `used` numbers from `at` are part of a line of the patch, which lies within each image of dx; dy
                // has `outputs` numbers at each pixel of each image; the panel is outputs × width.
                unsafe { kernel.product(&product) };
            }
        }
    }
}

/// Adds all images to the gradients of the lines of the patch from `first` on.
fn weight_gradient(kernel: Kernel, shape: Conv2dShape, (x, dy): (&[f32], &[f32]), first: usize, dw: &mut [f32]) {
    let lines = Walk { groups: dw.len() / (shape.size * shape.channels * shape.outputs), ..patch(shape) };
    for (x, dy) in x.chunks_exact(shape.input_len()).zip(dy.chunks_exact(shape.output_len())) {
        let product = Product {
            rows: lines.total(),
            columns: shape.outputs,
            a: x[first * lines.outer..].as_ptr(),
            a_rows: lines,
            a_terms: patches(shape),
            b: dy.as_ptr(),
            b_layout: Layout::Terms,
            b_stride: shape.outputs,
            c: dw.as_mut_ptr(),
            c_stride: shape.outputs,
            start: Start::Continue,
            finish: Finish::Keep,
        };
        // SAFETY: the lines of every patch lie within the image x, dy is patches × outputs, dw is lines × outputs and not
        // shared.
        unsafe { kernel.product(&product) };
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
