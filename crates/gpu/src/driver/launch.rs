//! Every kernel as a function that appends its launch to a program, with its sizes checked: a kernel reads and writes only the spans that
//! it is given, within their lengths.

use requel_nn::Activation;

use super::kernel::Kernel;
use super::program::{Argument, Program};
use super::span::Numbers;

/// Threads per block for elementwise kernels.
const THREADS: u32 = 256;
/// Rows and columns of a product that one block computes (`product.cuh`), and its threads.
const WIDE: (usize, u32) = (32, 256);
const NARROW: (usize, u32) = (16, 64);
/// With fewer wide tiles than this, a product uses narrow ones: that few do not keep a card busy. An estimate; no result depends on it.
const FEW_TILES: u32 = 100;
/// Groups that one block normalises, and its threads (`layer_norm.cuh`).
const GROUPS: usize = 16;
const GROUP_THREADS: u32 = 256;
/// Numbers whose squares one block sums, and its threads (`learning.cuh`).
const NORM_BLOCK: usize = 65_536;
const NORM_THREADS: u32 = 256;

/// The sizes of a matrix product: rows × inputs by inputs × outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub rows: usize,
    pub inputs: usize,
    pub outputs: usize,
}

/// The sizes of a convolution without padding over images with the channels last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conv2d {
    pub images: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub outputs: usize,
    pub size: usize,
    pub stride: usize,
}

impl Conv2d {
    /// Output pixels of an image, down and across.
    pub fn output_size(self) -> (usize, usize) {
        ((self.height - self.size) / self.stride + 1, (self.width - self.size) / self.stride + 1)
    }

    pub fn patch_len(self) -> usize {
        self.size * self.size * self.channels
    }

    pub fn input_len(self) -> usize {
        self.images * self.height * self.width * self.channels
    }

    fn pixels(self) -> usize {
        let (down, across) = self.output_size();
        self.images * down * across
    }

    fn argument(self) -> Argument {
        let Conv2d { images, height, width, channels, outputs, size, stride } = self;
        Argument::Shape([images, height, width, channels, outputs, size, stride].map(small))
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("sizes were checked when the network was laid out")
}

fn at<T>(numbers: Numbers<T>) -> Argument {
    Argument::At(numbers.offset, numbers.bytes().len())
}

fn optional<T>(numbers: Option<Numbers<T>>) -> Argument {
    numbers.map_or(Argument::Nothing, at)
}

fn count(count: usize) -> Argument {
    Argument::Count(small(count))
}

fn activation(activation: Activation) -> Argument {
    Argument::Count(match activation {
        Activation::Identity => 0,
        Activation::Relu => 1,
        Activation::Tanh => 2,
    })
}

/// One thread for each of this many numbers.
fn each(count: usize) -> ([u32; 3], u32) {
    ([small(count.div_ceil(THREADS as usize)), 1, 1], THREADS)
}

/// Blocks and threads for the tiles of a product.
fn tiles((rows, columns, kinds): (usize, usize, usize), (tile, threads): (usize, u32)) -> ([u32; 3], u32) {
    ([small(rows.div_ceil(tile)), small(columns.div_ceil(tile)), small(kinds)], threads)
}

#[track_caller]
fn check<T>(numbers: Numbers<T>, len: usize) {
    assert_eq!(numbers.len, len, "numbers that a kernel reads or writes");
}

impl Program {
    /// A product with this many rows and columns, of several kinds, with the first kernel in wide tiles or with the second in narrow ones.
    fn product(&mut self, [wide, narrow]: [Kernel; 2], sizes: (usize, usize, usize), given: Vec<Argument>) {
        let (blocks, threads) = tiles(sizes, WIDE);
        if blocks.iter().product::<u32>() < FEW_TILES {
            self.launch(narrow, tiles(sizes, NARROW), given);
        } else {
            self.launch(wide, (blocks, threads), given);
        }
    }

    /// `y = activation(x · w + bias)`
    pub fn dense_forward(
        &mut self,
        shape: Shape,
        (w, bias): (Numbers, Numbers),
        x: Numbers,
        (y, act): (Numbers, Activation),
    ) {
        let Shape { rows, inputs, outputs } = shape;
        check(x, rows * inputs);
        check(w, inputs * outputs);
        check(bias, outputs);
        check(y, rows * outputs);
        let given = vec![at(x), at(w), at(bias), at(y), count(rows), count(inputs), count(outputs), activation(act)];
        self.product([Kernel::DenseForward, Kernel::DenseForwardNarrow], (rows, outputs, 1), given);
    }

    /// `dx = (dy · wᵀ) · activation'(x)`
    pub fn dense_input_gradient(
        &mut self,
        shape: Shape,
        (w, dy): (Numbers, Numbers),
        (x, act): (Numbers, Activation),
        dx: Numbers,
    ) {
        let Shape { rows, inputs, outputs } = shape;
        check(x, rows * inputs);
        check(dx, rows * inputs);
        check(w, inputs * outputs);
        check(dy, rows * outputs);
        let given = vec![at(dy), at(w), at(x), at(dx), count(rows), count(inputs), count(outputs), activation(act)];
        self.product([Kernel::DenseInputGradient, Kernel::DenseInputGradientNarrow], (rows, inputs, 1), given);
    }

    /// `dw = xᵀ · dy`, `db = Σ dy`
    pub fn dense_weight_gradient(&mut self, shape: Shape, (x, dy): (Numbers, Numbers), (dw, db): (Numbers, Numbers)) {
        let Shape { rows, inputs, outputs } = shape;
        check(x, rows * inputs);
        check(dy, rows * outputs);
        check(dw, inputs * outputs);
        check(db, outputs);
        let given = vec![at(x), at(dy), at(dw), at(db), count(rows), count(inputs), count(outputs)];
        self.product([Kernel::DenseWeightGradient, Kernel::DenseWeightGradientNarrow], (inputs + 1, outputs, 1), given);
    }

    pub fn conv2d_forward(
        &mut self,
        shape: Conv2d,
        (w, bias): (Numbers, Numbers),
        x: Numbers,
        (y, act): (Numbers, Activation),
    ) {
        check(x, shape.input_len());
        check(w, shape.patch_len() * shape.outputs);
        check(bias, shape.outputs);
        check(y, shape.pixels() * shape.outputs);
        let given = vec![at(x), at(w), at(bias), at(y), shape.argument(), activation(act)];
        self.product([Kernel::Conv2dForward, Kernel::Conv2dForwardNarrow], (shape.pixels(), shape.outputs, 1), given);
    }

    pub fn conv2d_input_gradient(
        &mut self,
        shape: Conv2d,
        (w, dy): (Numbers, Numbers),
        (x, act): (Numbers, Activation),
        dx: Numbers,
    ) {
        check(x, shape.input_len());
        check(dx, shape.input_len());
        check(w, shape.patch_len() * shape.outputs);
        check(dy, shape.pixels() * shape.outputs);
        // The pixels of each kind, at most: those at the first position modulo the stride.
        let pixels = shape.images * shape.height.div_ceil(shape.stride) * shape.width.div_ceil(shape.stride);
        let given = vec![at(dy), at(w), at(x), at(dx), shape.argument(), activation(act)];
        let sizes = (pixels, shape.channels, shape.stride * shape.stride);
        self.product([Kernel::Conv2dInputGradient, Kernel::Conv2dInputGradientNarrow], sizes, given);
    }

    pub fn conv2d_weight_gradient(&mut self, shape: Conv2d, (x, dy): (Numbers, Numbers), (dw, db): (Numbers, Numbers)) {
        check(x, shape.input_len());
        check(dy, shape.pixels() * shape.outputs);
        check(dw, shape.patch_len() * shape.outputs);
        check(db, shape.outputs);
        let given = vec![at(x), at(dy), at(dw), at(db), shape.argument()];
        let kernels = [Kernel::Conv2dWeightGradient, Kernel::Conv2dWeightGradientNarrow];
        self.product(kernels, (shape.patch_len() + 1, shape.outputs, 1), given);
    }

    pub fn scale_bytes(&mut self, bytes: Numbers<u8>, scale: f32, to: Numbers) {
        check(to, bytes.len);
        let given = vec![at(bytes), at(to), count(to.len), Argument::Number(scale)];
        self.launch(Kernel::ScaleBytes, each(to.len), given);
    }

    pub fn scale_numbers(&mut self, numbers: Numbers, scale: f32, to: Numbers) {
        check(to, numbers.len);
        let given = vec![at(numbers), at(to), count(to.len), Argument::Number(scale)];
        self.launch(Kernel::ScaleNumbers, each(to.len), given);
    }

    pub fn differentiate_outputs(&mut self, (y, act): (Numbers, Activation), d_outputs: Numbers, d: Numbers) {
        check(y, d.len);
        check(d_outputs, d.len);
        let given = vec![at(y), at(d_outputs), at(d), count(d.len), activation(act)];
        self.launch(Kernel::DifferentiateOutputs, each(d.len), given);
    }

    /// The weight and bias of a noisy layer, from the means and σ of weight and bias.
    pub fn draw_noisy(
        &mut self,
        (inputs, outputs): (usize, usize),
        [w_mean, w_sigma, b_mean, b_sigma]: [Numbers; 4],
        (noise, is_drawn): (Numbers, Numbers<u32>),
        (w, b): (Numbers, Numbers),
    ) {
        for numbers in [w_mean, w_sigma, w] {
            check(numbers, inputs * outputs);
        }
        for numbers in [b_mean, b_sigma, b] {
            check(numbers, outputs);
        }
        check(noise, inputs + outputs);
        check(is_drawn, 1);
        let mut given = [w_mean, w_sigma, b_mean, b_sigma, noise].map(at).to_vec();
        given.extend([at(is_drawn), at(w), at(b), count(inputs), count(outputs)]);
        self.launch(Kernel::DrawNoisy, each((inputs * outputs).max(outputs)), given);
    }

    pub fn noisy_gradient(
        &mut self,
        (inputs, outputs): (usize, usize),
        (dw, db): (Numbers, Numbers),
        (noise, is_drawn): (Numbers, Numbers<u32>),
        (dw_sigma, db_sigma): (Numbers, Numbers),
    ) {
        for numbers in [dw, dw_sigma] {
            check(numbers, inputs * outputs);
        }
        for numbers in [db, db_sigma] {
            check(numbers, outputs);
        }
        check(noise, inputs + outputs);
        check(is_drawn, 1);
        let given =
            vec![at(dw), at(db), at(noise), at(is_drawn), at(dw_sigma), at(db_sigma), count(inputs), count(outputs)];
        self.launch(Kernel::NoisyGradient, each((inputs * outputs).max(outputs)), given);
    }

    pub fn dueling_forward(&mut self, (actions, atoms): (usize, usize), values: Numbers, q: Numbers) {
        check(q, values.len * actions);
        let given = vec![at(values), at(q), count(values.len / atoms), count(actions), count(atoms)];
        self.launch(Kernel::DuelingForward, each(values.len), given);
    }

    pub fn dueling_backward(
        &mut self,
        (actions, atoms): (usize, usize),
        dq: Numbers,
        (d_values, d_advantages): (Numbers, Numbers),
    ) {
        check(dq, d_values.len * actions);
        check(d_advantages, dq.len);
        let rows = d_values.len / atoms;
        let given = vec![at(dq), at(d_values), at(d_advantages), count(rows), count(actions), count(atoms)];
        self.launch(Kernel::DuelingBackward, each(d_values.len), given);
    }

    pub fn add_and_differentiate(&mut self, d: Numbers, more: Numbers, (x, act): (Numbers, Activation)) {
        check(more, d.len);
        check(x, d.len);
        let given = vec![at(d), at(more), at(x), count(d.len), activation(act)];
        self.launch(Kernel::AddAndDifferentiate, each(d.len), given);
    }

    pub fn cosines(&mut self, first: Numbers<f64>, cosines: usize, to: Numbers) {
        check(to, first.len * cosines);
        let given = vec![at(first), at(to), count(first.len), count(cosines)];
        self.launch(Kernel::CosinesOf, each(first.len), given);
    }

    pub fn embedding_forward(&mut self, (rows, features): (usize, usize), (x, phi): (Numbers, Numbers), y: Numbers) {
        let fractions = fractions_of(rows, features, phi);
        check(x, rows * features);
        check(y, phi.len);
        let given = vec![at(x), at(phi), at(y), count(rows), count(fractions), count(features)];
        self.launch(Kernel::EmbeddingForward, each(y.len), given);
    }

    pub fn embedding_gradient(
        &mut self,
        (rows, features): (usize, usize),
        (x, phi): (Numbers, Numbers),
        (dy, d_phi): (Numbers, Numbers),
    ) {
        let fractions = fractions_of(rows, features, phi);
        check(x, rows * features);
        check(dy, phi.len);
        check(d_phi, phi.len);
        let given = vec![at(x), at(phi), at(dy), at(d_phi), count(rows), count(fractions), count(features)];
        self.launch(Kernel::EmbeddingGradient, each(phi.len), given);
    }

    pub fn embedding_input_gradient(
        &mut self,
        (rows, features): (usize, usize),
        (phi, dy): (Numbers, Numbers),
        (x, act): (Numbers, Activation),
        dx: Numbers,
    ) {
        let fractions = fractions_of(rows, features, phi);
        check(x, rows * features);
        check(dx, rows * features);
        check(dy, phi.len);
        let sizes = [count(rows), count(fractions), count(features), activation(act)];
        let given = [at(x), at(phi), at(dy), at(dx)].into_iter().chain(sizes).collect();
        self.launch(Kernel::EmbeddingInputGradient, each(dx.len), given);
    }

    pub fn layer_norm_forward(
        &mut self,
        (gain, bias, epsilon): (Numbers, Numbers, f32),
        x: Numbers,
        (normal, scales): (Numbers, Numbers),
        (y, act): (Numbers, Activation),
    ) {
        let (groups, features) = (scales.len, gain.len);
        check(bias, features);
        for numbers in [x, normal, y] {
            check(numbers, groups * features);
        }
        let mut given = [x, gain, bias, normal, scales, y].map(at).to_vec();
        given.extend([count(groups), count(features), Argument::Number(epsilon), activation(act)]);
        self.launch(Kernel::LayerNormForward, groups_of(groups), given);
    }

    pub fn layer_norm_input_gradient(
        &mut self,
        (gain, dy): (Numbers, Numbers),
        (normal, scales): (Numbers, Numbers),
        (x, act): (Numbers, Activation),
        dx: Numbers,
    ) {
        let (groups, features) = (scales.len, gain.len);
        for numbers in [x, normal, dy, dx] {
            check(numbers, groups * features);
        }
        let mut given = [x, gain, normal, scales, dy, dx].map(at).to_vec();
        given.extend([count(groups), count(features), activation(act)]);
        self.launch(Kernel::LayerNormInputGradient, groups_of(groups), given);
    }

    pub fn layer_norm_parameter_gradient(
        &mut self,
        (dy, normal): (Numbers, Numbers),
        (d_gain, d_bias): (Numbers, Numbers),
    ) {
        let features = d_gain.len;
        check(normal, dy.len);
        check(d_bias, features);
        let given = vec![at(dy), at(normal), at(d_gain), at(d_bias), count(dy.len / features), count(features)];
        self.launch(Kernel::LayerNormParameterGradient, each(features), given);
    }

    /// The sum of squares of each block of 65,536.
    pub fn square_sums(&mut self, values: Numbers, sums: Numbers<f64>) {
        check(sums, values.len.div_ceil(NORM_BLOCK));
        let given = vec![at(values), at(sums), count(values.len)];
        self.launch(Kernel::SquareSums, ([small(sums.len), 1, 1], NORM_THREADS), given);
    }

    /// From a report of [`REPORT_BYTES`] bytes: norm, factor, and whether the gradient is clipped.
    pub fn clip_factor(&mut self, sums: Numbers<f64>, report: Numbers<u8>, max_norm: f32) {
        check(report, REPORT_BYTES);
        let given = vec![at(sums), at(report), count(sums.len), Argument::Number(max_norm)];
        self.launch(Kernel::ClipFactor, ([1, 1, 1], 1), given);
    }

    pub fn scale_gradients(&mut self, gradients: Numbers, report: Numbers<u8>) {
        check(report, REPORT_BYTES);
        let given = vec![at(gradients), at(report), count(gradients.len)];
        self.launch(Kernel::ScaleGradients, each(gradients.len), given);
    }

    /// `factors` are those of [`requel_nn::reference::AdamFactors`], in their order.
    pub fn adam(
        &mut self,
        (parameters, gradients): (Numbers, Numbers),
        (means, squares): (Numbers, Numbers),
        (factors, report): (Numbers, Numbers<u8>),
    ) {
        check(factors, FACTORS);
        check(report, REPORT_BYTES);
        for numbers in [gradients, means, squares] {
            check(numbers, parameters.len);
        }
        let mut given = [parameters, gradients, means, squares, factors].map(at).to_vec();
        given.extend([at(report), count(parameters.len)]);
        self.launch(Kernel::Adam, each(parameters.len), given);
    }

    /// `factors` are those of [`requel_nn::reference::RmsPropFactors`], in their order.
    pub fn rms_prop(
        &mut self,
        (parameters, gradients): (Numbers, Numbers),
        (squares, means, velocities): (Numbers, Option<Numbers>, Option<Numbers>),
        (factors, report): (Numbers, Numbers<u8>),
    ) {
        check(factors, FACTORS);
        check(report, REPORT_BYTES);
        for numbers in [Some(gradients), Some(squares), means, velocities].into_iter().flatten() {
            check(numbers, parameters.len);
        }
        let given = vec![
            at(parameters),
            at(gradients),
            at(squares),
            optional(means),
            optional(velocities),
            at(factors),
            at(report),
            count(parameters.len),
        ];
        self.launch(Kernel::RmsProp, each(parameters.len), given);
    }

    /// `target ← target + tau·(online − target)`
    pub fn follow(&mut self, target: Numbers, online: Numbers, tau: f32) {
        check(online, target.len);
        let given = vec![at(target), at(online), count(target.len), Argument::Number(tau)];
        self.launch(Kernel::Follow, each(target.len), given);
    }
}

/// Bytes of the report of an update (`Report` in `learning.cuh`).
pub(crate) const REPORT_BYTES: usize = 24;

/// The factors of an optimiser in a step, with room for the longest list.
pub(crate) const FACTORS: usize = 6;

fn groups_of(groups: usize) -> ([u32; 3], u32) {
    ([small(groups.div_ceil(GROUPS)), 1, 1], GROUP_THREADS)
}

fn fractions_of(rows: usize, features: usize, phi: Numbers) -> usize {
    let fractions = phi.len / (rows * features).max(1);
    check(phi, rows * fractions * features);
    fractions
}
