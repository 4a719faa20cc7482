//! Rewards whose size does not suit the loss and the network.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "reward-scale";
/// DQN clipped rewards to ±1 (Mnih et al. 2015) to keep errors on one scale; with rewards of hundreds per step, a network that starts near
/// 0 has to make up for errors of tens of thousands.
const LARGE: f64 = 200.0;
const SMALL: f64 = 1e-3;

/// Rewards, as used for learning, that are huge, tiny or absent.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let memory = evidence.memory.as_ref()?;
    let (least, most) = memory.rewards;
    // This is the sum over n steps: the reward of one step is at least its n-th part.
    let size = least.abs().max(most.abs()) / evidence.config.agent.n_step.max(1) as f64;
    // Munchausen's rule also learns from the entropy of its policy, which is at most the logarithm of the number of actions.
    let bonus = evidence.config.munchausen.temperature * libm::log(evidence.actions.max(2) as f64);
    if evidence.config.agent.munchausen && size > 0.0 && bonus > size {
        let seen = format!(
            "rewards are around {}, and Munchausen's entropy bonus is up to {} per step: the agent is rewarded more \
             for acting at random",
            tidy(size),
            tidy(bonus)
        );
        let advice =
            "lower `munchausen.temperature` (0.03 where rewards are clipped to 1), or raise `agent.reward_scale`";
        return Some(Finding::fault(NAME, seen, advice));
    }
    let seen = format!("the rewards used for learning are {} … {} per step", tidy(least), tidy(most));
    if size > LARGE {
        let scale = libm::pow(10.0, -libm::floor(libm::log10(size)));
        let advice = format!(
            "set `agent.reward_scale` so that they are around 1, such as {}",
            tidy(scale * evidence.config.agent.reward_scale)
        );
        return Some(Finding::fault(NAME, seen, advice));
    }
    if size == 0.0 && memory.looked_at >= 500 {
        let evidence =
            format!("all {} transitions examined have a reward of 0: there is nothing to learn from", memory.looked_at);
        let advice = "explore longer (`exploration.env_steps`), or add intermediate rewards to the environment";
        return Some(Finding::fault(NAME, evidence, advice));
    }
    (size > 0.0 && size < SMALL).then(|| {
        let advice = "raise `agent.reward_scale` so that they are around 1, and check `agent.reward_clip`";
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
