//! All checks, causes before what they lead to.

use super::checks::*;
use super::{Evidence, Finding};

/// A check: looks at evidence and changes nothing.
pub type Check = fn(&Evidence) -> Option<Finding>;

/// All checks with their names, those of causes first.
pub const CHECKS: &[(&str, Check)] = &[
    ("updates", updates::check),
    ("learning-rate", learning_rate::check),
    ("momentum", momentum::check),
    ("control", control::check),
    ("target-schedule", target_schedule::check),
    ("exploration", exploration::check),
    ("importance-schedule", importance_schedule::check),
    ("reward-scale", reward_scale::check),
    ("signal", signal::check),
    ("feature-scale", feature_scale::check),
    ("horizon", horizon::check),
    ("support", support::check),
    ("replay-size", replay_size::check),
    ("replay-ratio", replay_ratio::check),
    ("network-size", network_size::check),
    ("value-bound", value_bound::check),
    ("value-growth", value_growth::check),
    ("clipped-targets", clipped_targets::check),
    ("clipped-gradients", clipped_gradients::check),
    ("update-ratio", update_ratio::check),
    ("units", units::check),
    ("rank", rank::check),
    ("priorities", priorities::check),
    ("noise", noise::check),
    ("one-action", one_action::check),
    ("evaluation-cut", evaluation_cut::check),
    ("collapse", collapse::check),
    ("best-by-luck", best_by_luck::check),
    ("no-progress", no_progress::check),
];

/// What is wrong with a training, worst first; of equals the causes first. Empty when all is well.
pub fn findings(evidence: &Evidence) -> Vec<Finding> {
    let mut findings: Vec<Finding> = CHECKS.iter().filter_map(|(_, check)| check(evidence)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn a_healthy_training_has_no_finding() {
        assert_eq!(findings(&sick::healthy()), []);
    }

    #[test]
    fn the_worst_comes_first() {
        let mut evidence = sick::healthy();
        evidence.config.exploration.end = 0.8;
        evidence.config.replay.start = 1_000_000;
        evidence.counts.updates = 0;
        let checks: Vec<&str> = findings(&evidence).iter().map(|finding| finding.check).collect();
        assert_eq!(checks[0], "updates");
        assert!(checks.contains(&"exploration"));
    }
}
