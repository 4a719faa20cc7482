//! A final policy far below the best.

use crate::diagnose::evidence::difference_error;
use crate::diagnose::words::{percent, tidy};
use crate::diagnose::{Evidence, Finding};
use crate::run::Score;

/// The name.
const NAME: &str = "collapse";
/// Fraction of the gain that is lost again.
const MUCH: f64 = 0.3;
const MOST: f64 = 0.7;

/// What had been learned was lost: the final policy is far below the best one on the same episodes.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let (best, last): (Score, Score) = match evidence.ending {
        Some(ending) => (ending.best, ending.last),
        None => {
            // A single score over few episodes may be luck, two in a row are not.
            let pair = |i: usize| evidence.scores[i - 1].score.mean_return.min(evidence.scores[i].score.mean_return);
            let count = evidence.scores.len();
            let best = (1..count).max_by(|a, b| pair(*a).total_cmp(&pair(*b)))?;
            (evidence.scores[best].score, evidence.scores[count - 1].score)
        }
    };
    let (low, _) = evidence.score_range()?;
    let (gained, lost) = (best.mean_return - low, best.mean_return - last.mean_return);
    let share = lost / gained;
    if gained <= 0.0 || share < MUCH || lost < 4.0 * difference_error(&best, &last) {
        return None;
    }
    let text = format!(
        "the best policy scores {}, the final one {}: {} of what was learned is lost",
        tidy(best.mean_return),
        tidy(last.mean_return),
        percent(share.min(1.0))
    );
    let advice = "be careful before shipping the best policy, and train again with a smaller or annealed step \
                  (`optimizer.anneal = \"linear\"`), a slower target, a larger `optimizer.epsilon` (1e-4) or bounded \
                  values (`agent.value_clip`)";
    let finding = if share > MOST { Finding::fault } else { Finding::warning };
    Some(finding(NAME, text, advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn what_was_learned_is_lost() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        let mut with = |mean| {
            evidence.ending.as_mut().unwrap().last = sick::score(mean, 30.0);
            check(&evidence).map(|finding| finding.severity)
        };
        assert_eq!([with(450.0), with(300.0), with(9.3)], [None, Some(Severity::Warning), Some(Severity::Fault)]);
    }

    #[test]
    fn in_a_training_that_goes_on() {
        let mut evidence = sick::healthy();
        evidence.ending = None;
        assert_eq!(check(&evidence), None);
        evidence.scores.last_mut().unwrap().score = sick::score(30.0, 5.0);
        assert!(check(&evidence).unwrap().evidence.contains("the final one 30"));
    }
}
