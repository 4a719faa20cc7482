//! [`ClipReward`] and [`ScaleReward`], rewards of another size.

use super::forward::forward;
use crate::{Action, Env, EnvError, Step};

/// Brings rewards into an interval, as the Atari agents do with ±1 (Mnih et al. 2015).
///
/// What an agent then maximises is another sum than the one to report: evaluate without this wrapper.
#[derive(Clone, Debug)]
pub struct ClipReward<E> {
    env: E,
    low: f64,
    high: f64,
}

impl<E: Env> ClipReward<E> {
    /// `env` with rewards from `low` to `high`.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `low` is greater than `high` or one of them is NaN.
    pub fn new(env: E, low: f64, high: f64) -> Result<Self, EnvError> {
        if low <= high {
            return Ok(Self { env, low, high });
        }
        Err(EnvError::Other(format!("{}: rewards cannot be clipped to {low} to {high}", env.spec().id)))
    }
}

impl<E: Env> Env for ClipReward<E> {
    forward!(spec, observation_space, action_space, reset, save, restore, scene, action_mask);

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        Ok(Step { reward: step.reward.clamp(self.low, self.high), ..step })
    }
}

/// Multiplies rewards by a factor.
#[derive(Clone, Debug)]
pub struct ScaleReward<E> {
    env: E,
    factor: f64,
}

impl<E: Env> ScaleReward<E> {
    /// `env` with rewards times `factor`.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `factor` is not finite.
    pub fn new(env: E, factor: f64) -> Result<Self, EnvError> {
        if factor.is_finite() {
            return Ok(Self { env, factor });
        }
        Err(EnvError::Other(format!("{}: rewards cannot be scaled by {factor}", env.spec().id)))
    }
}

impl<E: Env> Env for ScaleReward<E> {
    forward!(spec, observation_space, action_space, reset, save, restore, scene, action_mask);

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        Ok(Step { reward: step.reward * self.factor, ..step })
    }
}
