//! Gradients that are clipped at most updates.

use crate::agent::Statistic;
use crate::diagnose::words::{percent, tidy};
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "clipped-gradients";
/// Clipping is meant for rare large gradients. If it happens at most updates, it determines the size of all of them.
const MOST: f64 = 0.9;
/// Adam, RMSprop and RAdam divide by the size of gradients, so a constant factor changes no step: distributional heads train well with
/// gradients of six times the norm, PQN on returns of 500 with twenty times.
const FAR: f64 = 20.0;
/// Clipping so strong that only the direction of a gradient remains, whatever the optimiser makes of it.
const VERY_FAR: f64 = 100.0;
/// ‖step‖ / ‖weights‖ below which clipping has suppressed the steps; without it they are about 1e-3.
const STARVED: f64 = 1e-4;

/// Clipping at most updates, so far below the size of gradients that the steps suffer.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let share = evidence.late_mean(Statistic::ClippedUpdates)?;
    let norm = evidence.late_mean(Statistic::GradientNorm)?;
    let most = evidence.config.optimizer.max_gradient_norm;
    let starved = evidence.late_mean(Statistic::UpdateToWeight).is_some_and(|ratio| ratio < STARVED);
    let suffers = norm > VERY_FAR * most || (norm > FAR * most && starved);
    let finding = if starved { Finding::fault } else { Finding::warning };
    (share > MOST && suffers).then(|| {
        finding(
            NAME,
            format!("{} of the updates in the second half of training are clipped: gradients have a norm of {}, and \
                     `optimizer.max_gradient_norm` is {}", percent(share), tidy(norm), tidy(most)),
            "raise `optimizer.max_gradient_norm` (10 is usual), or scale rewards down (`agent.reward_scale`) if gradients are that large",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn nearly_all_are_clipped() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        sick::set(&mut evidence, Statistic::ClippedUpdates, 1.0);
        assert_eq!(check(&evidence), None);
        evidence.config.optimizer.max_gradient_norm = 1e-3;
        let finding = check(&evidence).unwrap();
        assert!(
            finding.severity == Severity::Warning && finding.evidence.contains("100 % of the updates"),
            "{finding:?}"
        );
    }

    #[test]
    fn a_factor_that_the_optimiser_makes_up_for_is_no_trouble_and_steps_that_are_gone_are() {
        let mut evidence = sick::healthy();
        sick::set(&mut evidence, Statistic::ClippedUpdates, 1.0);
        sick::set(&mut evidence, Statistic::GradientNorm, 220.0);
        evidence.config.optimizer.max_gradient_norm = 10.0;
        assert_eq!(check(&evidence), None);
        sick::set(&mut evidence, Statistic::UpdateToWeight, 2e-5);
        assert_eq!(check(&evidence).unwrap().severity, Severity::Fault);
    }

    #[test]
    fn clipping_is_told_before_the_small_steps_that_it_leads_to() {
        let mut evidence = sick::healthy();
        sick::set(&mut evidence, Statistic::ClippedUpdates, 1.0);
        sick::set(&mut evidence, Statistic::UpdateToWeight, 2e-7);
        evidence.config.optimizer.max_gradient_norm = 1e-6;
        let checks: Vec<&str> = crate::diagnose::findings(&evidence).iter().map(|finding| finding.check).collect();
        assert_eq!(checks, [NAME, "update-ratio"]);
    }
}
