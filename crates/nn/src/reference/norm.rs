//! Lengths of vectors.

/// Numbers of a block of [`global_norm`].
pub const NORM_BLOCK: usize = 65_536;

/// Partial sums of a block of [`global_norm`].
pub const NORM_PARTS: usize = 32;

/// The Euclidean norm of `values`, see [`crate::global_norm`].
pub fn global_norm(values: &[f32]) -> f64 {
    let mut total = 0.0;
    for block in values.chunks(NORM_BLOCK) {
        let whole = block.len() / NORM_PARTS * NORM_PARTS;
        let mut parts = [0.0_f64; NORM_PARTS];
        for i in (whole..block.len()).chain(0..whole) {
            parts[i % NORM_PARTS] += f64::from(block[i]) * f64::from(block[i]);
        }
        let mut sum = 0.0;
        for part in parts {
            sum += part;
        }
        total += sum;
    }
    total.sqrt()
}
