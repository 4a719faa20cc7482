//! How the streams of a dueling head are put together (Wang et al. 2016).

use super::Real;

/// `q[a][z] = A[a][z] + (V[z] − (Σ_a A[a][z]) / actions)` for each row, a increasing from 0; `values` is `rows × atoms`,
/// `advantages` and `q` are `rows × actions × atoms`.
pub fn dueling_forward<R: Real>((actions, atoms): (usize, usize), values: &[R], advantages: &[R], q: &mut [R]) {
    for (i, &value) in values.iter().enumerate() {
        let at = |a: usize| (i / atoms * actions + a) * atoms + i % atoms;
        let sum = (0..actions).fold(R::ZERO, |sum, a| sum.plus(advantages[at(a)]));
        let offset = value.minus(sum.over(R::of(actions as f64)));
        (0..actions).for_each(|a| q[at(a)] = advantages[at(a)].plus(offset));
    }
}

/// `dV[z] = Σ_a dq[a][z]`, a increasing from 0, and `dA[a][z] = dq[a][z] − dV[z] / actions`.
pub fn dueling_backward<R: Real>(
    (actions, atoms): (usize, usize),
    dq: &[R],
    (d_values, d_advantages): (&mut [R], &mut [R]),
) {
    for (i, d_value) in d_values.iter_mut().enumerate() {
        let at = |a: usize| (i / atoms * actions + a) * atoms + i % atoms;
        *d_value = (0..actions).fold(R::ZERO, |sum, a| sum.plus(dq[at(a)]));
        let share = d_value.over(R::of(actions as f64));
        (0..actions).for_each(|a| d_advantages[at(a)] = dq[at(a)].minus(share));
    }
}
