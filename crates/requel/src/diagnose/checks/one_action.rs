//! A policy that takes the same action everywhere.

use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "one-action";
/// At most one in a hundred of this many states has another greedy action.
const LEAST_STATES: usize = 200;

/// The same greedy action in all states of the replay buffer, although that does not reach the goal.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let greedy = &evidence.memory.as_ref()?.greedy;
    let all: usize = greedy.iter().sum();
    let (action, most) = greedy.iter().copied().enumerate().max_by_key(|(_, count)| *count)?;
    let same = all >= LEAST_STATES && greedy.len() > 1 && most * 200 >= all * 199;
    (same && evidence.counts.updates > 0 && !evidence.is_solved()).then(|| {
        Finding::warning(
            NAME,
            format!("the greedy policy takes action {action} in {most} of {all} states from the replay buffer"),
            "values hardly depend on the state: fix the other findings first, then explore more and train longer",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn always_the_same() {
        let mut evidence = sick::healthy();
        evidence.memory.as_mut().unwrap().greedy = vec![2048, 0];
        assert_eq!(check(&evidence), None, "it may be right: the goal is reached");
        evidence.ending.as_mut().unwrap().last.mean_return = 9.3;
        assert!(check(&evidence).unwrap().evidence.contains("action 0 in 2048 of 2048"));
        evidence.memory.as_mut().unwrap().greedy = vec![2000, 48];
        assert_eq!(check(&evidence), None);
    }
}
