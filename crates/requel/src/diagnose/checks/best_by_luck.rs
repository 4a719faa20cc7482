//! A best score that was due to luck.

use crate::diagnose::evidence::difference_error;
use crate::diagnose::words::{percent, tidy};
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "best-by-luck";
/// Below this fraction of what was gained, it does not matter.
const MUCH: f64 = 0.15;

/// Compares the score by which the best policy was chosen with its score on fresh episodes: the best of many scores over few episodes is
/// partly chosen for its luck.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let fresh = evidence.ending?.best;
    let chosen = evidence.scores.iter().rev().find(|point| point.best)?.score;
    // The first score may come late, when most has already been learned; training returns show the starting point.
    let began = evidence.course.iter().find_map(|line| line.return_mean);
    let low = began.into_iter().fold(evidence.score_range()?.0, f64::min);
    let (fall, gained) = (chosen.mean_return - fresh.mean_return, chosen.mean_return - low);
    let error = difference_error(&chosen, &fresh);
    (gained > 0.0 && fall > MUCH * gained && fall > 3.0 * error && fall > 0.0).then(|| {
        // Twice the standard error in both directions covers 95 % of a normal distribution.
        let half = 2.0 * fresh.std_return / (fresh.episodes.max(1) as f64).sqrt();
        Finding::warning(
            NAME,
            format!(
                "the best policy was chosen by a score of {} over {} episodes, and scores {} [{}, {}] over {} fresh \
                 ones: {} less",
                tidy(chosen.mean_return),
                chosen.episodes,
                tidy(fresh.mean_return),
                tidy(fresh.mean_return - half),
                tidy(fresh.mean_return + half),
                fresh.episodes,
                percent(fall / gained)
            ),
            "raise `evaluation.episodes`, and trust the score over fresh episodes",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn chosen_by_one_lucky_episode() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.ending.as_mut().unwrap().best = sick::score(230.0, 120.0);
        let finding = check(&evidence).unwrap();
        assert!(finding.evidence.contains("490 over 50 episodes, and scores 230 "), "{finding:?}");
    }

    #[test]
    fn what_was_gained_counts_from_where_training_began() {
        let mut evidence = sick::healthy();
        evidence.scores.iter_mut().for_each(|point| point.score.mean_return = 400.0 + 0.18 * point.score.mean_return);
        evidence.ending.as_mut().unwrap().best = sick::score(465.0, 10.0);
        assert_eq!(check(&evidence), None);
        evidence.course.iter_mut().for_each(|line| line.return_mean = None);
        assert!(check(&evidence).is_some());
    }
}
