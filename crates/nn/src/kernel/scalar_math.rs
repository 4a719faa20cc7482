//! The mathematics of one number: a register of one lane.

use super::array::Array;
use super::math;

macro_rules! scalar {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[must_use]
        pub fn $name(x: f32) -> f32 {
            // SAFETY: an array needs no instruction set.
            unsafe { math::$name::<Array<1>>([x])[0] }
        }
    )*};
}

scalar! {
    /// `eˣ`.
    exp
    /// The natural logarithm; −∞ for 0, NaN for a negative number.
    ln
    /// `1 / (1 + e⁻ˣ)`.
    sigmoid
    /// The hyperbolic tangent.
    tanh
}
