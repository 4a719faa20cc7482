//! Rewards of a size that the loss and the network are not made for.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "reward-scale";
/// DQN clipped rewards to ±1 (Mnih et al. 2015) so that errors keep to one scale; with rewards of hundreds a step a network that
/// starts near 0 has errors of tens of thousands to make up for.
const LARGE: f64 = 200.0;
const SMALL: f64 = 1e-3;

/// Rewards, as they are learned from, that are huge or tiny, or none at all.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let memory = evidence.memory.as_ref()?;
    let (least, most) = memory.rewards;
    // Of n steps the sum lies there: of one it is at least the n-th part.
    let size = least.abs().max(most.abs()) / evidence.config.agent.n_step.max(1) as f64;
    // Munchausen's rule learns from the entropy of its policy too, which is at most the logarithm of the number of actions.
    let bonus = evidence.config.munchausen.temperature * libm::log(evidence.actions.max(2) as f64);
    if evidence.config.agent.munchausen && size > 0.0 && bonus > size {
        let seen = format!(
            "rewards are of the order of {}, and Munchausen's entropy bonus is up to {} a step: the policy is drawn to chance",
            tidy(size),
            tidy(bonus)
        );
        let advice =
            "lower `munchausen.temperature` (0.03 where rewards are clipped to 1), or raise `agent.reward_scale`";
        return Some(Finding::fault(NAME, seen, advice));
    }
    let seen = format!("rewards of {} … {} a step are learned from", tidy(least), tidy(most));
    if size > LARGE {
        let scale = libm::pow(10.0, -libm::floor(libm::log10(size)));
        let advice = format!(
            "set `agent.reward_scale` so that they are of the order of 1, such as {}",
            tidy(scale * evidence.config.agent.reward_scale)
        );
        return Some(Finding::fault(NAME, seen, advice));
    }
    if size == 0.0 && memory.looked_at >= 500 {
        let evidence = format!(
            "all {} transitions looked at have a reward of 0: there is nothing to learn from",
            memory.looked_at
        );
        let advice = "explore longer (`exploration.env_steps`), or give the environment rewards on the way";
        return Some(Finding::fault(NAME, evidence, advice));
    }
    (size > 0.0 && size < SMALL).then(|| {
        let advice = "raise `agent.reward_scale` so that they are of the order of 1, and look at `agent.reward_clip`";
        Finding::fault(NAME, seen, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    fn with(rewards: (f64, f64)) -> Option<Finding> {
        let mut evidence = sick::healthy();
        evidence.memory.as_mut().unwrap().rewards = rewards;
        check(&evidence)
    }

    #[test]
    fn an_entropy_bonus_beyond_the_rewards() {
        let mut evidence = sick::healthy();
        evidence.config.agent.munchausen = true;
        evidence.memory.as_mut().unwrap().rewards = (1.0, 1.0);
        assert_eq!(check(&evidence), None);
        evidence.config.munchausen.temperature = 100.0;
        assert!(check(&evidence).unwrap().advice.contains("munchausen.temperature"));
        evidence.config.agent.munchausen = false;
        assert_eq!(check(&evidence), None);
    }

    #[test]
    fn rewards_out_of_scale() {
        assert_eq!(with((-100.0, -1.0)), None);
        assert_eq!(with((0.0, 0.01)), None);
        assert!(with((1e4, 1e4)).unwrap().advice.contains("such as 1.00e-4"), "{:?}", with((1e4, 1e4)));
        assert!(with((0.0, 0.0)).unwrap().evidence.contains("reward of 0"));
        assert!(with((1e-6, 1e-6)).is_some());
    }
}
