//! Returns as quantiles: the targets and the loss of QR-DQN and IQN.

use super::RowPolicy;

/// The fractions in the middle of `n` equal parts, `(2i + 1)/2n` (Dabney et al. 2018, "Distributional Reinforcement Learning with
/// Quantile Regression").
pub fn quantile_midpoints(fractions: &mut [f32]) {
    let parts = 2 * fractions.len();
    for (index, fraction) in fractions.iter_mut().enumerate() {
        *fraction = (2 * index + 1) as f32 / parts as f32;
    }
}

/// The targets of one row, `T_j = r + d·θ_j(s', a)` for the action of a policy (Dabney et al. 2018), or
/// `T_j = r + d·Σ_a π(a|s')·(θ_j(s', a) − offset(a))` (Vieillard et al. 2020, on M-IQN). `quantile(a, j)` is θ_j(s', a). The sum runs over
/// the actions in increasing order; an action of probability 0 adds nothing. Where the discount is 0 every target is the reward.
///
/// ```
/// use requel::td::{RowPolicy, quantile_targets};
///
/// let quantiles = [[1.0, 3.0], [2.0, 6.0]];
/// let mut targets = [0.0; 2];
/// quantile_targets(1.0, 0.5, RowPolicy::Action(1), |action, fraction| quantiles[action][fraction], &mut targets);
/// assert_eq!(targets, [2.0, 4.0]);
/// ```
#[inline]
pub fn quantile_targets(
    reward: f32,
    discount: f32,
    policy: RowPolicy<'_>,
    quantile: impl Fn(usize, usize) -> f32,
    targets: &mut [f32],
) {
    match policy {
        _ if discount == 0.0 => targets.fill(reward),
        RowPolicy::Action(action) => {
            for (fraction, target) in targets.iter_mut().enumerate() {
                *target = reward + discount * quantile(action, fraction);
            }
        }
        RowPolicy::Weighted { probabilities, offsets } => {
            targets.fill(0.0);
            for (action, (probability, offset)) in probabilities.iter().zip(offsets).enumerate() {
                if *probability > 0.0 {
                    for (fraction, target) in targets.iter_mut().enumerate() {
                        *target += probability * (quantile(action, fraction) - offset);
                    }
                }
            }
            targets.iter_mut().for_each(|target| *target = reward + discount * *target);
        }
    }
}

/// The quantile Huber loss of one row: over `predictions` θ at `fractions` τ, and `targets` T,
/// `Σ_i mean_j |τ_i − 1{u < 0}|·L_κ(u)/κ` with `u = T_j − θ_i` (Dabney et al. 2018, "… with Quantile Regression",
/// and "Implicit Quantile Networks"). `L_κ(u)` is `½u²` up to κ and `κ(|u| − ½κ)` beyond; with κ = 0 the loss is
/// `|τ − 1{u < 0}|·|u|`, plain quantile regression. `d_predictions` gets the gradient.
///
/// For each prediction the sum runs over the targets in increasing order; the predictions' losses are added in increasing order.
///
/// # Panics
/// If there is not one fraction and one gradient per prediction, there are no targets, or κ is negative or not finite.
///
/// ```
/// let mut d = [0.0];
/// // u = 3: 0.25·(1·(3 − ½)); u = −0.5: 0.75·½·0.25. The mean of both.
/// let loss = requel::td::quantile_huber(1.0, (&[1.0], &[0.25]), &[4.0, 0.5], &mut d);
/// assert_eq!((loss, d), ((0.625 + 0.09375) / 2.0, [(-0.25 + 0.375) / 2.0]));
/// ```
#[inline(always)]
pub fn quantile_huber(
    kappa: f32,
    (predictions, fractions): (&[f32], &[f32]),
    targets: &[f32],
    d_predictions: &mut [f32],
) -> f32 {
    let lengths = (fractions.len(), d_predictions.len());
    assert_eq!(lengths, (predictions.len(), predictions.len()), "one fraction and gradient per prediction");
    assert!(kappa >= 0.0 && kappa.is_finite(), "kappa is {kappa}, not a finite number of at least 0");
    assert!(!targets.is_empty(), "the loss of predictions against no target");
    if kappa > 0.0 {
        let inverse = 1.0 / kappa;
        let slope_and_loss = move |u: f32| {
            let held = if u < -kappa { -kappa } else { u };
            let held = if held > kappa { kappa } else { held };
            // Within κ: u/κ and u²/2κ; beyond: ±1 and |u| − ½κ.
            let slope = held * inverse;
            (slope, slope * (u - 0.5 * held))
        };
        accumulate((predictions, fractions), targets, d_predictions, slope_and_loss)
    } else {
        let slope_and_loss = |u: f32| {
            let slope = if u < 0.0 { -1.0 } else { 1.0 };
            (if u == 0.0 { 0.0 } else { slope }, slope * u)
        };
        accumulate((predictions, fractions), targets, d_predictions, slope_and_loss)
    }
}

/// The sum for any loss of u with its slope.
#[inline(always)]
fn accumulate(
    (predictions, fractions): (&[f32], &[f32]),
    targets: &[f32],
    d_predictions: &mut [f32],
    slope_and_loss: impl Fn(f32) -> (f32, f32),
) -> f32 {
    /// Predictions that are worked on side by side.
    const LANES: usize = 16;
    let share = 1.0 / targets.len() as f32;
    let mut row_loss = 0.0;
    let parts = predictions.chunks(LANES).zip(fractions.chunks(LANES)).zip(d_predictions.chunks_mut(LANES));
    for ((predictions, fractions), d_predictions) in parts {
        let (mut theta, mut tau) = ([0.0f32; LANES], [0.0f32; LANES]);
        theta[..predictions.len()].copy_from_slice(predictions);
        tau[..fractions.len()].copy_from_slice(fractions);
        let (mut slopes, mut losses) = ([0.0f32; LANES], [0.0f32; LANES]);
        for target in targets {
            for lane in 0..LANES {
                let u = target - theta[lane];
                let weight = if u < 0.0 { 1.0 - tau[lane] } else { tau[lane] };
                let (slope, loss) = slope_and_loss(u);
                slopes[lane] += weight * slope;
                losses[lane] += weight * loss;
            }
        }
        for (lane, d) in d_predictions.iter_mut().enumerate() {
            *d = -slopes[lane] * share;
            row_loss += losses[lane] * share;
        }
    }
    row_loss
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn midpoints_table() {
        let mut fractions = [0.0; 4];
        quantile_midpoints(&mut fractions);
        assert_eq!(fractions, [0.125, 0.375, 0.625, 0.875]);
    }

    #[test]
    fn targets_table() {
        const NO: f32 = f32::NEG_INFINITY;
        // θ of three actions at two fractions; the third action is not allowed.
        let quantiles = [[1.0, 3.0], [2.0, 6.0], [NO, NO]];
        let of = |discount, policy| {
            let mut targets = [9.0; 2];
            quantile_targets(1.0, discount, policy, |action, fraction| quantiles[action][fraction], &mut targets);
            targets
        };
        let weighted = |offsets| RowPolicy::Weighted { probabilities: &[0.25, 0.75, 0.0], offsets };
        assert_eq!(of(0.5, RowPolicy::Action(0)), [1.5, 2.5]);
        assert_eq!(of(0.0, RowPolicy::Action(2)), [1.0, 1.0]);
        assert_eq!(of(0.0, weighted(&[NO; 3])), [1.0, 1.0]);
        assert_eq!(of(0.5, weighted(&[0.0, 0.0, NO])), [1.0 + 0.5 * 1.75, 1.0 + 0.5 * 5.25]);
        assert_eq!(of(0.5, weighted(&[1.0, 1.0, NO])), [1.0 + 0.5 * 0.75, 1.0 + 0.5 * 4.25]);
    }

    #[test]
    fn hand_worked_table() {
        // κ, θ, τ, targets, loss, gradient
        for (kappa, theta, tau, target, loss, gradient) in [
            (1.0, 0.0, 0.25, 0.5, 0.25 * 0.125, -0.25 * 0.5),
            (1.0, 0.0, 0.25, -0.5, 0.75 * 0.125, 0.75 * 0.5),
            (1.0, 0.0, 0.25, 3.0, 0.25 * 2.5, -0.25),
            (2.0, 0.0, 0.5, -4.0, 0.5 * 3.0, 0.5),
            (0.0, 1.0, 0.25, 3.0, 0.25 * 2.0, -0.25),
            (0.0, 1.0, 0.25, -1.0, 0.75 * 2.0, 0.75),
            (0.0, 1.0, 0.25, 1.0, 0.0, 0.0),
        ] {
            let mut d = [9.0];
            assert_eq!(quantile_huber(kappa, (&[theta], &[tau]), &[target], &mut d), loss, "κ {kappa}, {target}");
            assert_eq!(d, [gradient], "κ {kappa}, {target}");
        }
    }

    #[test]
    fn plain_quantile_regression_finds_the_quantiles() {
        // Targets 0 to 99: the quantile τ is at 100·τ.
        let targets: Vec<f32> = (0..100u8).map(f32::from).collect();
        let (mut theta, mut tau, mut d) = (vec![50.0; 10], vec![0.0; 10], vec![0.0; 10]);
        quantile_midpoints(&mut tau);
        for step in 0..4000u16 {
            quantile_huber(0.0, (&theta, &tau), &targets, &mut d);
            let rate = 20.0 / (1.0 + f32::from(step) * 0.02);
            theta.iter_mut().zip(&d).for_each(|(theta, d)| *theta -= rate * d);
        }
        for (theta, tau) in theta.iter().zip(&tau) {
            assert!((theta - (100.0 * tau - 0.5)).abs() <= 1.0, "the quantile {tau} at {theta}");
        }
    }

    proptest! {
        /// The equation in f64, pair by pair, and its differences.
        #[test]
        fn the_naive_twin(
            theta in prop::collection::vec(-3.0f32..3.0, 1..20),
            targets in prop::collection::vec(-3.0f32..3.0, 1..20),
            seed in 0.0f32..1.0,
            kappa in prop::sample::select(vec![0.0f32, 0.5, 1.0, 4.0]),
        ) {
            let tau: Vec<f32> = (0..theta.len()).map(|i| (seed + 0.618 * i as f32).fract()).collect();
            let exact = |theta: &[f64]| -> f64 {
                let pair = |theta: f64, tau: f64, target: f64| {
                    let (u, kappa) = (target - theta, f64::from(kappa));
                    let weight = (tau - if u < 0.0 { 1.0 } else { 0.0 }).abs();
                    if kappa == 0.0 { return weight * u.abs() }
                    let huber = if u.abs() <= kappa { 0.5 * u * u } else { kappa * (u.abs() - 0.5 * kappa) };
                    weight * huber / kappa
                };
                let row = |(theta, tau): (&f64, &f32)| {
                    targets.iter().map(|t| pair(*theta, (*tau).into(), (*t).into())).sum::<f64>() / targets.len() as f64
                };
                theta.iter().zip(&tau).map(row).sum()
            };
            let mut d = vec![0.0; theta.len()];
            let loss = quantile_huber(kappa, (&theta, &tau), &targets, &mut d);
            let wide: Vec<f64> = theta.iter().map(|t| f64::from(*t)).collect();
            prop_assert!((f64::from(loss) - exact(&wide)).abs() < 1e-5, "{loss} against {}", exact(&wide));
            for (i, d) in d.iter().enumerate() {
                // At a kink (u = 0, with κ = 0 only) there is no derivative to compare with.
                if kappa == 0.0 && targets.iter().any(|t| (t - theta[i]).abs() < 1e-4) { continue }
                let moved = |by: f64| { let mut w = wide.clone(); w[i] += by; exact(&w) };
                let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                prop_assert!((f64::from(*d) - numeric).abs() < 3e-5, "{d} against {numeric}");
            }
        }
    }
}
