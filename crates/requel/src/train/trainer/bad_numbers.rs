//! What the agent observes of a step, and what happens to a number that is not finite.

use requel_envs::Step;

use super::Trainer;
use crate::agent::{Experience, Masks};
use crate::config::{AgentConfig, OnNan};
use crate::finite::first_not_finite;
use crate::train::observer::tell;
use crate::train::{Observer, TrainError, TrainEvent};

/// The site of a number that is not finite because `agent.reward_scale` was applied to a finite reward.
pub const SCALED_REWARD: &str = "reward times agent.reward_scale";

impl Trainer {
    /// Passes the result of the step to the agent. NaN and infinity reach neither the agent nor the replay buffer.
    pub(super) fn observe(&mut self, before: u64, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let len = self.envs.observation_len();
        let all_finite = first_not_finite(&self.next_observations).is_none();
        for slot in 0..self.steps.len() {
            let row = slot * len..(slot + 1) * len;
            let step = self.steps[slot];
            let reward = learned_reward(&self.config.agent, step.reward);
            self.dropped[slot] = self.envs.began(slot);
            if self.dropped[slot] {
                self.agent.interrupt(slot);
                continue;
            }
            let observed = if all_finite { None } else { first_not_finite(&self.next_observations[row.clone()]) };
            let fault = match observed {
                Some((_, value)) => Some(("observation", f64::from(value))),
                // As stored in the replay buffer: 1e39 is finite only in double precision.
                None if (reward as f32).is_finite() => None,
                // The environment's reward is finite; the factor in the config is too large for it.
                None if (step.reward as f32).is_finite() => Some((SCALED_REWARD, reward)),
                None => Some(("reward", step.reward)),
            };
            if let Some((site, value)) = fault {
                self.skip(slot, (site, value), before, observer)?;
                self.agent.interrupt(slot);
                self.returns.abandon(slot);
                self.env_metrics.abandon(slot);
                self.dropped[slot] = true;
                if !step.ended() {
                    self.envs.reset_slot(slot, &mut self.following[row])?;
                }
                continue;
            }
            self.skipped.in_a_row = 0;
            self.agent.observe(&Experience {
                slot,
                observation: &self.observations[row.clone()],
                mask: Masks::new(&self.masks, self.action_space.count).row(slot),
                action: self.actions[slot],
                step: Step { reward, ..step },
                next_observation: &self.next_observations[row],
                next_mask: self.envs.next_action_mask(slot),
            });
        }
        Ok(())
    }

    /// Reads the current masks: after the step the environments return new ones.
    pub(super) fn read_masks(&mut self) {
        for (slot, mask) in self.masks.chunks_exact_mut(self.action_space.count).enumerate() {
            match self.envs.action_mask(slot) {
                Some(allowed) => mask.copy_from_slice(allowed),
                None => mask.fill(true),
            }
        }
    }

    /// Checks the observations to act on next. After the end of an episode these are the first observations of a new one, which no
    /// transition has contained yet.
    pub(super) fn check_starts(&mut self, before: u64, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let len = self.envs.observation_len();
        while let Some((at, value)) = first_not_finite(&self.following) {
            let slot = at / len.max(1);
            self.skip(slot, ("observation", f64::from(value)), before, observer)?;
            self.envs.reset_slot(slot, &mut self.following[slot * len..(slot + 1) * len])?;
        }
        Ok(())
    }

    /// Counts and reports a number from environment `slot` that is not finite, or fails if it may not be skipped.
    fn skip(
        &mut self,
        slot: usize,
        (site, value): (&'static str, f64),
        env_steps: u64,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        let action = self.actions[slot];
        if self.config.train.on_nan == OnNan::Stop || self.skipped.in_a_row == Skipped::MOST_IN_A_ROW {
            let (env, action) = (Some(slot), Some(action));
            return Err(TrainError::NotFinite { site, value, env_steps, env, action });
        }
        self.skipped.total += 1;
        self.skipped.in_a_row += 1;
        let skipped = self.skipped.total;
        tell(observer, TrainEvent::Skipped { env_steps, site, value, env: slot, action, skipped })
    }
}

/// The damage done by NaN or infinity from an environment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skipped {
    /// How often it cost a step or the start of an episode.
    pub(super) total: u64,
    /// How often since the last step that the agent observed.
    pub(super) in_a_row: u64,
}

impl Skipped {
    /// The maximum: an environment that returns nothing else is broken, and would be reset forever.
    const MOST_IN_A_ROW: u64 = 1_000;
}

/// A reward as used for learning.
pub(in crate::train) fn learned_reward(config: &AgentConfig, reward: f64) -> f64 {
    let scaled = config.reward_scale * reward;
    // Clipping would hide an infinity.
    if config.reward_clip > 0.0 && scaled.is_finite() {
        scaled.clamp(-config.reward_clip, config.reward_clip)
    } else {
        scaled
    }
}
