//! Gradients that are clipped at most updates.

use crate::agent::Statistic;
use crate::diagnose::words::{percent, tidy};
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "clipped-gradients";
/// Clipping is against the rare large gradient. Where it happens at most updates it sets the size of all of them.
const MOST: f64 = 0.9;
/// Adam and its kind make up for a constant factor: distributional heads train well with gradients of six times the norm.
const FAR: f64 = 20.0;

/// Clipping at most updates, to far below what gradients are.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let share = evidence.late_mean(Statistic::ClippedUpdates)?;
    let norm = evidence.late_mean(Statistic::GradientNorm)?;
    let most = evidence.config.optimizer.max_gradient_norm;
    (share > MOST && norm > FAR * most).then(|| {
        Finding::warning(
            NAME,
            format!("{} of the updates in the later half of training are clipped: gradients have a norm of {}, and `optimizer.max_gradient_norm` is {}", percent(share), tidy(norm), tidy(most)),
            "raise `optimizer.max_gradient_norm` (10 is usual), or scale rewards down (`agent.reward_scale`) if gradients are that large",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn nearly_all_are_clipped() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        sick::set(&mut evidence, Statistic::ClippedUpdates, 1.0);
        assert_eq!(check(&evidence), None);
        evidence.config.optimizer.max_gradient_norm = 1e-3;
        assert!(check(&evidence).unwrap().evidence.contains("100 % of the updates"));
    }
}
