//! Scores that do not rise.

use crate::diagnose::evidence::difference_error;
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "no-progress";
const LEAST_SCORES: usize = 4;

/// No score that is better than the first one, of a training that is over and did not reach its goal.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let ending = evidence.ending?;
    let first = evidence.scores.first()?;
    let goal = evidence.goal();
    let reached = goal.is_some_and(|goal| ending.best.mean_return >= goal);
    if evidence.scores.len() < LEAST_SCORES || reached {
        return None;
    }
    let gained = ending.best.mean_return - first.score.mean_return;
    // Against what was to be gained; without a goal against the noise of the scores alone.
    let wanted = goal.map_or(0.0, |goal| 0.02 * (goal - first.score.mean_return).abs());
    (gained <= wanted.max(2.0 * difference_error(&ending.best, &first.score))).then(|| {
        Finding::warning(
            NAME,
            format!(
                "the best policy scores {} on fresh episodes, the first score was {} at env step {}: nothing was learned that shows",
                tidy(ending.best.mean_return),
                tidy(first.score.mean_return),
                first.env_steps
            ),
            "see to the other findings; without any, train longer, explore longer, or look at what the environment rewards",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn scores_that_stay_where_they_were() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.scores.iter_mut().for_each(|point| point.score = sick::score(9.4, 0.7));
        let ending = evidence.ending.as_mut().unwrap();
        (ending.best, ending.last) = (sick::score(9.5, 0.7), sick::score(9.3, 0.7));
        assert!(check(&evidence).unwrap().evidence.contains("first score was 9.40"));
    }
}
