//! Values beyond the possible range.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};
use crate::td::ValueBounds;

/// The name.
const NAME: &str = "value-bound";
/// Means over a batch may be slightly outside without being reported.
const SLACK: f64 = 0.05;
/// Bounds derived only from observed rewards are not certain.
const SLACK_OF_SEEN: f64 = 1.0;
/// A mean outside by this fraction of the range is reported even if it is the only one.
const FAR: f64 = 0.2;
/// The outputs of an untrained network are about this large.
const FIRST_VALUES: f64 = 0.5;

/// Mean Q outside the range that rewards and γ allow: the bootstrap feeds on its own errors.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let (bounds, slack, source) = match evidence.bounds() {
        Some(bounds) => (bounds, SLACK, "the environment's rewards"),
        None => (of_seen_rewards(evidence)?, SLACK_OF_SEEN, "the rewards in the replay buffer"),
    };
    let range = bounds.high - bounds.low;
    if range <= 0.0 {
        return None;
    }
    let known = || evidence.course.iter().filter_map(|line| Some((line.env_steps, line.mean_q?)));
    let beyond = |q: f64| (q - bounds.high).max(bounds.low - q);
    let outside = known().filter(|(_, q)| !bounds.contains(*q, slack)).count();
    let (at, worst) = known().max_by(|a, b| beyond(a.1).total_cmp(&beyond(b.1)))?;
    // A line or two slightly outside may be temporary.
    let passing = outside * 10 <= known().count() && beyond(worst) < FAR * range;
    if outside == 0 || passing || beyond(worst) < FIRST_VALUES {
        return None;
    }
    let text = format!(
        "mean Q is {} at env step {at}; given {source} and `agent.gamma` = {}, values must lie within {} … {}, and it \
         is outside in {outside} of {} log lines",
        tidy(worst),
        evidence.config.agent.gamma,
        tidy(bounds.low),
        tidy(bounds.high),
        known().count()
    );
    let advice = "clip targets (`agent.value_clip = \"auto\"`) or learn a distribution on that support (`head.kind = \"categorical\"`, \
                  `head.v_min` and `head.v_max` \"auto\"); a slower target, a smaller `optimizer.learning_rate` and a larger \
                  `optimizer.epsilon` (1e-4) help too";
    let finding =
        if beyond(worst) > 0.5 * range || outside * 4 > known().count() { Finding::fault } else { Finding::warning };
    Some(finding(NAME, text, advice))
}

/// The bounds derived from the rewards in the replay buffer.
fn of_seen_rewards(evidence: &Evidence) -> Option<ValueBounds> {
    let (agent, (least, most)) = (&evidence.config.agent, evidence.memory.as_ref()?.rewards);
    let sum_of_n = if agent.gamma < 1.0 {
        (1.0 - libm::pow(agent.gamma, agent.n_step as f64)) / (1.0 - agent.gamma)
    } else {
        agent.n_step as f64
    };
    ValueBounds::of_rewards((least / sum_of_n, most / sum_of_n), agent.gamma, evidence.env.max_episode_steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn mean_q_beyond_the_bound() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.course[18].mean_q = Some(104.0);
        assert_eq!(check(&evidence), None);
        evidence.course[18].mean_q = Some(120.0);
        assert_eq!(check(&evidence).unwrap().severity, Severity::Warning);
        evidence.course[19].mean_q = Some(7.6e7);
        let finding = check(&evidence).unwrap();
        assert!(
            finding.severity == Severity::Fault && finding.evidence.contains("7.60e7 at env step 20000"),
            "{finding:?}"
        );
        evidence.course[19].mean_q = Some(-80.0);
        assert_eq!(check(&evidence).unwrap().severity, Severity::Fault);
    }

    #[test]
    fn by_the_rewards_that_were_seen() {
        let mut evidence = sick::healthy();
        evidence.env.reward_range = None;
        evidence.course[19].mean_q = Some(150.0);
        assert_eq!(check(&evidence), None);
        evidence.course[19].mean_q = Some(1e5);
        assert!(check(&evidence).unwrap().evidence.contains("replay buffer"));
    }
}
