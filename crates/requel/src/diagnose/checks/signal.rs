//! Experience in which nothing differs.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "signal";
/// Of fewer episodes that ended alike it may be chance.
const LEAST_EPISODES: u64 = 10;
const LEAST_LINES: usize = 3;

/// Every episode of training and every evaluation has the same return, short of the goal: what is rewarded was never met, and no
/// action is better than another by anything that was seen.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let returns = || evidence.course.iter().filter_map(|line| line.return_mean);
    let first = returns().next()?;
    let (low, high) = evidence.score_range()?;
    let alike = returns().count() >= LEAST_LINES && returns().all(|mean| mean == first) && low == high && low == first;
    // That nothing but 0 was rewarded is said by the check of rewards, where they can be looked at.
    let said = evidence.memory.as_ref().is_some_and(|memory| memory.rewards == (0.0, 0.0));
    (alike && evidence.counts.episodes >= LEAST_EPISODES && !evidence.is_solved() && !said).then(|| {
        Finding::fault(
            NAME,
            format!(
                "all {} episodes and all scores have the return {}: nothing that was tried made a difference",
                evidence.counts.episodes,
                tidy(first)
            ),
            "what is rewarded has to be met by chance first: hold each action for longer (`env.action_repeat`), explore longer \
             (`exploration.env_steps`), allow longer episodes, or reward steps on the way",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn a_goal_that_was_never_met() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.course.iter_mut().for_each(|line| line.return_mean = Some(-200.0));
        assert_eq!(check(&evidence), None, "the scores differ");
        evidence.scores.iter_mut().for_each(|point| point.score = sick::score(-200.0, 0.0));
        let ending = evidence.ending.as_mut().unwrap();
        (ending.best, ending.last) = (sick::score(-200.0, 0.0), sick::score(-200.0, 0.0));
        assert!(check(&evidence).unwrap().evidence.contains("return -200"));
        evidence.course[4].return_mean = Some(-199.9);
        assert_eq!(check(&evidence), None, "it was met once");
    }

    #[test]
    fn the_same_return_may_be_the_goal() {
        let mut evidence = sick::healthy();
        evidence.course.iter_mut().for_each(|line| line.return_mean = Some(500.0));
        evidence.scores.iter_mut().for_each(|point| point.score = sick::score(500.0, 0.0));
        let ending = evidence.ending.as_mut().unwrap();
        (ending.best, ending.last) = (sick::score(500.0, 0.0), sick::score(500.0, 0.0));
        assert_eq!(check(&evidence), None);
    }
}
