//! Numbers in an observation that differ by orders of magnitude.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "feature-scale";
/// If one number is this many times larger, a first layer with initial weights of equal size reacts to little else.
const APART: f64 = 300.0;
const LARGE: f64 = 1000.0;

/// Numbers of an observation of very different or very large size.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let sizes = &evidence.memory.as_ref()?.feature_sizes;
    // A number that is always 0 carries no information, whatever its scale.
    let sized = || sizes.iter().copied().enumerate().filter(|(_, size)| *size > 0.0);
    let (largest, most) = sized().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (smallest, least) = sized().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let advice = "wrap the environment in `NormalizeObservation`, or divide each number by its usual size";
    if most > APART * least {
        let evidence = format!(
            "number {largest} of an observation reaches {}, number {smallest} only {}: {} times less",
            tidy(most),
            tidy(least),
            tidy(most / least)
        );
        return Some(Finding::fault(NAME, evidence, advice));
    }
    (most > LARGE).then(|| {
        let evidence = format!("the numbers of an observation reach {}", tidy(most));
        Finding::warning(NAME, evidence, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    fn with(sizes: &[f64]) -> Option<Finding> {
        let mut evidence = sick::healthy();
        evidence.memory.as_mut().unwrap().feature_sizes = sizes.to_vec();
        check(&evidence)
    }

    #[test]
    fn one_number_is_far_larger() {
        assert_eq!(with(&[1.2, 0.07]), None);
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[1.0, 0.0, 1.0]), None);
        let finding = with(&[2.4, 3e5, 0.2, 3.0]).unwrap();
        assert!(finding.severity == Severity::Fault && finding.evidence.contains("number 1 "), "{finding:?}");
        assert_eq!(with(&[5000.0, 4000.0]).unwrap().severity, Severity::Warning);
    }
}
