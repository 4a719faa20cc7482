//! A support that does not match the values.

use crate::config::HeadKind;
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "support";
/// With a support this many times as wide as the values, only a handful of atoms covers them.
const WIDE: f64 = 4.0;
/// Bellemare et al. 2017 lose much with 5 atoms, and little with 21.
const FEW_ATOMS: usize = 5;

/// A categorical support that is much wider than the possible values, that excludes most of them or the rewards of last steps, or that has
/// few atoms. Targets clipped at its ends during training are another check.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let head = &evidence.config.head;
    if head.kind != HeadKind::Categorical {
        return None;
    }
    let (low, high) = (head.v_min.number()?, head.v_max.number()?);
    if let Some(finding) = without_last_rewards(evidence, low, high) {
        return Some(finding);
    }
    if head.atoms < FEW_ATOMS {
        let text = format!("`head.atoms` = {}: too few for a distribution", head.atoms);
        return Some(Finding::warning(NAME, text, "51 atoms are usual, 21 are enough for small environments"));
    }
    let bounds = evidence.bounds().filter(|bounds| bounds.high > bounds.low)?;
    let (width, values) = (high - low, bounds.high - bounds.low);
    let overlap = (high.min(bounds.high) - low.max(bounds.low)).max(0.0);
    let advice = "set `head.v_min` and `head.v_max` to \"auto\", or to the returns that are reached";
    let ends = format!("{} … {}", tidy(low), tidy(high));
    let possible = format!("{} … {}", tidy(bounds.low), tidy(bounds.high));
    if width > WIDE * values {
        let evidence = format!(
            "the support is {ends} with {} atoms, {} apart, and values lie within {possible}",
            head.atoms,
            tidy(width / (head.atoms.max(2) - 1) as f64)
        );
        return Some(Finding::fault(NAME, evidence, advice));
    }
    (overlap < 0.02 * values.min(width)).then(|| {
        let evidence = format!(
            "the support is {ends}, but values lie within {possible}: hardly any value is within \
                                the support"
        );
        Finding::fault(NAME, evidence, advice)
    })
}

/// The value of a last step is its reward: if all such rewards lie outside the support, none of them can be represented.
fn without_last_rewards(evidence: &Evidence, low: f64, high: f64) -> Option<Finding> {
    let memory = evidence.memory.as_ref().filter(|memory| memory.terminal > 0.0)?;
    let (least, most) = memory.rewards;
    (most < low || least > high).then(|| {
        let text = format!(
            "the support is {} … {}, but episodes end with rewards of {} … {}, whose values are outside it",
            tidy(low),
            tidy(high),
            tidy(least),
            tidy(most)
        );
        Finding::fault(
            NAME,
            text,
            "set `head.v_min` and `head.v_max` to \"auto\", or widen them to include the rewards of single steps",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SupportEnd;
    use crate::diagnose::{Severity, sick};

    fn with(low: f64, high: f64) -> Option<Severity> {
        let mut evidence = sick::healthy();
        evidence.config.head.kind = HeadKind::Categorical;
        (evidence.config.head.v_min, evidence.config.head.v_max) = (SupportEnd::At(low), SupportEnd::At(high));
        check(&evidence).map(|finding| finding.severity)
    }

    #[test]
    fn too_wide_and_beside_the_values() {
        assert_eq!([with(0.0, 100.0), with(0.0, 200.0), with(0.0, 50.0), with(-10.0, 10.0)], [None; 4]);
        assert_eq!(with(0.0, 1000.0), Some(Severity::Fault));
        assert_eq!(with(-100.0, 0.0), Some(Severity::Fault));
        assert_eq!(check(&sick::healthy()), None);
    }

    #[test]
    fn without_the_rewards_of_last_steps() {
        assert_eq!(with(99.0, 100.0), Some(Severity::Fault));
        let mut evidence = sick::healthy();
        evidence.config.head.kind = HeadKind::Categorical;
        (evidence.config.head.v_min, evidence.config.head.v_max) = (SupportEnd::At(0.0), SupportEnd::At(100.0));
        assert_eq!(check(&evidence), None);
        evidence.config.head.atoms = 2;
        assert_eq!(check(&evidence).unwrap().severity, Severity::Warning);
    }
}
