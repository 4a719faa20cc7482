//! Scores that do not rise.

use crate::diagnose::evidence::difference_error;
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "no-progress";
const LEAST_SCORES: usize = 4;

/// No score better than the first one, in training that has ended without reaching its goal.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let ending = evidence.ending?;
    let first = evidence.scores.first()?;
    let goal = evidence.goal();
    let reached = goal.is_some_and(|goal| ending.best.mean_return >= goal);
    if evidence.scores.len() < LEAST_SCORES || reached {
        return None;
    }
    let gained = ending.best.mean_return - first.score.mean_return;
    // Relative to what could be gained; without a goal, relative to the noise of the scores.
    let wanted = goal.map_or(0.0, |goal| 0.02 * (goal - first.score.mean_return).abs());
    (gained <= wanted.max(2.0 * difference_error(&ending.best, &first.score))).then(|| {
        Finding::warning(
            NAME,
            format!(
                "the best policy scores {} over fresh episodes, the first score was {} at env step {}: training \
                 brought no visible improvement",
                tidy(ending.best.mean_return),
                tidy(first.score.mean_return),
                first.env_steps
            ),
            "fix the other findings first; if there are none, train longer, explore longer, or check what the \
             environment rewards",
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
