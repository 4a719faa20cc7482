//! Actions that hardly reach the environment.

use crate::diagnose::words::{percent, tidy};
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "control";
/// Sticky actions are meant to make a game less predictable: 0.25 in Machado et al. 2018, 0.1 in MinAtar.
const STICKY: f64 = 0.5;
const STUCK: f64 = 0.9;
/// Episodes with fewer decisions than this, if actions are repeated.
const FEW_DECISIONS: f64 = 5.0;
const HARDLY_ANY: f64 = 2.0;

/// Sticky actions that replace the chosen action in most frames, or actions that are repeated for most of an episode.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let env = &evidence.config.env;
    let sticky = env.sticky_actions;
    if sticky >= STICKY {
        let finding = if sticky >= STUCK { Finding::fault } else { Finding::warning };
        let text = format!(
            "`env.sticky_actions` = {}: the action that the agent chose is taken in {} of the frames",
            tidy(sticky),
            percent(1.0 - sticky)
        );
        return Some(finding(NAME, text, "lower `env.sticky_actions`: 0.25 is usual"));
    }
    let lengths: Vec<f64> = evidence.late().iter().filter_map(|line| line.length_mean).collect();
    let mean = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
    (env.action_repeat > 1 && !lengths.is_empty() && mean < FEW_DECISIONS && !evidence.is_solved()).then(|| {
        let finding = if mean < HARDLY_ANY { Finding::fault } else { Finding::warning };
        let text = format!(
            "with `env.action_repeat` = {} an episode in the second half of training is {} actions long",
            env.action_repeat,
            tidy(mean)
        );
        finding(NAME, text, "lower `env.action_repeat`: the agent makes too few decisions per episode")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn sticky_actions() {
        let mut evidence = sick::healthy();
        let severities = [0.25, 0.6, 0.95].map(|sticky| {
            evidence.config.env.sticky_actions = sticky;
            check(&evidence).map(|finding| finding.severity)
        });
        assert_eq!(severities, [None, Some(Severity::Warning), Some(Severity::Fault)]);
    }

    #[test]
    fn episodes_of_one_action() {
        let mut evidence = sick::healthy();
        evidence.ending.as_mut().unwrap().last = sick::score(10.0, 1.0);
        evidence.course.iter_mut().for_each(|line| line.length_mean = Some(1.1));
        assert_eq!(check(&evidence), None, "it may be an environment of one step");
        evidence.config.env.action_repeat = 30;
        assert_eq!(check(&evidence).unwrap().severity, Severity::Fault);
        evidence.course.iter_mut().for_each(|line| line.length_mean = Some(33.0));
        assert_eq!(check(&evidence), None);
    }
}
