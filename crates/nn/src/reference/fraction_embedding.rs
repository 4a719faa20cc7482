//! The embedding of fractions (Dabney et al. 2018, "Implicit Quantile Networks", equation 4).

use super::{DenseShape, Real, dense_forward, dense_weight_gradient, differentiate};
use crate::Activation;

/// `cos(π·i·τ)` for i from 0 to `cosines − 1`, for each fraction τ from 0 to 1.
///
/// They follow from cos(πτ) by Chebyshev's `cos((i + 1)θ) = 2·cos θ·cos iθ − cos((i − 1)θ)` in `f64`, each operation
/// rounded, and are rounded at the end. An error ε of cos θ grows to at most i²·ε, and those of the steps to as much: below
/// 2i²·2⁻⁵³, 1e-12 for 64 cosines, which an `f32` does not see.
pub fn fraction_cosines<R: Real>(fractions: &[R], cosines: usize, to: &mut [R]) {
    for (fraction, to) in fractions.iter().zip(to.chunks_exact_mut(cosines)) {
        let first = libm::cos(std::f64::consts::PI * fraction.wide());
        let (mut before, mut last) = (first, 1.0);
        for to in to {
            *to = R::of(last);
            (before, last) = (last, 2.0 * first * last - before);
        }
    }
}

/// `φ = ReLU(cosines · w + b)` for every fraction, as in [`dense_forward`], and `y = x · φ` with the row x of the
/// fraction. `shape` is that of the product of the cosines and w; there are `shape.rows / rows of x` fractions of a row.
pub fn fraction_embedding_forward<R: Real>(
    shape: DenseShape,
    parameters: (&[R], &[R]),
    (cosines, x): (&[R], &[R]),
    (phi, y): (&mut [R], &mut [R]),
) {
    dense_forward(shape, parameters, cosines, Activation::Relu, phi);
    let fractions = fractions_of_a_row(shape, x.len());
    for (i, y) in y.iter_mut().enumerate() {
        let (row, feature) = (i / (fractions * shape.outputs), i % shape.outputs);
        *y = x[row * shape.outputs + feature].times(phi[i]);
    }
}

/// The gradients of w and b as in [`dense_weight_gradient`], from `dφ = (x · dy) · ReLU'`; and `dx = (Σ dy · φ) ·
/// activation'(x)` over the fractions of a row in increasing order, each product rounded.
pub fn fraction_embedding_backward<R: Real>(
    shape: DenseShape,
    (cosines, phi): (&[R], &[R]),
    ((x, activation), dy): ((&[R], Activation), &[R]),
    ((dw, db), dx): ((&mut [R], &mut [R]), &mut [R]),
) {
    let fractions = fractions_of_a_row(shape, x.len());
    let mut d_phi = vec![R::ZERO; phi.len()];
    dx.fill(R::ZERO);
    for i in 0..phi.len() {
        let at = i / (fractions * shape.outputs) * shape.outputs + i % shape.outputs;
        d_phi[i] = differentiate(Activation::Relu, phi[i], x[at].times(dy[i]));
        dx[at] = dx[at].plus(dy[i].times(phi[i]));
    }
    dense_weight_gradient(shape, cosines, &d_phi, (dw, db));
    dx.iter_mut().zip(x).for_each(|(d, &x)| *d = differentiate(activation, x, *d));
}

fn fractions_of_a_row(shape: DenseShape, x_len: usize) -> usize {
    (shape.rows * shape.outputs).checked_div(x_len).unwrap_or(1)
}
