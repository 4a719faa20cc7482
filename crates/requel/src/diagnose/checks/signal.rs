//! Experience without any differences.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "signal";
/// With fewer episodes, equal returns may be chance.
const LEAST_EPISODES: u64 = 10;
const LEAST_LINES: usize = 3;
/// An event that occurs once in a hundred episodes is hardly ever in a batch.
const NEARLY: f64 = 0.01;

/// Every evaluation has the same return, short of the goal, and so do (almost) all training episodes: the reward was (almost) never
/// reached, and no action looks better than another.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let returns = || evidence.course.iter().filter_map(|line| line.return_mean);
    let first = returns().next()?;
    let (low, high) = evidence.score_range()?;
    let is_near = |mean: f64| (mean - first).abs() <= NEARLY * first.abs();
    let alike = returns().count() >= LEAST_LINES && returns().all(is_near) && low == high && is_near(low);
    // If all rewards are 0, the check of rewards reports it, provided that they can be examined.
    let said = evidence.memory.as_ref().is_some_and(|memory| memory.rewards == (0.0, 0.0));
    (alike && evidence.counts.episodes >= LEAST_EPISODES && !evidence.is_solved() && !said).then(|| {
        Finding::fault(
            NAME,
            format!(
                "all {} episodes have (almost) the same return, {}, and so do all scores: no action that was tried made a difference",
                evidence.counts.episodes,
                tidy(first)
            ),
            "the agent first has to find a reward by chance: hold each action for longer (`env.action_repeat`), \
             explore longer (`exploration.env_steps`), allow longer episodes, or add intermediate rewards",
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
        assert!(check(&evidence).unwrap().evidence.contains("return, -200"));
        evidence.course[4].return_mean = Some(-199.0);
        assert!(check(&evidence).is_some(), "it was met once or twice");
        evidence.course[4].return_mean = Some(-190.0);
        assert_eq!(check(&evidence), None, "it was met");
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
