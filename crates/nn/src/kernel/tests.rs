//! Every kernel of this machine against the scalar twin, bit for bit.

use proptest::prelude::*;

use super::{Engine, Kernel, conv2d_scratch_len};
use crate::Activation;
use crate::reference::{AdamFactors, Conv2dShape, DenseShape, LayerNormShape, RmsPropFactors, RmsPropState};

/// Where the numbers of a test come from; which of them are unusual.
#[derive(Clone, Copy, Debug)]
enum Content {
    /// Between −2 and 2.
    Ordinary,
    /// Mostly zeros of both signs, as after ReLU.
    Sparse,
    /// Every exponent from the denormals to infinity.
    Wide,
    /// Ordinary with now and then an infinity, a NaN, a denormal or a very large number.
    Hostile,
}

/// A small generator: the contents of a case are a function of its seed.
struct Numbers {
    state: u64,
    content: Content,
}

impl Numbers {
    fn word(&mut self) -> u32 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 32) as u32
    }

    fn ordinary(&mut self) -> f32 {
        (self.word() >> 8) as f32 / 4_194_304.0 - 2.0
    }

    fn next(&mut self) -> f32 {
        let choice = self.word() % 16;
        match self.content {
            Content::Ordinary => self.ordinary(),
            Content::Sparse => match choice {
                0..8 => 0.0,
                8..11 => -0.0,
                _ => self.ordinary(),
            },
            Content::Wide => f32::from_bits(self.word() & 0xFF7F_FFFF),
            Content::Hostile if choice > 0 => self.ordinary(),
            Content::Hostile => {
                const STRANGE: [f32; 8] =
                    [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN, 1e-45, -1e-40, f32::MIN_POSITIVE];
                STRANGE[self.word() as usize % STRANGE.len()]
            }
        }
    }

    /// `len` numbers that begin `offset` numbers from wherever the allocator puts them.
    fn array(&mut self, offset: usize, len: usize) -> Vec<f32> {
        (0..offset + len).map(|_| self.next()).collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    shape: DenseShape,
    content: Content,
    activation: Activation,
    seed: u64,
    offset: usize,
}

/// Mostly small sizes, where the tails are; now and then one beyond a panel of packed terms, which takes Miri too long.
fn size() -> impl Strategy<Value = usize> {
    let large = if cfg!(miri) { 1..40_usize } else { 60..140 };
    prop_oneof![8 => 0..12_usize, 6 => 1..40_usize, 1 => large]
}

fn case() -> impl Strategy<Value = Case> {
    let content =
        prop_oneof![Just(Content::Ordinary), Just(Content::Sparse), Just(Content::Wide), Just(Content::Hostile)];
    let activation = prop_oneof![Just(Activation::Identity), Just(Activation::Relu), Just(Activation::Tanh)];
    (size(), size(), size(), content, activation, any::<u64>(), 0..16_usize).prop_map(
        |(rows, inputs, outputs, content, activation, seed, offset)| Case {
            shape: DenseShape { rows, inputs, outputs },
            content,
            activation,
            seed,
            offset,
        },
    )
}

fn assert_same(kernel: Kernel, what: &str, ours: &[f32], twin: &[f32]) {
    for (i, (a, b)) in ours.iter().zip(twin).enumerate() {
        let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(same, "{kernel} {what}[{i}]: {a:e} ({:#x}), twin {b:e} ({:#x})", a.to_bits(), b.to_bits());
    }
}

fn others() -> Vec<Kernel> {
    Kernel::available().into_iter().filter(|&kernel| kernel != Kernel::SCALAR).collect()
}

/// What a kernel writes must be all that it writes: a value that it must not touch follows each output.
const GUARD: f32 = 12_345.0;

fn guarded(offset: usize, len: usize) -> Vec<f32> {
    vec![GUARD; offset + len + 1]
}

fn check_dense(case: Case) {
    let Case { shape, content, activation, seed, offset } = case;
    let DenseShape { rows, inputs, outputs } = shape;
    let mut numbers = Numbers { state: seed, content };
    let w = numbers.array(offset, inputs * outputs);
    let b = numbers.array(offset, outputs);
    let x = numbers.array(offset / 2, rows * inputs);
    let dy = numbers.array(offset / 3, rows * outputs);
    let (w, b, x, dy) = (&w[offset..], &b[offset..], &x[offset / 2..], &dy[offset / 3..]);
    let run = |kernel: Kernel| {
        let engine = Engine::single(kernel);
        let (mut y, mut dx) = (guarded(offset, rows * outputs), guarded(offset, rows * inputs));
        let (mut dw, mut db) = (guarded(offset, inputs * outputs), guarded(offset, outputs));
        let inside = |array: &[f32]| offset..array.len() - 1;
        let (y_at, dx_at, dw_at, db_at) = (inside(&y), inside(&dx), inside(&dw), inside(&db));
        engine.dense_forward(shape, (w, b), x, activation, &mut y[y_at]);
        engine.dense_input_gradient(shape, w, dy, (x, activation), &mut dx[dx_at]);
        engine.dense_weight_gradient(shape, x, dy, (&mut dw[dw_at], &mut db[db_at]));
        (y, dx, dw, db)
    };
    let twin = run(Kernel::SCALAR);
    for kernel in others() {
        let ours = run(kernel);
        assert_same(kernel, "y", &ours.0, &twin.0);
        assert_same(kernel, "dx", &ours.1, &twin.1);
        assert_same(kernel, "dw", &ours.2, &twin.2);
        assert_same(kernel, "db", &ours.3, &twin.3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 20 } else { 100_000 }))]

    #[test]
    fn dense_passes_equal_the_twin(case in case()) {
        check_dense(case);
    }
}

fn conv2d_shape() -> impl Strategy<Value = Conv2dShape> {
    (0..9_usize, (0..5_usize, 0..5_usize), 1..5_usize, 1..20_usize, (1..4_usize, 1..4_usize)).prop_map(
        |(rows, (more_down, more_across), channels, outputs, (size, stride))| Conv2dShape {
            rows,
            height: size + more_down,
            width: size + more_across,
            channels,
            outputs,
            size,
            stride,
        },
    )
}

fn check_conv2d(shape: Conv2dShape, case: Case) {
    let Case { content, activation, seed, offset, .. } = case;
    let mut numbers = Numbers { state: seed, content };
    let w = numbers.array(offset, shape.patch_len() * shape.outputs);
    let b = numbers.array(offset, shape.outputs);
    let x = numbers.array(offset / 2, shape.rows * shape.input_len());
    let dy = numbers.array(offset / 3, shape.rows * shape.output_len());
    let (w, b, x, dy) = (&w[offset..], &b[offset..], &x[offset / 2..], &dy[offset / 3..]);
    let run = |kernel: Kernel| {
        let engine = Engine::single(kernel);
        let (mut y, mut dx) = (guarded(offset, dy.len()), guarded(offset, x.len()));
        let (mut dw, mut db) = (guarded(offset, w.len()), guarded(offset, b.len()));
        let inside = |array: &[f32]| offset..array.len() - 1;
        let (y_at, dx_at, dw_at, db_at) = (inside(&y), inside(&dx), inside(&dw), inside(&db));
        let mut scratch = vec![f32::NAN; conv2d_scratch_len(shape)];
        engine.conv2d_forward(shape, (w, b), x, activation, &mut y[y_at]);
        engine.conv2d_input_gradient(shape, (w, dy, &mut scratch), (x, activation), &mut dx[dx_at]);
        engine.conv2d_weight_gradient(shape, x, dy, (&mut dw[dw_at], &mut db[db_at]));
        (y, dx, dw, db)
    };
    let twin = run(Kernel::SCALAR);
    for kernel in others() {
        let ours = run(kernel);
        assert_same(kernel, "y", &ours.0, &twin.0);
        assert_same(kernel, "dx", &ours.1, &twin.1);
        assert_same(kernel, "dw", &ours.2, &twin.2);
        assert_same(kernel, "db", &ours.3, &twin.3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 10_000 }))]

    #[test]
    fn convolutions_equal_the_twin(shape in conv2d_shape(), case in case()) {
        check_conv2d(shape, case);
    }

    #[test]
    fn adam_equals_the_twin(len in 0..70_usize, case in case()) {
        let Case { content, seed, offset, .. } = case;
        let mut numbers = Numbers { state: seed, content };
        let g = numbers.array(offset, len);
        let start = [numbers.array(offset, len), numbers.array(offset, len), numbers.array(offset, len)];
        let factors = AdamFactors {
            one_minus_beta1: 0.1,
            beta2: 0.999,
            one_minus_beta2: 0.001,
            inverse_root_correction: numbers.ordinary().abs(),
            epsilon: 1e-8,
            negative_step: -1e-3,
        };
        let run = |kernel: Kernel| {
            let engine = Engine::single(kernel);
            let [mut p, mut m, mut v] = start.clone();
            engine.adam(&factors, &mut p[offset..], &g[offset..], &mut m[offset..], &mut v[offset..]);
            [p, m, v]
        };
        let twin = run(Kernel::SCALAR);
        for kernel in others() {
            for ((ours, twin), what) in run(kernel).iter().zip(&twin).zip(["p", "m", "v"]) {
                assert_same(kernel, what, ours, twin);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 20_000 }))]

    #[test]
    fn rms_prop_equals_the_twin(len in 0..70_usize, has_mean: bool, has_velocity: bool, case in case()) {
        let Case { content, seed, offset, .. } = case;
        let mut numbers = Numbers { state: seed, content };
        let g = numbers.array(offset, len);
        let p = numbers.array(offset, len + 1);
        let mut average = |is_kept| if is_kept { numbers.array(offset / 2, len + 1) } else { Vec::new() };
        let start = [p, average(true), average(has_mean), average(has_velocity)];
        let momentum = if seed % 3 == 0 { 0.0 } else { 0.95 };
        let factors = RmsPropFactors {
            alpha: 0.95,
            one_minus_alpha: 0.05,
            epsilon: if seed % 5 == 0 { 0.0 } else { 0.01 },
            momentum,
            negative_learning_rate: -numbers.ordinary().abs(),
        };
        // The last number of each array is beyond what may be written.
        let run = |kernel: Kernel| {
            let [mut p, mut square, mut mean, mut velocity] = start.clone();
            fn inside(average: &mut [f32], offset: usize) -> &mut [f32] {
                match average.len() {
                    0 => average,
                    len => &mut average[offset..len - 1],
                }
            }
            let state = RmsPropState {
                square: inside(&mut square, offset / 2),
                mean: inside(&mut mean, offset / 2),
                velocity: inside(&mut velocity, offset / 2),
            };
            Engine::single(kernel).rms_prop(&factors, inside(&mut p, offset), &g[offset..], state);
            [p, square, mean, velocity]
        };
        let twin = run(Kernel::SCALAR);
        for kernel in others() {
            for ((ours, twin), what) in run(kernel).iter().zip(&twin).zip(["p", "square", "mean", "velocity"]) {
                assert_same(kernel, what, ours, twin);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 5_000 }))]

    #[test]
    fn mathematics_equals_the_twin(len in 0..70_usize, scale in 0..4_i32, case in case()) {
        let mut numbers = Numbers { state: case.seed, content: case.content };
        let x: Vec<f32> = (0..len).map(|_| numbers.next() * 10_f32.powi(scale)).collect();
        for (what, f) in [
            ("exp", Kernel::exp as fn(Kernel, &mut [f32])),
            ("ln", Kernel::ln),
            ("sigmoid", Kernel::sigmoid),
            ("tanh", Kernel::tanh),
        ] {
            let mut twin = x.clone();
            f(Kernel::SCALAR, &mut twin);
            for kernel in others() {
                let mut ours = x.clone();
                f(kernel, &mut ours);
                assert_same(kernel, what, &ours, &twin);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 50_000 }))]

    #[test]
    fn sums_along_rows_equal_the_twin(rows in 0..5_usize, width in 0..70_usize, case in case()) {
        let mut numbers = Numbers { state: case.seed, content: case.content };
        let (x, a) = (numbers.array(case.offset, 3 * width + 7), numbers.array(0, rows * width));
        let c = numbers.array(0, rows);
        let starts: Vec<usize> = (0..rows).map(|_| numbers.word() as usize % (x.len() - width + 1)).collect();
        let run = |kernel: Kernel| {
            let (mut powers, mut maxima) = (guarded(0, rows * width), guarded(0, rows));
            let (mut sums, mut dots) = (guarded(0, rows), guarded(0, rows));
            let of_rows = (&mut maxima[..rows], &mut sums[..rows]);
            kernel.exp_rows(width, (&x, &starts), &mut powers[..rows * width], of_rows);
            kernel.dot_rows(width, &a, (&x, &starts), &c, &mut dots[..rows]);
            [powers, maxima, sums, dots]
        };
        let twin = run(Kernel::SCALAR);
        for (row, start) in starts.iter().enumerate() {
            let greatest = x[*start..][..width].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            prop_assert_eq!(twin[1][row], greatest);
        }
        for kernel in others() {
            for (what, (ours, twin)) in ["powers", "max", "sum", "dot"].iter().zip(run(kernel).iter().zip(&twin)) {
                assert_same(kernel, what, ours, twin);
            }
        }
    }
}

/// The passes of layer normalisation with this many groups and features.
fn check_layer_norm(shape: LayerNormShape, epsilon: f32, case: Case) {
    let Case { content, activation, seed, offset, .. } = case;
    let (len, LayerNormShape { groups, features }) = (shape.groups * shape.features, shape);
    let mut numbers = Numbers { state: seed, content };
    let (gain, bias) = (numbers.array(offset, features), numbers.array(offset / 2, features));
    let (x, dy) = (numbers.array(offset, len), numbers.array(offset / 3, len));
    let (gain, bias, x, dy) = (&gain[offset..], &bias[offset / 2..], &x[offset..], &dy[offset / 3..]);
    let run = |kernel: Kernel| {
        let (mut normal, mut y, mut dx) = (guarded(offset, len), guarded(offset, len), guarded(offset, len));
        let (mut scales, mut d_gain, mut d_bias) = (guarded(0, groups), guarded(0, features), guarded(0, features));
        let inside = offset..offset + len;
        let kept = (&mut normal[inside.clone()], &mut scales[..groups]);
        kernel.layer_norm_forward(shape, (gain, bias, epsilon), (x, activation), kept, &mut y[inside.clone()]);
        let kept = (&normal[inside.clone()], &scales[..groups]);
        kernel.layer_norm_input_gradient(shape, (gain, dy), kept, (x, activation), &mut dx[inside]);
        let d_parameters = (&mut d_gain[..features], &mut d_bias[..features]);
        kernel.layer_norm_parameter_gradient(shape, (dy, kept.0), d_parameters);
        [normal, scales, y, dx, d_gain, d_bias]
    };
    let twin = run(Kernel::SCALAR);
    for kernel in others() {
        let whats = ["normal", "scales", "y", "dx", "d_gain", "d_bias"];
        for ((ours, twin), what) in run(kernel).iter().zip(&twin).zip(whats) {
            assert_same(kernel, what, ours, twin);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 20 } else { 50_000 }))]

    #[test]
    fn layer_normalization_equals_the_twin(groups in size(), features in size(), has_epsilon: bool, case in case()) {
        check_layer_norm(LayerNormShape { groups, features }, if has_epsilon { 1e-5 } else { 0.0 }, case);
    }
}

/// Where there is nothing to add up or nothing to write, no pointer may be made that leaves its array: Miri sees to that.
#[test]
fn sizes_of_nothing() {
    for size in 0..27_usize {
        let [rows, inputs, outputs] = [size / 9, size / 3 % 3, size % 3].map(|choice| [0, 1, 13][choice]);
        let shape = DenseShape { rows, inputs, outputs };
        let case = Case { shape, content: Content::Ordinary, activation: Activation::Relu, seed: 7, offset: 1 };
        check_dense(case);
        // No specification lets a convolution have no channels.
        let (channels, outputs) = (inputs.max(1), outputs.max(1));
        let (height, width, size, stride) = (3, 4, 2, 1);
        check_conv2d(Conv2dShape { rows, height, width, channels, outputs, size, stride }, case);
        check_layer_norm(LayerNormShape { groups: rows, features: inputs }, 1e-5, case);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too large for it")]
fn sizes_beyond_a_panel() {
    for (rows, inputs, outputs) in [(1, 700, 300), (2, 300, 600), (9, 520, 257), (33, 257, 264), (70, 300, 130)] {
        check_dense(Case {
            shape: DenseShape { rows, inputs, outputs },
            content: Content::Ordinary,
            activation: Activation::Relu,
            seed: 5,
            offset: 3,
        });
    }
}
