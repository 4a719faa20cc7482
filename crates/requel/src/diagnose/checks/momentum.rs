//! Averages of gradients that are too long or too short.

use crate::config::OptimizerKind;
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "momentum";
/// A step along the mean of more gradients than this follows outdated gradients.
const LONG: f64 = 300.0;
/// With a shorter memory of their size, a step has full size however small the gradient is.
const SHORT: f64 = 2.0;

/// Decay rates of the optimiser's averages far from published ones (Kingma & Ba 2015 use 0.9 and 0.999).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let optimizer = &evidence.config.optimizer;
    let adaptive = matches!(optimizer.kind, OptimizerKind::Adam | OptimizerKind::Radam);
    let (first, second) = if adaptive {
        (("optimizer.beta1", optimizer.beta1), ("optimizer.beta2", optimizer.beta2))
    } else {
        (("optimizer.momentum", optimizer.momentum), ("optimizer.alpha", optimizer.alpha))
    };
    let memory = |decay: f64| 1.0 / (1.0 - decay);
    if memory(first.1) > LONG {
        let text = format!(
            "`{}` = {}: each step follows the mean of the last {} gradients",
            first.0,
            first.1,
            tidy(memory(first.1).round())
        );
        return Some(Finding::fault(NAME, text, format!("lower `{}`: 0.9 is usual", first.0)));
    }
    (memory(second.1) < SHORT).then(|| {
        let text = format!("`{}` = {}: steps are of full size, however small the gradients become", second.0, second.1);
        Finding::warning(NAME, text, format!("raise `{}`: 0.95 to 0.999 are usual", second.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn too_long_and_too_short() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.config.optimizer.beta1 = 0.9999;
        let finding = check(&evidence).unwrap();
        assert!(
            finding.severity == Severity::Fault && finding.evidence.contains("last 10000 gradients"),
            "{finding:?}"
        );
        (evidence.config.optimizer.beta1, evidence.config.optimizer.beta2) = (0.9, 0.0);
        assert_eq!(check(&evidence).unwrap().severity, Severity::Warning);
        evidence.config.optimizer.kind = OptimizerKind::Rmsprop;
        assert_eq!(check(&evidence), None);
        evidence.config.optimizer.momentum = 0.999;
        assert!(check(&evidence).unwrap().advice.contains("optimizer.momentum"));
    }
}
