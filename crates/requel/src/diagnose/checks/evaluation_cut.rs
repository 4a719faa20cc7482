//! Evaluation episodes that are cut off.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "evaluation-cut";

/// Scores of episodes that end at `evaluation.max_episode_steps` although the environment would have continued.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let cut = evidence.config.evaluation.max_episode_steps;
    let repeat = u64::from(evidence.config.env.action_repeat.max(1));
    let limit = evidence.env.max_episode_steps.map(|limit| u64::from(limit).div_ceil(repeat));
    if limit.is_some_and(|limit| cut >= limit) {
        return None;
    }
    // Early policies may wander around: only evaluations near the end count.
    let longest = evidence.scores.last()?.mean_length;
    (longest >= 0.5 * cut as f64).then(|| {
        Finding::warning(
            NAME,
            format!(
                "evaluation episodes have {} env steps on average and are cut off at {cut}: their returns are \
                     incomplete",
                tidy(longest)
            ),
            "raise `evaluation.max_episode_steps`, or give the environment a time limit if its episodes never end",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn scores_of_parts() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.config.evaluation.max_episode_steps = 100;
        evidence.scores.iter_mut().for_each(|point| point.mean_length = point.mean_length.min(100.0));
        assert!(check(&evidence).unwrap().evidence.contains("cut off at 100"));
    }
}
