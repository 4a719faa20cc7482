//! [`Init`]: how initial parameters are drawn.

use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::layer::LayerParameter;

/// A distribution of initial parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Init {
    /// What PyTorch's `Linear` and `Conv2d` start from: weights and biases uniform in ±1/√(inputs of an output). For
    /// the weights that is "kaiming uniform" with a = √5 (He et al. 2015).
    #[default]
    PytorchLinear,
    /// Weights with orthonormal rows or columns (whichever are fewer), times `gain`; biases 0 (Saxe et al. 2014).
    Orthogonal {
        /// What the orthonormal matrix is multiplied by, such as √2 before ReLU.
        gain: f32,
    },
    /// Weights uniform in ±√(6 / (inputs + outputs)); biases 0 (Glorot and Bengio 2010).
    GlorotUniform,
}

/// Draws one array. A uniform number takes one 32-bit word of `rng`, a normal one takes two.
pub(crate) fn initialize_slice(values: &mut [f32], parameter: &LayerParameter, init: Init, rng: &mut impl Rng) {
    let (inputs, outputs) = (parameter.fan.inputs as f64, parameter.fan.outputs as f64);
    let is_bias = parameter.name == "bias";
    match init {
        Init::PytorchLinear => fill_uniform(values, 1.0 / inputs.sqrt(), rng),
        _ if is_bias => values.fill(0.0),
        Init::GlorotUniform => fill_uniform(values, (6.0 / (inputs + outputs)).sqrt(), rng),
        Init::Orthogonal { gain } => {
            let columns = parameter.shape[parameter.shape.len() - 1];
            fill_orthogonal(values, columns, gain.into(), rng);
        }
    }
}

fn fill_uniform(values: &mut [f32], bound: f64, rng: &mut impl Rng) {
    for value in values {
        *value = ((2.0 * unit(rng) - 1.0) * bound) as f32;
    }
}

/// Gram-Schmidt, twice over for orthogonality to rounding, on a Gaussian matrix: uniformly distributed over the
/// orthonormal frames (Mezzadri 2007; the lengths divided by are positive, so no sign needs mending).
fn fill_orthogonal(values: &mut [f32], columns: usize, gain: f64, rng: &mut impl Rng) {
    let rows = values.len() / columns;
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut frame: Vec<Vec<f64>> = Vec::with_capacity(count);
    while frame.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| normal(rng)).collect();
        for _ in 0..2 {
            for other in &frame {
                let along = dot(&vector, other);
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        // A vector that lies in the span of the others has no direction left; draw another.
        if norm > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= norm);
            frame.push(vector);
        }
    }
    for (i, value) in values.iter_mut().enumerate() {
        let (row, column) = (i / columns, i % columns);
        let entry = if rows <= columns { frame[row][column] } else { frame[column][row] };
        *value = (gain * entry) as f32;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Uniform in `[0, 1)`: 24 bits, all that an `f32` holds.
fn unit(rng: &mut impl Rng) -> f64 {
    f64::from(rng.next_u32() >> 8) * (1.0 / 16_777_216.0)
}

/// Standard normal, by Box and Muller (1958).
fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - unit(rng))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * unit(rng))
}
