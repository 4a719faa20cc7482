//! [`Task`]: plain code that is compiled once for every instruction set.

/// Loops in plain Rust that [`crate::Kernel::run`] compiles with the vector registers of its instruction set, so that code outside this
/// crate can use them without `unsafe`.
///
/// The registers change the speed but never the bits: the compiler neither reorders floating-point operations nor fuses them. For a fused
/// multiply-add, use [`crate::math::mul_add`], which rounds once on every target, unlike [`f32::mul_add`]. What should be vectorised must
/// be independent by nature, such as the numbers of an array, or sums in lanes that the code itself keeps separate.
pub trait Task {
    /// Its result.
    type Output;

    /// The work. Mark it `#[inline(always)]`, like every function that it calls in its loops: functions that are not inlined are compiled
    /// for the lowest common instruction set.
    fn run(self) -> Self::Output;
}
