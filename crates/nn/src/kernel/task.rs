//! [`Task`]: plain code that is compiled once for every instruction set.

/// Loops in plain Rust that [`crate::Kernel::run`] compiles with the vector registers of its instruction set, so that code outside
/// this crate can use them without `unsafe`.
///
/// The registers change the speed and never the bits: the compiler neither reorders floating-point operations nor fuses them.
/// For a fused multiply-add there is [`crate::math::mul_add`], which rounds once on every target, as [`f32::mul_add`] does not.
/// What is to be vectorised has to be independent by its nature, such as the numbers of an array, or sums in lanes that the
/// code itself keeps apart.
pub trait Task {
    /// What it gives.
    type Output;

    /// The work. To be marked `#[inline(always)]`, as has every function that it calls in its loops: what is not inlined is
    /// compiled for the lowest common instruction set.
    fn run(self) -> Self::Output;
}
