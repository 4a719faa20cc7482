//! [`ClipReward`] and [`ScaleReward`], which change the size of rewards.

use super::forward::forward;
use crate::{Action, Env, EnvError, EnvSpec, Step, spec::range_of};

/// Clips rewards to an interval, as Atari agents do with ±1 (Mnih et al. 2015).
///
/// An agent then maximises another sum than the one to report: evaluate without this wrapper.
#[derive(Clone, Debug)]
pub struct ClipReward<E> {
    env: E,
    spec: EnvSpec,
    low: f64,
    high: f64,
}

impl<E: Env> ClipReward<E> {
    /// `env` with rewards clipped to `low` … `high`.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `low` is greater than `high` or one of them is NaN.
    pub fn new(env: E, low: f64, high: f64) -> Result<Self, EnvError> {
        if low <= high {
            let reward_range = env.spec().reward_range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            let reward_range = (reward_range.0.clamp(low, high), reward_range.1.clamp(low, high));
            return Ok(Self { spec: of_other_rewards(env.spec(), Some(reward_range)), env, low, high });
        }
        Err(EnvError::Other(format!("{}: rewards cannot be clipped to {low} to {high}", env.spec().id)))
    }
}

impl<E: Env> Env for ClipReward<E> {
    forward!(observation_space, action_space, reset, save, restore, scene, action_mask, metrics);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        Ok(Step { reward: step.reward.clamp(self.low, self.high), ..step })
    }
}

/// Multiplies rewards by a factor.
#[derive(Clone, Debug)]
pub struct ScaleReward<E> {
    env: E,
    spec: EnvSpec,
    factor: f64,
}

impl<E: Env> ScaleReward<E> {
    /// `env` with rewards multiplied by `factor`.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `factor` is not finite.
    pub fn new(env: E, factor: f64) -> Result<Self, EnvError> {
        if factor.is_finite() {
            let reward_range = env.spec().reward_range.map(|(low, high)| range_of(&[low * factor, high * factor]));
            return Ok(Self { spec: of_other_rewards(env.spec(), reward_range), env, factor });
        }
        Err(EnvError::Other(format!("{}: rewards cannot be scaled by {factor}", env.spec().id)))
    }
}

impl<E: Env> Env for ScaleReward<E> {
    forward!(observation_space, action_space, reset, save, restore, scene, action_mask, metrics);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        Ok(Step { reward: step.reward * self.factor, ..step })
    }
}

/// The specification of an environment with changed rewards: the goal for their sum no longer applies.
fn of_other_rewards(spec: &EnvSpec, reward_range: Option<(f64, f64)>) -> EnvSpec {
    EnvSpec {
        reward_threshold: None,
        reward_range: reward_range.filter(|(low, high)| low.is_finite() && high.is_finite()),
        ..spec.clone()
    }
}
