//! A target network that is not updated often enough.

use crate::config::{AgentKind, TargetKind};
use crate::diagnose::words::{percent, tidy};
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "target-schedule";
/// With fewer target updates than this, rewards cannot propagate far back.
const FEW_COPIES: u64 = 5;
/// A moving average that has adopted less than this fraction of the online network.
const SMALL_SHARE: f64 = 0.9;

/// A target network that is never, or hardly ever, updated within the budget. With a fixed target, only the values of the initial network
/// are learned, and nothing beyond one step.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let target = &evidence.config.target;
    if evidence.config.agent.kind != AgentKind::Dqn || target.kind == TargetKind::None {
        return None;
    }
    let (updates, budget) = (evidence.planned_updates(), evidence.budget());
    let learning = budget.saturating_sub(evidence.config.replay.start as u64);
    let times = |count: u64, every: u64| count.checked_div(every).unwrap_or(0);
    let follows = times(updates, target.every_updates) + times(learning, target.every_env_steps);
    if budget == 0 || updates == 0 {
        return None;
    }
    let apart = evidence.target_distance.map(|distance| {
        format!(
            "; it differs from the online network by {} of the weights' \
                                                         size",
            percent(distance)
        )
    });
    let apart = apart.unwrap_or_default();
    let every = if target.every_updates > 0 {
        format!("`target.every_updates` = {} with {updates} updates", target.every_updates)
    } else {
        format!("`target.every_env_steps` = {} with {learning} env steps of learning", target.every_env_steps)
    };
    let key = if target.every_updates > 0 { "target.every_updates" } else { "target.every_env_steps" };
    if follows == 0 {
        let evidence = format!("the target network is never updated: {every}{apart}");
        return Some(Finding::fault(NAME, evidence, format!("lower `{key}`: a hundredth of the budget or less")));
    }
    match target.kind {
        TargetKind::Soft => {
            let share = 1.0 - libm::pow(1.0 - target.tau, follows as f64);
            (share < SMALL_SHARE).then(|| {
                let evidence = format!(
                    "with `target.tau` = {} the target network adopts {} of the online one in {follows} steps{apart}",
                    tidy(target.tau),
                    percent(share)
                );
                Finding::fault(
                    NAME,
                    evidence,
                    "raise `target.tau`, such as to 0.005, or update the target network \
                                                more often",
                )
            })
        }
        _ => (follows < FEW_COPIES).then(|| {
            let evidence = format!("the target network is copied only {follows} times: {every}{apart}");
            Finding::warning(
                NAME,
                evidence,
                format!(
                    "lower `{key}`: each copy propagates rewards one bootstrap \
                                                      further"
                ),
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn a_target_that_never_follows() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.config.target.every_updates = 4_000;
        assert_eq!(check(&evidence).unwrap().severity, Severity::Warning);
        evidence.config.target.every_updates = 1_000_000;
        let finding = check(&evidence).unwrap();
        assert!(finding.severity == Severity::Fault && finding.evidence.contains("is never updated"), "{finding:?}");
    }

    #[test]
    fn an_average_that_hardly_moves() {
        let mut evidence = sick::healthy();
        let target = &mut evidence.config.target;
        (target.kind, target.every_updates, target.every_env_steps, target.tau) = (TargetKind::Soft, 0, 2, 0.005);
        assert_eq!(check(&evidence), None);
        evidence.config.target.tau = 1e-6;
        assert!(check(&evidence).unwrap().evidence.contains("adopts 1.0 %") || check(&evidence).is_some());
    }
}
