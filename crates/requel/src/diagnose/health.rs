//! [`LayerHealth`]: which units of a network still do something, and how many directions their outputs have.

use requel_nn::{LayerSpec, Network, Workspace};

use crate::agent::dormant_units;

/// One layer on a batch of observations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerHealth {
    /// Its index in the network.
    pub layer: usize,
    /// Number of its units: outputs of a vector, channels of an image.
    pub units: usize,
    /// Number of units that are 0 on the whole batch.
    pub dead: usize,
    /// Number of dormant units, see [`dormant_units`]; they include the dead ones.
    pub dormant: usize,
    /// The effective rank of rows × units, see [`effective_rank`]; `None` for images.
    pub rank: Option<usize>,
    /// Number of rows on which the rank was computed.
    pub rows: usize,
}

/// A unit below this fraction of its layer's mean activity is dormant, as in the paper of [`dormant_units`].
const DORMANT: f64 = 0.025;
/// The fraction that the effective rank leaves out, as in the paper of [`effective_rank`].
const DELTA: f64 = 0.01;
/// Maximum number of rows on which the rank is computed: its cost grows with their cube.
const MOST_RANK_ROWS: usize = 256;

/// The layers of a network that end in an activation, on `observations`, rows × observation length.
pub fn layer_health(network: &Network, parameters: &[f32], observations: &[f32]) -> Vec<LayerHealth> {
    let rows = observations.len() / network.input_len();
    let mut workspace = Workspace::new(network, rows);
    workspace.input_mut(rows).copy_from_slice(observations);
    network.forward(parameters, rows, &mut workspace);
    let is_image = |layer: usize| matches!(network.spec().layers[layer], LayerSpec::Conv2d { .. });
    let layers = network.activated_layers().map(|(layer, units)| {
        let activations = workspace.activations(layer);
        let mut room = vec![0.0; units];
        let dormant = dormant_units(activations, DORMANT, &mut room);
        let dead = room.iter().filter(|sum| **sum == 0.0).count();
        let is_vector = !is_image(layer) && activations.len() == rows * units;
        let some = &activations[..units * rows.min(MOST_RANK_ROWS)];
        let rank = is_vector.then(|| effective_rank(some, units, DELTA));
        LayerHealth { layer, units, dead, dormant, rank, rows }
    });
    layers.collect()
}

/// The effective rank of a matrix, rows × `columns`: the smallest k for which its k largest singular values make up 1 − `delta` of the sum
/// of all (Kumar et al. 2021, "Implicit Under-Parameterization Inhibits Data-Efficient Deep Reinforcement Learning"). 0 for a matrix of
/// zeros.
///
/// ```
/// // Two rows that say the same are of rank 1.
/// assert_eq!(requel::diagnose::effective_rank(&[1.0, 2.0, 2.0, 4.0], 2, 0.01), 1);
/// assert_eq!(requel::diagnose::effective_rank(&[1.0, 0.0, 0.0, 1.0], 2, 0.01), 2);
/// ```
///
/// # Panics
/// If `columns` is 0 or the matrix does not divide into rows of that length.
pub fn effective_rank(matrix: &[f32], columns: usize, delta: f64) -> usize {
    assert!(columns > 0 && matrix.len().is_multiple_of(columns), "the matrix is rows × columns");
    let rows = matrix.len() / columns;
    let at = |row: usize, column: usize| f64::from(matrix[row * columns + column]);
    // The smaller of the two products has the squares of all nonzero singular values.
    let size = rows.min(columns);
    let mut gram = vec![0.0; size * size];
    for i in 0..size {
        for j in i..size {
            let dot: f64 = if rows < columns {
                (0..columns).map(|column| at(i, column) * at(j, column)).sum()
            } else {
                (0..rows).map(|row| at(row, i) * at(row, j)).sum()
            };
            (gram[i * size + j], gram[j * size + i]) = (dot, dot);
        }
    }
    let mut values: Vec<f64> = eigenvalues(&mut gram, size).iter().map(|value| value.max(0.0).sqrt()).collect();
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    let total: f64 = values.iter().sum();
    let mut sum = 0.0;
    let taken = values.iter().take_while(|value| {
        let before = sum;
        sum += **value;
        before < (1.0 - delta) * total
    });
    taken.count()
}

/// The eigenvalues of a symmetric matrix, by Jacobi's rotations (Golub & Van Loan, "Matrix Computations").
fn eigenvalues(matrix: &mut [f64], size: usize) -> Vec<f64> {
    const MOST_SWEEPS: usize = 30;
    let scale = matrix.iter().map(|value| value * value).sum::<f64>();
    for _ in 0..MOST_SWEEPS {
        let mut off = 0.0;
        for p in 0..size {
            for q in p + 1..size {
                let apq = matrix[p * size + q];
                off += apq * apq;
                // Below rounding, a rotation changes nothing.
                if apq * apq <= 1e-30 * scale {
                    continue;
                }
                let theta = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                rotate(matrix, size, (p, q), (c, t * c));
            }
        }
        if off <= 1e-20 * scale {
            break;
        }
    }
    (0..size).map(|i| matrix[i * size + i]).collect()
}

/// Rotates the axes p and q by the angle with this cosine and sine.
fn rotate(matrix: &mut [f64], size: usize, (p, q): (usize, usize), (c, s): (f64, f64)) {
    for k in 0..size {
        let (kp, kq) = (matrix[k * size + p], matrix[k * size + q]);
        (matrix[k * size + p], matrix[k * size + q]) = (c * kp - s * kq, s * kp + c * kq);
    }
    for k in 0..size {
        let (pk, qk) = (matrix[p * size + k], matrix[q * size + k]);
        (matrix[p * size + k], matrix[q * size + k]) = (c * pk - s * qk, s * pk + c * qk);
    }
}

#[cfg(test)]
mod tests {
    use requel_nn::{Activation, NetworkSpec};

    use super::*;

    #[test]
    fn eigenvalues_by_hand() {
        let mut values = eigenvalues(&mut [2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 5.0], 3);
        values.sort_unstable_by(f64::total_cmp);
        for (value, expected) in values.iter().zip([1.0, 3.0, 5.0]) {
            assert!((value - expected).abs() < 1e-12, "{values:?}");
        }
    }

    #[test]
    fn ranks_by_hand() {
        let tall: Vec<f32> = (0..40).flat_map(|i| [i as f32, 2.0 * i as f32, (i % 3) as f32]).collect();
        assert_eq!(effective_rank(&tall, 3, 0.01), 2);
        // Singular values 10 and 0.05: the second is less than a hundredth of both.
        assert_eq!(effective_rank(&[10.0, 0.0, 0.0, 0.05], 2, 0.01), 1);
        assert_eq!(effective_rank(&[0.0; 6], 2, 0.01), 0);
        assert_eq!(effective_rank(&[1.0, 2.0, 3.0, 4.0], 4, 0.01), 1);
    }

    #[test]
    fn dead_units_are_seen() {
        let network = Network::new(&NetworkSpec::mlp(1, &[4], 2, Activation::Relu)).unwrap();
        let mut parameters = vec![0.0; network.parameter_count()];
        // Weights then biases of the hidden layer: two units see the input, one is a little alive, one never is.
        parameters[..8].copy_from_slice(&[1.0, -1.0, 0.001, 0.0, 0.0, 0.0, 0.0, -1.0]);
        let health = layer_health(&network, &parameters, &[1.0, 2.0, -1.0, -2.0]);
        assert_eq!(health.len(), 1);
        let LayerHealth { units, dead, dormant, rank, .. } = health[0];
        assert_eq!((units, dead, dormant, rank), (4, 1, 2, Some(2)));
    }
}
