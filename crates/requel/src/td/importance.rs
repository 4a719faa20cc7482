//! Importance weights of a prioritized draw.

/// `w_i = (N·p_i)^−β / max_j (N·p_j)^−β` over the batch (Schaul et al. 2016), computed in `f64` as `(p_min/p_i)^β`: the
/// number N of transitions in the buffer cancels out. Every weight is above 0 and at most 1.
///
/// `probabilities` and `weights` have one number per row; a probability is above 0.
///
/// # Panics
/// If the lengths differ, a probability is not above 0, or β is negative or not finite.
///
/// ```
/// let mut weights = [0.0; 2];
/// requel::td::importance_weights(&[0.1, 0.4], 0.5, &mut weights);
/// assert_eq!(weights, [1.0, 0.5]);
/// ```
pub fn importance_weights(probabilities: &[f64], beta: f64, weights: &mut [f32]) {
    assert_eq!(probabilities.len(), weights.len(), "one weight per probability");
    assert!(beta >= 0.0 && beta.is_finite(), "beta is {beta}, not a finite number of at least 0");
    let none = probabilities.iter().find(|p| !(**p > 0.0 && p.is_finite()));
    assert!(none.is_none(), "{none:?} is no probability with which a transition can have been drawn");

    let least = probabilities.iter().copied().fold(f64::INFINITY, f64::min);
    for (weight, probability) in weights.iter_mut().zip(probabilities) {
        // exp and ln and not pow: half its time, and the error of 1e-15 is far below what an f32 keeps.
        *weight = libm::exp(beta * libm::log(least / probability)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hand_worked_table() {
        for (beta, expected) in [(0.0, [1.0, 1.0, 1.0]), (0.5, [0.5, 1.0, 0.25]), (1.0, [0.25, 1.0, 0.0625])] {
            let mut weights = [9.0; 3];
            importance_weights(&[0.04, 0.01, 0.16], beta, &mut weights);
            for (weight, expected) in weights.iter().zip(expected) {
                assert!((weight - expected).abs() < 1e-7, "β {beta}: {weight} against {expected}");
            }
        }
    }

    proptest! {
        /// As the paper writes it, with N and powers.
        #[test]
        fn the_naive_twin(p in prop::collection::vec(1e-9f64..1.0, 1..40), beta in 0.0f64..=1.0) {
            let mut weights = vec![0.0; p.len()];
            importance_weights(&p, beta, &mut weights);
            let raw: Vec<f64> = p.iter().map(|p| (1e6 * p).powf(-beta)).collect();
            let max = raw.iter().copied().fold(0.0, f64::max);
            for (weight, raw) in weights.iter().zip(&raw) {
                prop_assert!((f64::from(*weight) - raw / max).abs() <= 1e-7 * raw / max);
            }
        }
    }
}
