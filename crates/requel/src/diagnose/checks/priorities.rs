//! Priorities concentrated on a few transitions.

use crate::diagnose::words::percent;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "priorities";
const MOST: f64 = 0.5;

/// A hundredth of the transitions with half of the total priority: batches contain the same few again and again (Schaul et al. 2016).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let share = evidence.memory.as_ref()?.priority_of_top_percent?;
    (share > MOST).then(|| {
        Finding::warning(
            NAME,
            format!(
                "1 % of the transitions have {} of the total priority: batches contain the same few again and \
                     again",
                percent(share)
            ),
            "lower `replay.priority_exponent`, raise `replay.priority_epsilon`, or clip rewards (`agent.reward_clip`) \
             if a few of them are huge",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn a_few_hold_most() {
        let mut evidence = sick::healthy();
        for (share, found) in [(None, false), (Some(0.1), false), (Some(0.7), true)] {
            evidence.memory.as_mut().unwrap().priority_of_top_percent = share;
            assert_eq!(check(&evidence).is_some(), found);
        }
    }
}
