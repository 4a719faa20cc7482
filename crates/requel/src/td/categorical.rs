//! Returns as probabilities on a fixed support: the projection of C51, and its loss.

use requel_nn::lanes;
use requel_policy::Support;

/// 2²³: from here on an `f32` has no fraction, and its last bits count.
const WHOLE: f32 = 8_388_608.0;
/// Atoms of a support are fewer than this.
const MOST_ATOMS: usize = 1 << 22;

/// The buffers of [`categorical_projection`].
#[derive(Clone, Debug)]
pub struct ProjectionRoom {
    /// 0, 1, 2, …
    numbers: Vec<f32>,
    /// 1, 0, 0, …
    certain: Vec<f32>,
    /// Rows × atoms; of each atom: the one below where it lands, and what goes to it and to the one above.
    below: Vec<u32>,
    shares: Vec<[f32; 2]>,
    /// Rows × atoms: the sums of what the atoms that land at or above this one give to it, and to the next.
    given: Vec<[f32; 2]>,
}

impl ProjectionRoom {
    /// For this number of rows and of atoms.
    pub fn new(rows: usize, atoms: usize) -> Self {
        ProjectionRoom {
            numbers: (0..atoms).map(|number| number as f32).collect(),
            certain: (0..atoms).map(|number| if number == 0 { 1.0 } else { 0.0 }).collect(),
            below: vec![0; rows * atoms],
            shares: vec![[0.0; 2]; rows * atoms],
            given: vec![[0.0; 2]; rows * atoms],
        }
    }
}

/// For each row the distribution of `reward + discount·z`, clipped to `v_min` and `v_max`, where the probability of each atom is shared
/// between the two atoms next to where it lands, in proportion to nearness (Bellemare, Dabney & Munos 2017, eq. 7 and algorithm 1). An atom
/// that lands on another gives it everything, where a literal reading of the algorithm would give `(u − b) + (b − l) = 0`.
///
/// If the discount is 0 the probabilities do not matter. A reward that is not finite has no place on the support: its row is NaN, and so
/// is a loss computed from it.
///
/// `probabilities` is rows × atoms, and so is `projected`, which is overwritten; `room` is made for the same size. For each atom, the
/// shares from atoms that land at or above it and from those that land below it are summed separately, each in increasing order of the
/// source atom.
///
/// # Panics
/// If the lengths do not match, the support has no two distinct atoms or has millions of them, or a discount is negative or NaN.
///
/// ```
/// use requel::td::{ProjectionRoom, Support, categorical_projection};
///
/// let support = Support { v_min: 0.0, v_max: 2.0, atoms: 3 };
/// let mut projected = [0.0; 3];
/// // The return 2 becomes 0.25 + 0.5·2 = 1.25: three parts to the atom at 1, one to that at 2.
/// let room = &mut ProjectionRoom::new(1, 3);
/// categorical_projection(&support, (&[0.25], &[0.5]), &[0.0, 0.0, 1.0], &mut projected, room);
/// assert_eq!(projected, [0.0, 0.75, 0.25]);
/// ```
#[inline(always)]
pub fn categorical_projection(
    support: &Support,
    (rewards, discounts): (&[f32], &[f32]),
    probabilities: &[f32],
    projected: &mut [f32],
    room: &mut ProjectionRoom,
) {
    let (rows, atoms) = (rewards.len(), support.atoms);
    assert!(atoms > 1 && atoms < MOST_ATOMS, "a support has at least two atoms, and not millions");
    let (v_min, v_max) = (support.v_min, support.v_max);
    assert!(v_min < v_max && (v_max - v_min).is_finite(), "a support from {v_min} to {v_max}");
    assert!(discounts.len() == rows && discounts.iter().all(|d| *d >= 0.0), "a discount of at least 0 for each row");
    assert_eq!((probabilities.len(), projected.len()), (rows * atoms, rows * atoms), "one number per row and atom");
    assert_eq!((room.below.len(), room.numbers.len()), (rows * atoms, atoms), "room for these rows and this support");
    let ProjectionRoom { numbers, certain, below, shares, given } = room;

    // What depends on no order is vectorised.
    for row in 0..rows {
        let (reward, discount) = (rewards[row], discounts[row]);
        // Where atom j lands, counted in atoms, is (r + d·z_j − v_min)/Δ = start + d·j.
        let start = (reward + discount * support.v_min - support.v_min) / support.step();
        let landing = Landing { start, discount, last: (atoms - 1) as f32 };
        let of_row = row * atoms..(row + 1) * atoms;
        // Where nothing follows all atoms land in one place.
        let probabilities = if discount == 0.0 { &certain[..] } else { &probabilities[of_row.clone()] };
        landing.of_row((numbers, probabilities), (&mut below[of_row.clone()], &mut shares[of_row]));
    }

    // All rows one step after the other: a number that was just written on its own is slow to be read among its neighbours.
    given.fill([0.0; 2]);
    for (row, given) in given.chunks_exact_mut(atoms).enumerate() {
        let count = if discounts[row] == 0.0 { 1 } else { atoms };
        let of_row = row * atoms..row * atoms + count;
        for (below, [lower, upper]) in below[of_row.clone()].iter().zip(&shares[of_row]) {
            let given = &mut given[*below as usize];
            *given = [given[0] + lower, given[1] + upper];
        }
    }
    for (projected, given) in projected.chunks_exact_mut(atoms).zip(given.chunks_exact(atoms)) {
        projected[0] = given[0][0];
        for (projected, pair) in projected[1..].iter_mut().zip(given.windows(2)) {
            *projected = pair[1][0] + pair[0][1];
        }
    }
    for (row, _) in rewards.iter().enumerate().filter(|(_, reward)| !reward.is_finite()) {
        projected[row * atoms..(row + 1) * atoms].fill(f32::NAN);
    }
}

/// Where the atoms of a row land, counted in atoms: atom j at `start + discount·j`, held between 0 and `last`.
#[derive(Clone, Copy)]
struct Landing {
    start: f32,
    discount: f32,
    last: f32,
}

impl Landing {
    /// Of each atom: the atom below, and its probability shared between that and the next.
    #[inline(always)]
    fn of_row(self, (numbers, probabilities): (&[f32], &[f32]), (below, shares): (&mut [u32], &mut [[f32; 2]])) {
        let from = (numbers.as_chunks::<{ lanes::LANES }>().0, probabilities.as_chunks().0);
        let to = (below.as_chunks_mut().0, shares.as_chunks_mut().0);
        for ((below, shares), (numbers, probabilities)) in to.0.iter_mut().zip(to.1).zip(from.0.iter().zip(from.1)) {
            self.of_atoms((numbers, probabilities), (below, shares));
        }
        // The last sixteen may overlap those before, and come out the same.
        let from = (numbers.last_chunk::<{ lanes::LANES }>(), probabilities.last_chunk());
        if let ((Some(numbers), Some(probabilities)), Some(below), Some(shares)) =
            (from, below.last_chunk_mut(), shares.last_chunk_mut())
        {
            return self.of_atoms((numbers, probabilities), (below, shares));
        }
        for (atom, number) in numbers.iter().enumerate() {
            let to = (std::array::from_mut(&mut below[atom]), std::array::from_mut(&mut shares[atom]));
            self.of_atoms((&[*number], &[probabilities[atom]]), to);
        }
    }

    #[inline(always)]
    fn of_atoms<const N: usize>(
        self,
        (numbers, probabilities): (&[f32; N], &[f32; N]),
        (below, shares): (&mut [u32; N], &mut [[f32; 2]; N]),
    ) {
        let Landing { start, discount, last } = self;
        for i in 0..N {
            let place = start + discount * numbers[i];
            let place = if place > 0.0 { place } else { 0.0 };
            let place = if place < last { place } else { last };
            // Rounded to a whole number, and down where that went up: a conversion would be done one by one.
            let nearest = (place + WHOLE) - WHOLE;
            let whole = if nearest > place { nearest - 1.0 } else { nearest };
            below[i] = (whole + WHOLE).to_bits() - WHOLE.to_bits();
            let upper = (place - whole) * probabilities[i];
            shares[i] = [probabilities[i] - upper, upper];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const THREE: Support = Support { v_min: 0.0, v_max: 2.0, atoms: 3 };

    fn project(support: &Support, reward: f32, discount: f32, probabilities: &[f32]) -> Vec<f32> {
        // Between two others, and with what they left.
        let (rewards, discounts) = ([0.5, reward, -3.0], [0.75, discount, 0.0]);
        let probabilities = [probabilities, probabilities, probabilities].concat();
        let mut projected = vec![9.0; 3 * support.atoms];
        let mut room = ProjectionRoom::new(3, support.atoms);
        room.given.fill([9.0; 2]);
        categorical_projection(support, (&rewards, &discounts), &probabilities, &mut projected, &mut room);
        projected[support.atoms..2 * support.atoms].to_vec()
    }

    #[test]
    fn a_reward_that_is_none_is_no_certain_return() {
        for reward in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for discount in [0.0, 0.9] {
                let row = project(&THREE, reward, discount, &[0.25, 0.5, 0.25]);
                assert!(row.iter().all(|share| share.is_nan()), "{reward}: {row:?}");
            }
        }
    }

    #[test]
    fn supports_that_are_none_are_refused() {
        for (v_min, v_max, atoms) in
            [(0.0, 0.0, 3), (1.0, 0.0, 3), (f32::NAN, 1.0, 3), (-f32::MAX, f32::MAX, 3), (0.0, 1.0, 1)]
        {
            let support = Support { v_min, v_max, atoms };
            let project = || project(&support, 0.0, 0.5, &vec![1.0; atoms]);
            assert!(std::panic::catch_unwind(project).is_err(), "{support:?}");
        }
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
