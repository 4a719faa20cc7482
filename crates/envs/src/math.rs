//! Sine and cosine that are the same on every machine.

/// Sine and cosine of `x` (rad).
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    (libm::sin(x), libm::cos(x))
}
