//! Where the generic routines are compiled for an instruction set, one function each.

use super::Kernel;
use super::array::Array;
use super::layer_norm;
use super::pack;
use super::product::{self, Product, multiply};
use super::rows::{self, Rows};
use super::scalar_fma::mul_add;
use super::select::Isa;
use super::simd::Simd;
use super::task::Task;
use super::tile::Tile;
use super::{elementwise, limit};
use crate::Activation;
use crate::reference::{self, AdamFactors, LayerNormShape, RmsPropFactors, RmsPropState};

/// The entry points of functions of one number.
macro_rules! all_numbers {
    ($simd:ty, $features:literal, $($name:ident)*) => {$(
        /// # Safety
        /// The instruction set is present.
        #[target_feature(enable = $features)]
        pub unsafe fn $name(x: &mut [f32]) {
            // SAFETY: handed on from the caller.
            unsafe { elementwise::$name::<$simd>(x) }
        }
    )*};
}

/// The entry points of an instruction set: `features` are what the compiler may use inside.
macro_rules! entries {
    ($module:ident, $simd:ty, $features:literal) => {
        mod $module {
            use super::*;

            /// The registers of this instruction set.
            pub type Registers = $simd;

            /// # Safety
            /// As for [`multiply`].
            #[target_feature(enable = $features)]
            pub unsafe fn product(p: &Product) {
                // SAFETY: handed on from the caller.
                unsafe { multiply::<$simd>(p, tiles) }
            }

            /// # Safety
            /// As for [`product::tiles`].
            #[target_feature(enable = $features)]
            #[inline(never)]
            unsafe fn tiles(p: &Product, part: &Tile) {
                // SAFETY: handed on from the caller.
                unsafe { product::tiles::<$simd>(p, part) }
            }

            /// # Safety
            /// As for [`elementwise::adam`].
            #[target_feature(enable = $features)]
            pub unsafe fn adam(f: &AdamFactors<f32>, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { elementwise::adam::<$simd>(f, p, g, m, v) }
            }

            /// # Safety
            /// As for [`elementwise::rms_prop`].
            #[target_feature(enable = $features)]
            pub unsafe fn rms_prop(f: &RmsPropFactors<f32>, p: &mut [f32], g: &[f32], state: RmsPropState<'_, f32>) {
                // SAFETY: handed on from the caller.
                unsafe { elementwise::rms_prop::<$simd>(f, p, g, state) }
            }

            all_numbers! { $simd, $features, exp ln sigmoid tanh }

            /// # Safety
            /// The instruction set is present.
            #[target_feature(enable = $features)]
            pub unsafe fn run<T: Task>(task: T) -> T::Output {
                task.run()
            }

            /// # Safety
            /// As for [`elementwise::column_sums`].
            #[target_feature(enable = $features)]
            pub unsafe fn column_sums(rows: &[f32], sums: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { elementwise::column_sums::<$simd>(rows, sums) }
            }

            /// # Safety
            /// As for [`rows::exp_rows`].
            #[target_feature(enable = $features)]
            pub unsafe fn exp_rows(x: Rows<'_>, powers: &mut [f32], maxima: &mut [f32], sums: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { rows::exp_rows::<$simd>(x, powers, maxima, sums) }
            }

            /// # Safety
            /// As for [`rows::dot_rows`].
            #[target_feature(enable = $features)]
            pub unsafe fn dot_rows(a: &[f32], b: Rows<'_>, c: &[f32], dots: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { rows::dot_rows::<$simd>(a, b, c, dots) }
            }

            /// # Safety
            /// As for [`elementwise::activate`].
            #[target_feature(enable = $features)]
            pub unsafe fn activate(activation: Activation, y: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { elementwise::activate::<$simd>(activation, y) }
            }

            /// # Safety
            /// As for [`elementwise::differentiate`].
            #[target_feature(enable = $features)]
            pub unsafe fn differentiate(activation: Activation, y: &[f32], d: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { elementwise::differentiate::<$simd>(activation, y, d) }
            }

            /// # Safety
            /// As for [`layer_norm::layer_norm_forward`].
            #[target_feature(enable = $features)]
            pub unsafe fn layer_norm_forward(
                shape: LayerNormShape,
                parameters: (&[f32], &[f32], f32),
                x: (&[f32], Activation),
                kept: (&mut [f32], &mut [f32]),
                y: &mut [f32],
            ) {
                // SAFETY: handed on from the caller.
                unsafe { layer_norm::layer_norm_forward::<$simd>(shape, parameters, x, kept, y) }
            }

            /// # Safety
            /// As for [`layer_norm::layer_norm_input_gradient`].
            #[target_feature(enable = $features)]
            pub unsafe fn layer_norm_input_gradient(
                shape: LayerNormShape,
                gradients: (&[f32], &[f32]),
                kept: (&[f32], &[f32]),
                x: (&[f32], Activation),
                dx: &mut [f32],
            ) {
                // SAFETY: handed on from the caller.
                unsafe { layer_norm::layer_norm_input_gradient::<$simd>(shape, gradients, kept, x, dx) }
            }

            /// # Safety
            /// As for [`layer_norm::layer_norm_parameter_gradient`].
            #[target_feature(enable = $features)]
            pub unsafe fn layer_norm_parameter_gradient(
                shape: LayerNormShape,
                inputs: (&[f32], &[f32]),
                gradients: (&mut [f32], &mut [f32]),
            ) {
                // SAFETY: handed on from the caller.
                unsafe { layer_norm::layer_norm_parameter_gradient::<$simd>(shape, inputs, gradients) }
            }

            /// # Safety
            /// As for [`pack::pack_transposed`].
            #[target_feature(enable = $features)]
            pub unsafe fn pack_transposed(from: &[f32], sizes: (usize, usize), to: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { pack::pack_transposed::<$simd>(from, sizes, to) }
            }

            /// # Safety
            /// The instruction set is present.
            #[target_feature(enable = $features)]
            pub unsafe fn multiply_adds(rounds: usize, seed: f32) -> f32 {
                // SAFETY: handed on from the caller.
                unsafe { limit::multiply_adds::<$simd>(rounds, seed) }
            }

            /// # Safety
            /// As for [`limit::traffic`].
            #[target_feature(enable = $features)]
            pub unsafe fn traffic(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
                // SAFETY: handed on from the caller.
                unsafe { limit::traffic::<$simd>(p, g, m, v) }
            }
        }
    };
}

#[cfg(all(test, target_arch = "x86_64"))]
entries!(array, Array<4>, "sse2");
#[cfg(target_arch = "x86_64")]
entries!(avx2, crate::kernel::avx2::Avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
entries!(avx512, crate::kernel::avx512::Avx512, "avx2,fma,avx512f");
#[cfg(target_arch = "aarch64")]
entries!(neon, crate::kernel::neon::Neon, "neon");

/// Calls one of the entry points of the kernel's instruction set, or `$scalar`.
macro_rules! dispatch {
    ($kernel:expr, $name:ident($($argument:expr),*), $scalar:expr) => {
        match $kernel.0 {
            Isa::Scalar => $scalar,
            // SAFETY: every x86-64 has SSE2, and the arrays need nothing.
            #[cfg(all(test, target_arch = "x86_64"))]
            Isa::Array => unsafe { array::$name($($argument),*) },
            // SAFETY: a `Kernel` exists only where its instruction set does; the rest is vouched for where this is used.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { avx2::$name($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { avx512::$name($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => unsafe { neon::$name($($argument),*) },
        }
    };
}

impl Kernel {
    /// Computes a product.
    ///
    /// # Safety
    /// As for [`multiply`], except for the instruction set.
    ///
    /// # Panics
    /// For the scalar kernel, which has its own loops.
    pub(super) unsafe fn product(self, p: &Product) {
        dispatch!(self, product(p), unreachable!("the scalar twin has its own loops"))
    }

    pub(super) fn fused_adam(self, f: &AdamFactors<f32>, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        // What the vector code relies on.
        assert!(g.len() == p.len() && m.len() == p.len() && v.len() == p.len());
        dispatch!(self, adam(f, p, g, m, v), reference::adam(f, p, g, m, v))
    }

    pub(super) fn fused_rms_prop(
        self,
        f: &RmsPropFactors<f32>,
        p: &mut [f32],
        g: &[f32],
        state: RmsPropState<'_, f32>,
    ) {
        // What the vector code relies on.
        assert!(g.len() == p.len() && state.square.len() == p.len());
        assert!(state.mean.is_empty() || state.mean.len() == p.len());
        assert!(state.velocity.is_empty() || state.velocity.len() == p.len());
        dispatch!(self, rms_prop(f, p, g, state), reference::rms_prop(f, p, g, state))
    }

    /// Runs `task` as compiled for this kernel's instruction set.
    ///
    /// ```
    /// use requel_nn::kernel::Task;
    ///
    /// struct Scale<'a>(f32, &'a mut [f32]);
    /// impl Task for Scale<'_> {
    ///     type Output = ();
    ///     #[inline(always)]
    ///     fn run(self) {
    ///         self.1.iter_mut().for_each(|x| *x *= self.0);
    ///     }
    /// }
    /// let mut x = [1.0, 2.0, 3.0];
    /// requel_nn::Kernel::fastest().run(Scale(0.5, &mut x));
    /// assert_eq!(x, [0.5, 1.0, 1.5]);
    /// ```
    pub fn run<T: Task>(self, task: T) -> T::Output {
        dispatch!(self, run(task), task.run())
    }

    pub(super) fn column_sums(self, rows: &[f32], sums: &mut [f32]) {
        assert!(sums.is_empty() || rows.len().is_multiple_of(sums.len()));
        dispatch!(self, column_sums(rows, sums), reference::column_sums(rows, sums))
    }
}

impl Kernel {
    /// See [`reference::layer_norm_forward`].
    pub(crate) fn layer_norm_forward(
        self,
        shape: LayerNormShape,
        (gain, bias, epsilon): (&[f32], &[f32], f32),
        (x, activation): (&[f32], Activation),
        (normal, scales): (&mut [f32], &mut [f32]),
        y: &mut [f32],
    ) {
        let LayerNormShape { groups, features } = shape;
        assert!([x.len(), normal.len(), y.len()] == [groups * features; 3], "groups × features");
        assert!((gain.len(), bias.len(), scales.len()) == (features, features, groups), "features, and groups");
        let (parameters, x, kept) = ((gain, bias, epsilon), (x, activation), (normal, scales));
        dispatch!(
            self,
            layer_norm_forward(shape, parameters, x, kept, y),
            reference::layer_norm_forward(shape, parameters, x, kept, y)
        )
    }

    /// See [`reference::layer_norm_input_gradient`].
    pub(crate) fn layer_norm_input_gradient(
        self,
        shape: LayerNormShape,
        (gain, dy): (&[f32], &[f32]),
        (normal, scales): (&[f32], &[f32]),
        (x, activation): (&[f32], Activation),
        dx: &mut [f32],
    ) {
        let LayerNormShape { groups, features } = shape;
        assert!([dy.len(), normal.len(), x.len(), dx.len()] == [groups * features; 4], "groups × features");
        assert!((gain.len(), scales.len()) == (features, groups), "features, and groups");
        let (gradients, kept, x) = ((gain, dy), (normal, scales), (x, activation));
        dispatch!(
            self,
            layer_norm_input_gradient(shape, gradients, kept, x, dx),
            reference::layer_norm_input_gradient(shape, gradients, kept, x, dx)
        )
    }

    /// See [`reference::layer_norm_parameter_gradient`].
    pub(crate) fn layer_norm_parameter_gradient(
        self,
        shape: LayerNormShape,
        (dy, normal): (&[f32], &[f32]),
        (d_gain, d_bias): (&mut [f32], &mut [f32]),
    ) {
        let LayerNormShape { groups, features } = shape;
        assert!((dy.len(), normal.len()) == (groups * features, groups * features), "groups × features");
        assert!((d_gain.len(), d_bias.len()) == (features, features), "a number for each feature");
        let (inputs, gradients) = ((dy, normal), (d_gain, d_bias));
        dispatch!(
            self,
            layer_norm_parameter_gradient(shape, inputs, gradients),
            reference::layer_norm_parameter_gradient(shape, inputs, gradients)
        )
    }
}

impl Kernel {
    /// See [`crate::math::exp_rows`].
    pub(crate) fn exp_rows(
        self,
        width: usize,
        (numbers, starts): (&[f32], &[usize]),
        powers: &mut [f32],
        (maxima, sums): (&mut [f32], &mut [f32]),
    ) {
        let (x, rows) = (Rows { numbers, starts, width }, starts.len());
        assert!(x.are_inside(), "the rows lie within the numbers");
        assert_eq!((powers.len(), maxima.len(), sums.len()), (rows * width, rows, rows), "rows × width, and rows");
        // SAFETY: as was asserted; an array needs no instruction set.
        dispatch!(self, exp_rows(x, powers, maxima, sums), unsafe {
            rows::exp_rows::<Array<1>>(x, powers, maxima, sums);
        })
    }

    /// See [`crate::math::dot_rows`].
    pub(crate) fn dot_rows(
        self,
        width: usize,
        a: &[f32],
        (numbers, starts): (&[f32], &[usize]),
        c: &[f32],
        dots: &mut [f32],
    ) {
        let (b, rows) = (Rows { numbers, starts, width }, starts.len());
        assert!(b.are_inside(), "the rows lie within the numbers");
        assert_eq!((a.len(), c.len(), dots.len()), (rows * width, rows, rows), "rows × width, and rows");
        // SAFETY: as was asserted; an array needs no instruction set.
        dispatch!(self, dot_rows(a, b, c, dots), unsafe { rows::dot_rows::<Array<1>>(a, b, c, dots) })
    }
}

macro_rules! methods {
    ($($name:ident)*) => {
        impl Kernel {$(
            /// The function of every number.
            pub(crate) fn $name(self, x: &mut [f32]) {
                dispatch!(self, $name(x), x.iter_mut().for_each(|x| *x = super::scalar_math::$name(*x)))
            }
        )*}
    };
}
methods! { exp ln sigmoid tanh }

impl Kernel {
    /// `y ← activation(y)`.
    pub(crate) fn activate(self, activation: Activation, y: &mut [f32]) {
        dispatch!(self, activate(activation, y), y.iter_mut().for_each(|y| *y = reference::activate(activation, *y)))
    }

    /// `d ← d · activation'`, from the outputs `y` of the activation.
    pub(crate) fn differentiate(self, activation: Activation, y: &[f32], d: &mut [f32]) {
        assert_eq!(y.len(), d.len());
        dispatch!(self, differentiate(activation, y, d), {
            d.iter_mut().zip(y).for_each(|(d, &y)| *d = reference::differentiate(activation, y, *d));
        })
    }

    /// Copies the transpose of `from`, rows of `terms` numbers, to `terms` rows of `width`, which is
    /// [`Kernel::tile_width`]; columns that `from` has no row for are 0.
    ///
    /// # Panics
    /// For the scalar kernel, which packs nothing.
    pub(super) fn pack_transposed(self, from: &[f32], (terms, width): (usize, usize), to: &mut [f32]) {
        assert!(width == self.tile_width() && to.len() == terms * width);
        assert!(from.len().is_multiple_of(terms) && from.len() / terms <= width);
        dispatch!(self, pack_transposed(from, (terms, width), to), unreachable!("the scalar twin packs nothing"))
    }

    /// Columns of a tile of four rows and more.
    pub(super) fn tile_width(self) -> usize {
        2 * self.lanes()
    }

    pub(super) fn lanes(self) -> usize {
        match self.0 {
            Isa::Scalar => 1,
            #[cfg(all(test, target_arch = "x86_64"))]
            Isa::Array => <array::Registers as Simd>::LANES,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => <avx2::Registers as Simd>::LANES,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => <avx512::Registers as Simd>::LANES,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => <neon::Registers as Simd>::LANES,
        }
    }

    pub(super) fn multiply_adds(self, rounds: usize, seed: f32) -> f32 {
        dispatch!(self, multiply_adds(rounds, seed), {
            let mut sum = seed;
            (0..12 * rounds).for_each(|_| sum = mul_add(sum, 0.999_9, 0.999_9));
            sum
        })
    }

    pub(super) fn traffic(self, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        assert!(g.len() == p.len() && m.len() == p.len() && v.len() == p.len());
        dispatch!(self, traffic(p, g, m, v), {
            for i in 0..p.len() {
                p[i] += g[i];
                m[i] += g[i];
                v[i] += g[i];
            }
        })
    }
}
