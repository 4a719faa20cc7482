//! A replay buffer that forgets at once.

use crate::config::AgentKind;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "replay-size";
/// A buffer of fewer batches than this gives batches of the last few steps, which are similar: what replay is meant to prevent.
const FEW_BATCHES: usize = 10;
const FEW: usize = 500;

/// A buffer with few transitions compared to its batches and to the budget (Lin 1992; Mnih et al. 2015).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let replay = &evidence.config.replay;
    if evidence.config.agent.kind != AgentKind::Dqn || evidence.budget() <= 2 * replay.capacity as u64 {
        return None;
    }
    (replay.capacity < FEW_BATCHES * replay.batch_size || replay.capacity < FEW).then(|| {
        let evidence = format!(
            "the buffer keeps the last {} of {} transitions, and a batch is {} of them: batches come from a few successive steps",
            replay.capacity,
            evidence.budget(),
            replay.batch_size
        );
        Finding::fault(NAME, evidence, "raise `replay.capacity` to 10000 or more: the notebook has 2000, DQN a million")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn a_buffer_of_a_few_steps() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        (evidence.config.replay.capacity, evidence.config.replay.batch_size) = (2000, 32);
        assert_eq!(check(&evidence), None);
        evidence.config.replay.capacity = 64;
        assert!(check(&evidence).unwrap().evidence.contains("the last 64 of 20000"));
    }
}
