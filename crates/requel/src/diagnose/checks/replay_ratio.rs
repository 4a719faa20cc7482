//! How often a transition is used for learning.

use crate::config::AgentKind;
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "replay-ratio";
/// DQN uses each transition 8 times (a batch of 32 every 4 steps).
const SELDOM: f64 = 0.9;
const OFTEN: f64 = 2000.0;
const SMALL_BATCH: usize = 8;
/// PQN's authors use a rollout 2 to 4 times; a hundred times is a waste, although CartPole still learned that way.
const MANY_EPOCHS: usize = 100;

/// Batches of almost nothing, or so few or so many updates that a transition is hardly ever used, or far too often.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let (replay, train) = (&evidence.config.replay, &evidence.config.train);
    let epochs = evidence.config.pqn.epochs;
    if evidence.config.agent.kind == AgentKind::Pqn && epochs > MANY_EPOCHS {
        let evidence = format!(
            "`pqn.epochs` = {epochs}: the network memorises each rollout before the next one is \
                                collected"
        );
        return Some(Finding::warning(NAME, evidence, "lower `pqn.epochs`: 2 to 4 are usual"));
    }
    if evidence.config.agent.kind != AgentKind::Dqn {
        return None;
    }
    let times = replay.batch_size as f64 * train.updates as f64 / train.every_steps.max(1) as f64;
    let usual = "32 to 128 transitions every 1 to 4 env steps are usual";
    if replay.batch_size < SMALL_BATCH {
        let evidence = format!(
            "`replay.batch_size` = {}: a gradient from so few transitions is mostly noise, and each transition is used \
             {} times",
            replay.batch_size,
            tidy(times)
        );
        return Some(Finding::fault(NAME, evidence, format!("raise `replay.batch_size`: {usual}")));
    }
    if times < SELDOM {
        let evidence = format!("a transition is used {} times on average: most are never used", tidy(times));
        return Some(Finding::warning(
            NAME,
            evidence,
            format!("lower `train.every_steps` or raise `train.updates`: {usual}"),
        ));
    }
    (times > OFTEN).then(|| {
        let evidence = format!(
            "a transition is used {} times on average: the network memorises the few transitions it has",
            tidy(times)
        );
        Finding::warning(NAME, evidence, format!("lower `train.updates` or `replay.batch_size`: {usual}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    fn with(batch: usize, every: u64, updates: u64) -> Option<Severity> {
        let mut evidence = sick::healthy();
        evidence.config.replay.batch_size = batch;
        (evidence.config.train.every_steps, evidence.config.train.updates) = (every, updates);
        check(&evidence).map(|finding| finding.severity)
    }

    #[test]
    fn too_seldom_and_too_often() {
        assert_eq!([with(32, 4, 1), with(128, 2, 1), with(64, 256, 128)], [None; 3]);
        assert_eq!(with(1, 1, 1), Some(Severity::Fault));
        assert_eq!([with(32, 100, 1), with(128, 1, 100)], [Some(Severity::Warning); 2]);
    }

    #[test]
    fn rollouts_by_heart() {
        let mut evidence = sick::healthy();
        evidence.config.agent.kind = AgentKind::Pqn;
        assert_eq!(check(&evidence), None);
        evidence.config.pqn.epochs = 200;
        assert!(check(&evidence).unwrap().advice.contains("pqn.epochs"));
    }
}
