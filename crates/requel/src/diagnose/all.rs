//! All checks, causes before consequences.

use super::checks::*;
use super::{Evidence, Finding};
use crate::config::Config;

/// A check: examines evidence and changes nothing.
pub type Check = fn(&Evidence) -> Option<Finding>;

/// All checks with their names, causes first.
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

/// What is wrong with a training run, worst first, and causes first among equals. Empty if nothing is.
pub fn findings(evidence: &Evidence) -> Vec<Finding> {
    let own = of_own_parts(&evidence.config);
    let known = CHECKS.iter().filter(|(name, _)| !own.contains(name));
    let mut findings: Vec<Finding> = known.filter_map(|(_, check)| check(evidence)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Checks of settings that your own component may not read: what they say about the settings may then be wrong.
pub(super) fn of_own_parts(config: &Config) -> Vec<&'static str> {
    let checks = |part: &'static str| {
        OF_PARTS.iter().filter(move |(key, _)| *key == part).flat_map(|(_, checks)| checks.iter().copied())
    };
    config.own_parts().flat_map(checks).collect()
}

/// Keys that name a part of a program's own, with the checks of what that may not read.
const OF_PARTS: &[(&str, &[&str])] = &[
    ("agent.name", OF_AN_AGENT),
    ("agent.executor", OF_AN_EXECUTOR),
    // What it adds to rewards is not in the config, nor are the bounds of its values.
    ("agent.rule", &["reward-scale", "support", "value-bound", "value-growth", "clipped-targets"]),
    ("head.name", &["support", "clipped-targets"]),
    ("network.name", &["network-size", "noise"]),
    ("replay.name", &["importance-schedule", "replay-size"]),
    ("exploration.name", &["exploration"]),
];

const OF_AN_AGENT: &[&str] = &[
    "updates",
    "learning-rate",
    "momentum",
    "target-schedule",
    "exploration",
    "importance-schedule",
    "reward-scale",
    "horizon",
    "support",
    "replay-size",
    "replay-ratio",
    "network-size",
    "clipped-targets",
    "clipped-gradients",
    "update-ratio",
    "noise",
];

const OF_AN_EXECUTOR: &[&str] = &[
    "learning-rate",
    "momentum",
    "target-schedule",
    "support",
    "network-size",
    "clipped-targets",
    "clipped-gradients",
    "update-ratio",
    "noise",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn a_healthy_training_has_no_finding() {
        assert_eq!(findings(&sick::healthy()), []);
    }

    #[test]
    fn settings_that_a_part_of_ones_own_may_not_read_are_not_judged() {
        let named: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        for (key, _) in Config::default().part_names() {
            assert!(OF_PARTS.iter().any(|(of, checks)| *of == key && !checks.is_empty()), "{key}");
        }
        let own = |evidence: &mut Evidence| {
            let Config { agent, head, network, replay, exploration, .. } = &mut evidence.config;
            let names = [&mut agent.name, &mut agent.executor, &mut head.name, &mut network.name, &mut replay.name];
            names.into_iter().chain([&mut agent.rule, &mut exploration.name]).for_each(|name| *name = "own".into());
        };
        let mut evidence = sick::healthy();
        evidence.config.exploration.end = 0.8;
        evidence.config.replay.start = 1_000_000;
        assert!(findings(&evidence).len() >= 2);
        own(&mut evidence);
        assert!(of_own_parts(&evidence.config).iter().all(|name| named.contains(name)));
        assert_eq!(findings(&evidence), []);
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
