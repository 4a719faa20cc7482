//! No updates, or hardly any.

use crate::config::{AgentKind, Severity, advice};
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "updates";
/// Fewer updates than this cannot train a network of thousands of weights.
const FEW: u64 = 100;
/// With fewer steps than this per environment, most of the training data is the start of episodes.
const FEW_STEPS_EACH: u64 = 50;
/// The setting that delays updates.
const KEYS: [&str; 3] = ["replay.start", "train.every_steps", "pqn.rollout_steps"];

/// A start, an interval or a rollout beyond the budget, see [`advice`]; too few updates to learn anything; learning that starts in the
/// second half of the budget; so many environments that each takes only a few steps.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let never = advice(&evidence.config, &evidence.env).into_iter().find(|advice| KEYS.contains(&advice.key));
    if let Some(never) = never.filter(|never| never.severity == Severity::Impossible) {
        let advice = format!("lower `{}`, or give a larger budget (`train.env_steps`)", never.key);
        return Some(Finding::fault(NAME, never.to_string(), advice));
    }
    let (budget, start, num_envs) =
        (evidence.budget(), evidence.config.replay.start as u64, evidence.config.train.num_envs as u64);
    if evidence.config.agent.kind == AgentKind::Dqn && start > budget / 2 && budget > 0 {
        let text = format!("learning begins after {start} of {budget} env steps (`replay.start`)");
        let finding = if start > budget / 4 * 3 { Finding::fault } else { Finding::warning };
        return Some(finding(NAME, text, "lower `replay.start` to a tenth of the budget or less"));
    }
    if num_envs > 1 && budget > 0 && budget / num_envs < FEW_STEPS_EACH {
        let text = format!(
            "each of {num_envs} environments takes {} env steps: the agent sees little more than the beginnings of \
             episodes",
            budget / num_envs
        );
        return Some(Finding::warning(
            NAME,
            text,
            "lower `train.num_envs`, or give a larger budget (`train.env_steps`)",
        ));
    }
    let (updates, env_steps) = (evidence.counts.updates, evidence.counts.env_steps);
    let advice = "lower `replay.start` or `train.every_steps`, raise `train.updates`, or give a larger budget";
    if !evidence.is_finished() || updates >= FEW {
        return None;
    }
    let text = format!(
        "{updates} updates in {env_steps} env steps: the network has hardly changed from its initial \
                        weights"
    );
    Some(if updates == 0 { Finding::fault(NAME, text, advice) } else { Finding::warning(NAME, text, advice) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn a_start_beyond_the_budget() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.config.replay.start = 25_000;
        let finding = check(&evidence).unwrap();
        assert!(finding.severity == Severity::Fault && finding.evidence.contains("`replay.start` is 25000"));
    }

    #[test]
    fn an_interval_and_a_rollout_beyond_it() {
        let mut evidence = sick::healthy();
        evidence.config.train.every_steps = 20_001;
        assert!(check(&evidence).unwrap().advice.contains("train.every_steps"));
        let mut evidence = sick::healthy();
        evidence.config.agent.kind = AgentKind::Pqn;
        (evidence.config.pqn.rollout_steps, evidence.config.train.num_envs) = (128, 1000);
        assert!(check(&evidence).unwrap().advice.contains("pqn.rollout_steps"));
    }

    #[test]
    fn learning_that_hardly_begins() {
        let mut evidence = sick::healthy();
        let severities = [1_000, 12_000, 18_000].map(|start| {
            evidence.config.replay.start = start;
            check(&evidence).map(|finding| finding.severity)
        });
        assert_eq!(severities, [None, Some(Severity::Warning), Some(Severity::Fault)]);
        let mut evidence = sick::healthy();
        evidence.config.train.num_envs = 1000;
        assert!(check(&evidence).unwrap().evidence.contains("takes 20 env steps"));
        evidence.config.train.num_envs = 32;
        assert_eq!(check(&evidence), None);
    }

    #[test]
    fn few_updates() {
        let mut evidence = sick::healthy();
        evidence.counts.updates = 12;
        assert_eq!(check(&evidence).unwrap().severity, Severity::Warning);
        evidence.ending = None;
        assert_eq!(check(&evidence), None);
    }
}
