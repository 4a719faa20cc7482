//! [`Init`]: how initial parameters are drawn.

use rand_core::Rng;

use crate::layer::{LayerParameter, Start};

/// A distribution of initial parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields))]
pub enum Init {
    /// PyTorch's default for `Linear` and `Conv2d`: weights and biases uniform in ±1/√(inputs of an output). For the weights that is
    /// "kaiming uniform" with a = √5 (He et al. 2015).
    #[default]
    PytorchLinear,
    /// Weights with orthonormal rows or columns (whichever are fewer), times `gain`; biases 0 (Saxe et al. 2014).
    Orthogonal {
        /// The factor for the orthonormal matrix, such as √2 before ReLU.
        gain: f32,
    },
    /// Weights uniform in ±√(6 / (inputs + outputs)); biases 0 (Glorot and Bengio 2010).
    GlorotUniform,
}

/// Draws one array. A uniform number takes one 32-bit word of `rng`, a normal one takes two.
pub(crate) fn initialize_slice(values: &mut [f32], parameter: &LayerParameter, init: Init, rng: &mut impl Rng) {
    let (inputs, outputs) = (parameter.fan.inputs as f64, parameter.fan.outputs as f64);
    match (parameter.start, init) {
        (Start::Constant(value), _) => values.fill(value),
        (Start::Uniform, _) | (_, Init::PytorchLinear) => fill_uniform(values, 1.0 / inputs.sqrt(), rng),
        (Start::Bias, _) => values.fill(0.0),
        (Start::Weight, Init::GlorotUniform) => fill_uniform(values, (6.0 / (inputs + outputs)).sqrt(), rng),
        (Start::Weight, Init::Orthogonal { gain }) => {
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

/// Gram-Schmidt on a Gaussian matrix, applied twice for orthogonality up to rounding: uniformly distributed over the orthonormal frames
/// (Mezzadri 2007; the lengths divided by are positive, so no sign needs correcting).
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
        // A vector in the span of the others has no direction left; draw another.
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

/// Uniform in `[0, 1)`: 24 bits, as many as an `f32` has.
fn unit(rng: &mut impl Rng) -> f64 {
    f64::from(rng.next_u32() >> 8) * (1.0 / 16_777_216.0)
}

/// Standard normal, by Box and Muller (1958).
fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - unit(rng))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * unit(rng))
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    use super::*;
    use crate::{Activation, Network, NetworkSpec};

    fn draw(spec: &NetworkSpec, init: Init, seed: u64) -> (Network, Vec<f32>) {
        let network = Network::new(spec).unwrap();
        let mut parameters = vec![f32::NAN; network.parameter_count()];
        network.initialize(&mut parameters, init, &mut ChaCha8Rng::seed_from_u64(seed));
        (network, parameters)
    }

    /// Mean and variance of a uniform distribution over ±bound are 0 and bound²/3.
    fn assert_uniform(values: &[f32], bound: f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let square = values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
        assert!(values.iter().all(|&x| f64::from(x).abs() <= bound * 1.000_001));
        assert!(mean.abs() < 5.0 * bound / (3.0 * n).sqrt(), "mean {mean}");
        assert!((square / (bound * bound / 3.0) - 1.0).abs() < 5.0 * (0.8 / n).sqrt(), "variance {square}");
    }

    #[test]
    fn uniform_bounds_follow_the_fans() {
        let spec = NetworkSpec::mlp(100, &[80], 40, Activation::Relu);
        let (network, parameters) = draw(&spec, Init::PytorchLinear, 1);
        for (slice, bound) in network.slices().iter().zip([0.1, 0.1, 80_f64.powf(-0.5), 80_f64.powf(-0.5)]) {
            assert_uniform(&parameters[slice.range.clone()], bound);
        }
        let (network, parameters) = draw(&spec, Init::GlorotUniform, 1);
        let slices = network.slices();
        assert_uniform(&parameters[slices[0].range.clone()], (6.0_f64 / 180.0).sqrt());
        assert_uniform(&parameters[slices[2].range.clone()], (6.0_f64 / 120.0).sqrt());
        assert!(parameters[slices[1].range.clone()].iter().all(|&b| b == 0.0));
    }

    #[test]
    fn orthogonal_rows_or_columns() {
        for (inputs, outputs) in [(30, 7), (7, 30), (12, 12)] {
            let spec = NetworkSpec::mlp(inputs, &[], outputs, Activation::Relu);
            let (network, parameters) = draw(&spec, Init::Orthogonal { gain: 2.0 }, 3);
            let w = &parameters[network.slices()[0].range.clone()];
            let count = inputs.min(outputs);
            let vector = |i: usize| -> Vec<f64> {
                let entry = |k: usize| if inputs <= outputs { w[i * outputs + k] } else { w[k * outputs + i] };
                (0..inputs.max(outputs)).map(|k| entry(k).into()).collect()
            };
            for i in 0..count {
                for j in 0..count {
                    let expected = if i == j { 4.0 } else { 0.0 };
                    let product = dot(&vector(i), &vector(j));
                    assert!((product - expected).abs() < 1e-5, "{i} · {j} = {product}");
                }
            }
        }
    }

    /// Freezes what a seed draws: a change here changes every seeded run.
    #[test]
    fn value_stability() {
        let spec = NetworkSpec::mlp(3, &[], 2, Activation::Relu);
        let bits = |init| draw(&spec, init, 7).1[..3].iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(Init::PytorchLinear), [3201619224, 3200929840, 3199989919]);
        assert_eq!(bits(Init::GlorotUniform), [3209292058, 3208638051, 3207746363]);
        assert_eq!(bits(Init::Orthogonal { gain: 1.0 }), [1058904200, 3192666353, 1059307012]);
    }
}
