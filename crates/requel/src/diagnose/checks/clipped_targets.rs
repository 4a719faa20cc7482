//! Targets that do not fit between the ends of the support.

use crate::agent::Statistic;
use crate::config::HeadKind;
use crate::diagnose::words::{percent, tidy};
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "clipped-targets";
/// If more than this fraction of the targets is at an end of the support, the distribution is cut off, not just its tail.
const MUCH: f64 = 0.05;
const MOST: f64 = 0.3;

/// Targets outside the support, or outside the range they are clipped to, which pile up at its ends.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let share = evidence.late_mean(Statistic::ClippedTargets)?;
    let head = &evidence.config.head;
    let (ends, keys) = if head.kind == HeadKind::Categorical {
        ((head.v_min.number(), head.v_max.number()), "`head.v_min` and `head.v_max`")
    } else {
        (evidence.config.agent.value_clip.numbers().unzip(), "`agent.value_clip`")
    };
    // If the ends are the bounds of the values, nothing correct is clipped: what lies beyond is overestimation.
    let (Some(low), Some(high)) = ends else { return None };
    if evidence.bounds().is_some_and(|bounds| low <= bounds.low + 1e-6 && high >= bounds.high - 1e-6) {
        return None;
    }
    let finding = if share > MOST { Finding::fault } else { Finding::warning };
    (share > MUCH).then(|| {
        finding(
            NAME,
            format!(
                "{} of the targets in the second half of training lie outside {} … {} and are clipped to it",
                percent(share),
                tidy(low),
                tidy(high)
            ),
            format!(
                "widen {keys} to the discounted returns that are reached, or set them to \"auto\"; or scale \
                     rewards (`agent.reward_scale`)"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SupportEnd;
    use crate::diagnose::{Severity, sick};

    fn with(share: f64, high: f64) -> Option<Severity> {
        let mut evidence = sick::healthy();
        evidence.config.head.kind = HeadKind::Categorical;
        (evidence.config.head.v_min, evidence.config.head.v_max) = (SupportEnd::At(0.0), SupportEnd::At(high));
        sick::set(&mut evidence, Statistic::ClippedTargets, share);
        check(&evidence).map(|finding| finding.severity)
    }

    #[test]
    fn a_support_that_is_too_small() {
        assert_eq!([with(0.01, 10.0), with(0.5, 100.0)], [None; 2]);
        assert_eq!([with(0.1, 10.0), with(0.6, 10.0)], [Some(Severity::Warning), Some(Severity::Fault)]);
        assert_eq!(check(&sick::healthy()), None);
    }
}
