//! [`ActionRepeat`], fewer decisions.

use super::forward::forward;
use crate::{Action, Env, EnvError, Step};

/// Takes each action several times in a row, adds up the rewards, and shows the last observation.
///
/// It stops early where the episode ends. The world's own time limit goes on counting its own steps.
#[derive(Clone, Debug)]
pub struct ActionRepeat<E> {
    env: E,
    times: u32,
}

impl<E: Env> ActionRepeat<E> {
    /// `env`, each action taken `times` times.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `times` is 0.
    pub fn new(env: E, times: u32) -> Result<Self, EnvError> {
        if times == 0 {
            return Err(EnvError::Other(format!("{}: an action is taken at least once", env.spec().id)));
        }
        Ok(Self { env, times })
    }
}

impl<E: Env> Env for ActionRepeat<E> {
    forward!(spec, observation_space, action_space, reset, save, restore, scene, action_mask);

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let mut step = self.env.step(action, observation)?;
        for _ in 1..self.times {
            if step.ended() {
                break;
            }
            let next = self.env.step(action, observation)?;
            step = Step { reward: step.reward + next.reward, ..next };
        }
        Ok(step)
    }
}
