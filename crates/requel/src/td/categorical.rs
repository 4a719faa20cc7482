//! Returns as probabilities on a fixed support: the projection of C51, and its loss.

use requel_nn::{Kernel, math};

use super::lanes;
use crate::planted::PlantedBug;

/// 2²³: from here on an `f32` has no fraction, and its last bits count.
const WHOLE: f32 = 8_388_608.0;
/// Atoms of a support are fewer than this.
const MOST_ATOMS: usize = 1 << 22;

/// The atoms `z_i = v_min + i·Δ`, evenly spaced from `v_min` to `v_max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    /// The least return that can be told apart.
    pub v_min: f32,
    /// The greatest, above `v_min`.
    pub v_max: f32,
    /// Number of atoms, at least 2.
    pub atoms: usize,
}

impl Support {
    /// Δ, the distance of two neighbours.
    pub fn step(&self) -> f32 {
        (self.v_max - self.v_min) / (self.atoms - 1) as f32
    }

    /// The return of atom `index`.
    pub fn atom(&self, index: usize) -> f32 {
        self.v_min + index as f32 * self.step()
    }
}

impl Default for Support {
    /// The 51 atoms from −10 to 10 of the paper.
    fn default() -> Self {
        Support { v_min: -10.0, v_max: 10.0, atoms: 51 }
    }
}

/// Where [`categorical_projection`] works.
#[derive(Clone, Debug)]
pub struct ProjectionRoom {
    /// 0, 1, 2, …
    numbers: Vec<f32>,
    /// Of each atom: the one below where it lands, and what goes to it and to the one above.
    below: Vec<u32>,
    lower: Vec<f32>,
    upper: Vec<f32>,
    /// The sums of what atoms that land at or above this one give to it, and to the next.
    given: Vec<[f32; 2]>,
}

impl ProjectionRoom {
    /// For a support of so many atoms.
    pub fn new(atoms: usize) -> Self {
        let room = || vec![0.0; atoms];
        ProjectionRoom {
            numbers: (0..atoms).map(|number| number as f32).collect(),
            below: vec![0; atoms],
            lower: room(),
            upper: room(),
            given: vec![[0.0; 2]; atoms],
        }
    }
}

/// The distribution of `reward + discount·z`, held between `v_min` and `v_max` and shared between the two atoms on either side
/// of where each atom lands, in proportion to nearness (Bellemare, Dabney & Munos 2017, eq. 7 and algorithm 1). An atom that
/// lands on another gives it everything, where a literal reading of the algorithm would give `(u − b) + (b − l) = 0`.
///
/// Where the discount is 0 the probabilities do not matter.
///
/// `probabilities` has one number per atom, and so has `projected`, which is overwritten; `room` is made for the support. What an
/// atom gets from those that land at or above it and from those that land below it is summed apart, each in increasing order of
/// where it comes from.
///
/// # Panics
/// If the lengths do not go together, there are millions of atoms, or the discount is below 0 or NaN.
///
/// ```
/// use requel::td::{ProjectionRoom, Support, categorical_projection};
///
/// let support = Support { v_min: 0.0, v_max: 2.0, atoms: 3 };
/// let mut projected = [0.0; 3];
/// // The return 2 becomes 0.25 + 0.5·2 = 1.25: three parts to the atom at 1, one to that at 2.
/// categorical_projection(&support, (0.25, 0.5), &[0.0, 0.0, 1.0], &mut projected, &mut ProjectionRoom::new(3));
/// assert_eq!(projected, [0.0, 0.75, 0.25]);
/// ```
#[inline(always)]
pub fn categorical_projection(
    support: &Support,
    (reward, discount): (f32, f32),
    probabilities: &[f32],
    projected: &mut [f32],
    room: &mut ProjectionRoom,
) {
    let atoms = support.atoms;
    assert!(atoms > 1 && atoms < MOST_ATOMS, "a support has at least two atoms, and not millions");
    assert!(discount >= 0.0, "a discount is at least 0");
    assert_eq!((probabilities.len(), projected.len()), (atoms, atoms), "one number per atom");
    assert_eq!(room.given.len(), atoms, "room for this support");

    // Where nothing follows all atoms land in one place.
    let probabilities = if discount == 0.0 { &[1.0] } else { probabilities };
    let count = probabilities.len();
    let ProjectionRoom { numbers, below, lower, upper, given } = room;
    let (below, lower, upper) = (&mut below[..count], &mut lower[..count], &mut upper[..count]);

    // What has no order is worked out side by side: where atom j lands, counted in atoms, is (r + d·z_j − v_min)/Δ = start + d·j.
    let start = (reward + discount * support.v_min - support.v_min) / support.step();
    let start = if PlantedBug::ProjectionShifted.is_made() { start + 1.0 } else { start };
    let last = (atoms - 1) as f32;
    let shares = below.iter_mut().zip(lower.iter_mut()).zip(upper.iter_mut());
    for (((below, lower), upper), (j, probability)) in shares.zip(numbers.iter().zip(probabilities)) {
        let place = start + discount * j;
        let place = if place > 0.0 { place } else { 0.0 };
        let place = if place < last { place } else { last };
        // Rounded to a whole number, and down where that went up: a conversion would be done one by one.
        let nearest = (place + WHOLE) - WHOLE;
        let whole = if nearest > place { nearest - 1.0 } else { nearest };
        *below = (whole + WHOLE).to_bits() - WHOLE.to_bits();
        *upper = (place - whole) * probability;
        *lower = probability - *upper;
    }

    given.fill([0.0; 2]);
    for ((below, lower), upper) in below.iter().zip(lower.iter()).zip(upper.iter()) {
        // A place is at most the last atom; the bound says so to the compiler.
        let given = &mut given[(*below as usize).min(atoms - 1)];
        *given = [given[0] + lower, given[1] + upper];
    }
    let mut from_below = 0.0;
    for (projected, [own, above]) in projected.iter_mut().zip(given.iter()) {
        *projected = own + from_below;
        from_below = *above;
    }
}

/// Each row of logits as probabilities, `softmax(logits)`, in place; `log_sums` gets the row's `ln Σ exp(logit − max)` and
/// `maxima` its greatest logit. Sums run in sixteen lanes: number i in lane i mod 16 in increasing order, then
/// the second half of the lanes is added to the first until one is left, then what is beyond the last whole sixteen.
///
/// `rows` is rows × atoms, `log_sums` and `maxima` one number per row.
///
/// # Panics
/// If the lengths do not go together.
#[inline(always)]
pub fn log_softmax(kernel: Kernel, rows: &mut [f32], log_sums: &mut [f32], maxima: &mut [f32]) {
    let count = log_sums.len();
    assert!(count > 0 && rows.len().is_multiple_of(count) && maxima.len() == count, "rows × atoms");
    let atoms = rows.len() / count;
    for (row, max) in rows.chunks_exact_mut(atoms).zip(maxima.iter_mut()) {
        let greatest = lanes::max(row);
        *max = greatest;
        lanes::change(row, |x| x - greatest);
    }
    math::exp_all(kernel, rows);
    for (row, sum) in rows.chunks_exact_mut(atoms).zip(log_sums.iter_mut()) {
        *sum = lanes::sum(row);
        let scale = 1.0 / *sum;
        lanes::change(row, |x| x * scale);
    }
    math::ln_all(kernel, log_sums);
}

/// The cross-entropy `−Σ_i m_i·ln softmax(logits)_i` of one row, from what [`log_softmax`] gave for it (Bellemare, Dabney & Munos
/// 2017, algorithm 1); `d_logits` gets `scale` times its gradient, `softmax(logits) − m`. The target `m` sums to 1.
///
/// # Panics
/// If the lengths do not go together.
#[inline(always)]
pub fn cross_entropy(
    target: &[f32],
    logits: &[f32],
    probabilities: &[f32],
    (log_sum, max): (f32, f32),
    (scale, d_logits): (f32, &mut [f32]),
) -> f32 {
    let atoms = target.len();
    assert_eq!((logits.len(), probabilities.len(), d_logits.len()), (atoms, atoms, atoms), "one number per atom");
    lanes::fill(d_logits, (probabilities, target), |p, m| scale * (p - m));
    log_sum - lanes::sum_of(target, logits, |m, logit| m * (logit - max))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const THREE: Support = Support { v_min: 0.0, v_max: 2.0, atoms: 3 };

    fn project(support: &Support, reward: f32, discount: f32, probabilities: &[f32]) -> Vec<f32> {
        let mut projected = vec![9.0; support.atoms];
        let mut room = ProjectionRoom::new(support.atoms);
        room.given.fill([9.0; 2]);
        categorical_projection(support, (reward, discount), probabilities, &mut projected, &mut room);
        projected
    }

    #[test]
    fn hand_worked_table() {
        let p = [0.25, 0.5, 0.25];
        for (reward, discount, expected) in [
            (0.0, 1.0, [0.25, 0.5, 0.25]),        // on the atoms themselves
            (1.0, 1.0, [0.0, 0.25, 0.75]),        // one up, the top held at v_max
            (-1.0, 1.0, [0.75, 0.25, 0.0]),       // one down, the bottom held at v_min
            (0.5, 1.0, [0.125, 0.375, 0.5]),      // halfway between
            (0.25, 0.5, [0.3125, 0.625, 0.0625]), // 0.25, 0.75, 1.25
            (1.0, 0.0, [0.0, 1.0, 0.0]),          // the end of an episode, on an atom
            (1.25, 0.0, [0.0, 0.75, 0.25]),       // and between two
            (2.0, 0.0, [0.0, 0.0, 1.0]),          // at the last atom
            (99.0, 0.5, [0.0, 0.0, 1.0]),
            (-99.0, 0.5, [1.0, 0.0, 0.0]),
        ] {
            assert_eq!(project(&THREE, reward, discount, &p), expected, "r {reward}, d {discount}");
        }
    }

    #[test]
    fn hand_worked_cross_entropy() {
        // Logits ln 1, ln 2, ln 1 (and 5 more, which softmax does not see): ¼, ½, ¼.
        let logits = [5.0, 5.0 + std::f32::consts::LN_2, 5.0];
        let mut probabilities = logits;
        let (mut log_sum, mut max) = ([0.0], [0.0]);
        log_softmax(Kernel::fastest(), &mut probabilities, &mut log_sum, &mut max);
        let mut d = [0.0; 3];
        let loss = cross_entropy(&[0.5, 0.5, 0.0], &logits, &probabilities, (log_sum[0], max[0]), (1.0, &mut d));
        // ½·ln 4 + ½·ln 2.
        assert!((loss - 1.5 * std::f32::consts::LN_2).abs() < 1e-6, "{loss}");
        for (d, expected) in d.iter().zip([-0.25, 0.0, 0.25]) {
            assert!((d - expected).abs() < 1e-6, "{d} against {expected}");
        }
    }

    #[test]
    fn huge_logits_overflow_nothing() {
        let logits = [1000.0, -1000.0, 0.0];
        let mut probabilities = logits;
        let (mut log_sum, mut max) = ([0.0], [0.0]);
        log_softmax(Kernel::fastest(), &mut probabilities, &mut log_sum, &mut max);
        let loss = cross_entropy(&[0.0, 1.0, 0.0], &logits, &probabilities, (log_sum[0], max[0]), (1.0, &mut [0.0; 3]));
        assert_eq!((probabilities, loss), ([1.0, 0.0, 0.0], 2000.0));
    }

    proptest! {
        /// Equation 7 read directly, in f64: every atom asks every other how near it lands.
        #[test]
        fn the_naive_twin(
            weights in prop::collection::vec(0.0f32..1.0, 51),
            reward in -12.0f32..12.0,
            discount in prop::sample::select(vec![0.0f32, 0.25, 0.5, 0.9, 0.99, 1.0]),
        ) {
            let support = Support::default();
            let total: f32 = weights.iter().sum::<f32>().max(1e-3);
            let p: Vec<f32> = weights.iter().map(|w| w / total).collect();
            let projected = project(&support, reward, discount, &p);
            let step = 20.0 / 50.0;
            for (i, ours) in projected.iter().enumerate() {
                let z = -10.0 + step * i as f64;
                let exact: f64 = p.iter().enumerate().map(|(j, p)| {
                    let lands = f64::from(reward) + f64::from(discount) * (-10.0 + step * j as f64);
                    (1.0 - (lands.clamp(-10.0, 10.0) - z).abs() / step).clamp(0.0, 1.0) * f64::from(*p)
                }).sum();
                // A place up to 50 is rounded by 4e-6, and the shares of two or more atoms move by that.
                prop_assert!((f64::from(*ours) - exact).abs() < 1e-5, "atom {i}: {ours} against {exact}");
            }
            let mass: f64 = projected.iter().map(|m| f64::from(*m)).sum();
            let before: f64 = p.iter().map(|m| f64::from(*m)).sum();
            prop_assert!((mass - before).abs() < 2e-6, "{mass} of {before}");
        }
    }
}
