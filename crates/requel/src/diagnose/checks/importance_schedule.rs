//! β that never reaches its end, or whose end is too low.

use crate::config::{AgentKind, ReplayKind};
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "importance-schedule";

/// Below this, sampling by priority is corrected so little that the updates follow another distribution than the data.
const SMALL: f64 = 0.3;

/// β that ends near 0, or β of a prioritized replay whose schedule is longer than the budget. It is meant to correct for uneven sampling
/// when that matters, near the end (Schaul et al. 2016).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let (replay, budget) = (&evidence.config.replay, evidence.budget());
    let is_prioritized = evidence.config.agent.kind == AgentKind::Dqn && replay.kind == ReplayKind::Prioritized;
    if is_prioritized && replay.importance_end < SMALL && replay.priority_exponent > SMALL {
        let text = format!(
            "`replay.importance_end` = {}: the bias of drawing by priority is hardly corrected",
            tidy(replay.importance_end)
        );
        return Some(Finding::warning(NAME, text, "let beta end at 1 (Schaul et al. 2016), or at least at 0.4"));
    }
    let too_long = budget > 0 && replay.importance_env_steps > 2 * budget;
    // Training that stopped early had planned for the whole schedule.
    let planned = evidence.config.train.env_steps;
    let stopped = planned > 0 && replay.importance_env_steps <= 2 * planned && !evidence.is_finished();
    (is_prioritized && too_long && !stopped && replay.importance_start < replay.importance_end).then(|| {
        let gone = budget as f64 / replay.importance_env_steps as f64;
        let last = replay.importance_start + (replay.importance_end - replay.importance_start) * gone;
        Finding::warning(
            NAME,
            format!(
                "beta should rise over {} env steps to {}, but the budget of {budget} ends at {}",
                replay.importance_env_steps,
                tidy(replay.importance_end),
                tidy(last)
            ),
            "set `replay.importance_env_steps` to the budget",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn a_course_beyond_the_budget() {
        let mut evidence = sick::healthy();
        evidence.config.replay.importance_env_steps = 1_000_000;
        assert_eq!(check(&evidence), None);
        evidence.config.replay.kind = ReplayKind::Prioritized;
        assert!(check(&evidence).unwrap().evidence.contains("ends at 0.412"));
        evidence.config.replay.importance_env_steps = 20_000;
        assert_eq!(check(&evidence), None);
        evidence.config.replay.importance_end = 0.0;
        assert!(check(&evidence).unwrap().evidence.contains("importance_end"));
    }
}
