//! A discount or a number of steps that looks too far ahead, or not far enough.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "horizon";
/// With more steps than this, a return belongs to a policy other than the one being learned.
const MANY_STEPS: usize = 20;

/// γ of 1 or almost, γ that forgets at once, or n-step returns over more steps than the behaviour policy justifies.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let agent = &evidence.config.agent;
    let horizon = 1.0 / (1.0 - agent.gamma);
    let limit = evidence.env.max_episode_steps.map(f64::from);
    if agent.gamma >= 1.0 || limit.is_some_and(|limit| horizon > 50.0 * limit) {
        let evidence = format!(
            "`agent.gamma` = {}: values are sums over {} steps, and an error in the value of one state spreads to all \
             of them",
            agent.gamma,
            if agent.gamma >= 1.0 { "all".into() } else { tidy(horizon) }
        );
        let advice =
            "try 0.99; episodes that are cut off by a time limit bootstrap, so with gamma = 1 values are unbounded";
        return Some(Finding::fault(NAME, evidence, advice));
    }
    if agent.gamma < 0.7 {
        let evidence = format!(
            "`agent.gamma` = {}: rewards more than {} steps away count for nothing",
            agent.gamma,
            tidy(horizon)
        );
        let finding = if agent.gamma < 0.5 { Finding::fault } else { Finding::warning };
        return Some(finding(NAME, evidence, "try 0.95, then 0.99"));
    }
    (agent.n_step > MANY_STEPS).then(|| {
        let evidence = format!(
            "`agent.n_step` = {}: targets are returns of actions taken long ago, exploration included",
            agent.n_step
        );
        Finding::fault(NAME, evidence, "3 to 10 steps are usual (Hessel et al. 2018 use 3)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    fn with(gamma: f64, n_step: usize) -> Option<Severity> {
        let mut evidence = sick::healthy();
        (evidence.config.agent.gamma, evidence.config.agent.n_step) = (gamma, n_step);
        check(&evidence).map(|finding| finding.severity)
    }

    #[test]
    fn too_far_and_too_near() {
        assert_eq!([(0.9, 1), (0.99, 10), (0.999, 3)].map(|(gamma, n)| with(gamma, n)), [None; 3]);
        assert_eq!([with(1.0, 1), with(0.999999, 1), with(0.99, 100)], [Some(Severity::Fault); 3]);
        assert_eq!([with(0.5, 1), with(0.0, 1)], [Some(Severity::Warning), Some(Severity::Fault)]);
    }
}
