//! β that never gets to its end, or whose end is too low.

use crate::config::{AgentKind, ReplayKind};
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "importance-schedule";

/// Draws by priority that are corrected by less than this are those of another distribution than what was seen.
const SMALL: f64 = 0.3;

/// β that ends near 0, or β of a prioritized replay whose course is longer than the budget. It is to make up for uneven draws where it matters, near the
/// end (Schaul et al. 2016).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let (replay, budget) = (&evidence.config.replay, evidence.budget());
    let is_prioritized = evidence.config.agent.kind == AgentKind::Dqn && replay.kind == ReplayKind::Prioritized;
    if is_prioritized && replay.importance_end < SMALL && replay.priority_exponent > SMALL {
        let text = format!(
            "`replay.importance_end` = {}: what is drawn by priority keeps nearly all of its weight",
            tidy(replay.importance_end)
        );
        return Some(Finding::warning(NAME, text, "let beta end at 1 (Schaul et al. 2016), or at 0.4 at least"));
    }
    let too_long = budget > 0 && replay.importance_env_steps > 2 * budget;
    // A training that stopped early had planned for the whole of it.
    let planned = evidence.config.train.env_steps;
    let stopped = planned > 0 && replay.importance_env_steps <= 2 * planned && !evidence.is_finished();
    (is_prioritized && too_long && !stopped && replay.importance_start < replay.importance_end).then(|| {
        let gone = budget as f64 / replay.importance_env_steps as f64;
        let last = replay.importance_start + (replay.importance_end - replay.importance_start) * gone;
        Finding::warning(
            NAME,
            format!(
                "beta rises over {} env steps to {}, but the budget of {budget} ends at {}",
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
