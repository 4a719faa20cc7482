//! A step size far from those that such networks are trained with.

use crate::config::AnnealKind;
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "learning-rate";
/// Published settings of this family lie between 1e-5 and 5e-3; these are well outside.
const LARGE: f64 = 0.02;
const SMALL: f64 = 2e-6;
/// With an ε of Adam above this, the step is no longer Adam's, and vanishes with the gradient.
const LARGE_EPSILON: f64 = 0.05;
/// Gradients of this family have norms of 1 to 100 over thousands of weights: each entry is far below it.
const HUGE_EPSILON: f64 = 1.0;

/// A learning rate that is out of range, that is annealed over a budget which is never used, or whose steps Adam's ε suppresses.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let optimizer = &evidence.config.optimizer;
    let rate = optimizer.learning_rate;
    if rate > LARGE {
        let evidence = format!(
            "`optimizer.learning_rate` = {}: for this kind of optimizer, at most 0.005 is \
                                usual",
            tidy(rate)
        );
        let advice = "try 1e-3, then 3e-4; large steps kill units and make values swing";
        return Some(Finding::fault(NAME, evidence, advice));
    }
    if rate < SMALL {
        let evidence = format!("`optimizer.learning_rate` = {}: steps this small need millions of updates", tidy(rate));
        return Some(Finding::fault(NAME, evidence, "try 1e-3, then 3e-4"));
    }
    if optimizer.epsilon > LARGE_EPSILON {
        let evidence =
            format!("`optimizer.epsilon` = {} outweighs the gradients that it is added to", tidy(optimizer.epsilon));
        let finding = if optimizer.epsilon > HUGE_EPSILON { Finding::fault } else { Finding::warning };
        return Some(finding(NAME, evidence, "published values are 1e-8 to 0.01"));
    }
    let (planned, budget) = (evidence.config.train.env_steps, evidence.budget());
    (optimizer.anneal == AnnealKind::Linear && planned > 3 * budget && budget > 0).then(|| {
        Finding::note(
            NAME,
            format!("the learning rate is annealed over {planned} env steps, but only {budget} were made"),
            "set `train.env_steps` to the number of steps that training takes",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    fn with_rate(rate: f64) -> Option<Finding> {
        let mut evidence = sick::healthy();
        evidence.config.optimizer.learning_rate = rate;
        check(&evidence)
    }

    #[test]
    fn rates_out_of_range() {
        assert_eq!([1e-5, 2e-3, 1e-2].map(with_rate), [const { None }; 3]);
        assert_eq!([0.2, 1e-8].map(|rate| with_rate(rate).unwrap().severity), [Severity::Fault; 2]);
    }

    #[test]
    fn a_course_that_does_not_act() {
        let mut evidence = sick::healthy();
        evidence.config.optimizer.anneal = AnnealKind::Linear;
        assert_eq!(check(&evidence), None);
        evidence.config.train.env_steps = 10_000_000;
        assert_eq!(check(&evidence).unwrap().severity, Severity::Note);
        evidence.config.optimizer.epsilon = 1.0;
        assert_eq!(check(&evidence).unwrap().severity, Severity::Warning);
        evidence.config.optimizer.epsilon = 100.0;
        assert_eq!(check(&evidence).unwrap().severity, Severity::Fault);
    }
}
