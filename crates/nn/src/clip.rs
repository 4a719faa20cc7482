//! Clipping of gradients.

use crate::global_norm;

/// Scales `gradients` so that their Euclidean norm is at most `max_norm`, and returns the norm before, like
/// `torch.nn.utils.clip_grad_norm_`: the factor is `max_norm / (norm + 1e-6)`, if that is below 1. A norm that is not finite leaves NaN or
/// zero in the gradients, as in PyTorch; the returned norm shows it.
///
/// The norm is [`global_norm`]'s.
///
/// # Panics
/// If `max_norm` is negative or NaN.
///
/// ```
/// let mut gradients = [3.0, 4.0];
/// assert_eq!(requel_nn::clip_global_norm(&mut gradients, 1.0), 5.0);
/// assert!((gradients[0] - 0.6).abs() < 1e-6);
/// ```
pub fn clip_global_norm(gradients: &mut [f32], max_norm: f32) -> f32 {
    assert!(max_norm >= 0.0, "a gradient cannot be clipped to the norm {max_norm}");
    let norm = global_norm(gradients);
    let factor = f64::from(max_norm) / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        let factor = factor as f32;
        gradients.iter_mut().for_each(|g| *g *= factor);
    }
    norm as f32
}

#[cfg(test)]
mod tests {
    use super::clip_global_norm;

    #[test]
    fn a_small_gradient_is_left_alone() {
        let mut gradients: Vec<f32> = (0..100).map(|i| i as f32 * 0.01).collect();
        let before = gradients.clone();
        let norm = clip_global_norm(&mut gradients, 10.0);
        assert_eq!(gradients, before);
        let expected = before.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        assert!((f64::from(norm) - expected).abs() < 1e-6 * expected);
    }

    #[test]
    fn a_large_gradient_keeps_its_direction() {
        let mut gradients: Vec<f32> = (0..77).map(|i| i as f32 - 30.0).collect();
        let before = gradients.clone();
        let norm = clip_global_norm(&mut gradients, 2.0);
        let after = gradients.iter().map(|g| g * g).sum::<f32>().sqrt();
        assert!((after - 2.0).abs() < 1e-4, "{after}");
        for (a, b) in gradients.iter().zip(&before) {
            assert!((a * norm - b * 2.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_norm_that_is_not_finite_shows() {
        assert!(clip_global_norm(&mut [1.0, f32::NAN], 1.0).is_nan());
        assert_eq!(clip_global_norm(&mut [1.0, f32::INFINITY], 1.0), f32::INFINITY);
    }

    #[test]
    fn a_norm_that_is_none_is_refused() {
        for norm in [-1.0, f32::NAN] {
            assert!(std::panic::catch_unwind(|| clip_global_norm(&mut [1.0], norm)).is_err(), "{norm}");
        }
    }
}
