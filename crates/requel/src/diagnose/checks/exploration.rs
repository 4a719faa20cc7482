//! Exploration that never ends, never starts, or that does not fit the budget.

use crate::config::{AgentKind, ExplorationKind};
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "exploration";
/// From here on, learned values are hardly ever acted on. Half of all actions may be random if every state must be seen, as on the slippery
/// ice of FrozenLake.
const MOSTLY_RANDOM: f64 = 0.75;
/// Below this, a thousand steps contain no random action.
const HARDLY_ANY: f64 = 1e-3;

/// ε that stays high, or is 0 without a substitute, or whose schedule does not fit the budget or the start of learning.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let (config, budget) = (&evidence.config, evidence.budget());
    let exploration = &config.exploration;
    let (first, last) = (evidence.epsilon(0), evidence.epsilon(budget));
    if budget == 0 {
        return None;
    }
    if !config.network.noisy && first.max(last) < HARDLY_ANY {
        return Some(Finding::fault(
            NAME,
            format!("epsilon is always {} and no layer is noisy: the agent does not explore", tidy(first)),
            "lower epsilon from 1 to 0.05 (`exploration.kind = \"linear\"`), or set `network.noisy = true`",
        ));
    }
    if last >= MOSTLY_RANDOM {
        let evidence =
            format!("epsilon is still {} at the end of {budget} env steps: most actions are random", tidy(last));
        let advice = match exploration.kind {
            ExplorationKind::Constant => {
                "lower `exploration.start`, or decrease epsilon over time: `exploration.kind \
                                          = \"linear\"`"
            }
            _ if exploration.end >= MOSTLY_RANDOM => "lower `exploration.end`, such as to 0.05",
            _ => "lower `exploration.env_steps`: a tenth to a half of the budget is usual",
        };
        return Some(Finding::fault(NAME, evidence, advice));
    }
    let random = exploration.random_env_steps;
    if random > budget / 2 {
        let evidence = format!("the first {random} of {budget} env steps are taken at random");
        return Some(Finding::warning(
            NAME,
            evidence,
            "lower `exploration.random_env_steps`, to a tenth of the budget or less",
        ));
    }
    let fall = exploration.start - exploration.end;
    let left = (last - exploration.end) / fall;
    if exploration.kind != ExplorationKind::Constant && fall > 0.1 && left > 0.25 {
        let evidence = format!(
            "epsilon should fall over {} env steps to {}, but the budget of {budget} ends at {}",
            exploration.env_steps,
            tidy(exploration.end),
            tidy(last)
        );
        return Some(Finding::warning(NAME, evidence, "lower `exploration.env_steps`"));
    }
    let before = if config.agent.kind == AgentKind::Dqn { config.replay.start as u64 } else { 0 };
    let over = exploration.kind == ExplorationKind::Linear && fall > 0.1 && exploration.env_steps <= before;
    (over && !config.network.noisy && exploration.end < 0.1).then(|| {
        let evidence = format!(
            "epsilon is down to {} after {} env steps, and learning begins at {before}",
            tidy(exploration.end),
            exploration.env_steps
        );
        Finding::warning(NAME, evidence, "raise `exploration.env_steps` well above `replay.start`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    fn with(kind: ExplorationKind, start: f64, end: f64, env_steps: u64) -> Option<Finding> {
        let mut evidence = sick::healthy();
        evidence.config.exploration =
            crate::config::ExplorationConfig { kind, start, end, env_steps, ..Default::default() };
        check(&evidence)
    }

    #[test]
    fn epsilon_out_of_range() {
        use ExplorationKind::{Constant, Exponential, Linear};
        assert_eq!(with(Linear, 1.0, 0.05, 5_000), None);
        assert_eq!(with(Constant, 0.1, 0.0, 0), None);
        let severity = |finding: Option<Finding>| finding.unwrap().severity;
        assert_eq!(severity(with(Constant, 1.0, 0.05, 5_000)), Severity::Fault);
        assert_eq!(severity(with(Linear, 1.0, 0.05, 1_000_000)), Severity::Fault);
        assert_eq!(severity(with(Linear, 1.0, 0.05, 35_000)), Severity::Warning);
        assert_eq!(severity(with(Exponential, 1.0, 0.05, 25_000)), Severity::Warning);
        assert_eq!(severity(with(Constant, 0.0, 0.0, 0)), Severity::Fault);
        assert_eq!(severity(with(Linear, 1.0, 0.01, 400)), Severity::Warning);
    }

    #[test]
    fn random_steps_for_most_of_the_budget() {
        let mut evidence = sick::healthy();
        evidence.config.exploration.random_env_steps = 2_000;
        assert_eq!(check(&evidence), None);
        evidence.config.exploration.random_env_steps = 19_000;
        assert!(check(&evidence).unwrap().evidence.contains("first 19000 of 20000"));
    }

    #[test]
    fn noise_explores_too() {
        let mut evidence = sick::healthy();
        (evidence.config.exploration.kind, evidence.config.exploration.start) = (ExplorationKind::Constant, 0.0);
        evidence.config.network.noisy = true;
        assert_eq!(check(&evidence), None);
    }
}
