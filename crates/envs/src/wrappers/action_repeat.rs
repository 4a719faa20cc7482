//! [`ActionRepeat`], fewer decisions.

use super::forward::forward;
use crate::{Action, Env, EnvError, EnvSpec, Step};

/// Takes each action several times in a row, adds up the rewards, and shows the last observation.
///
/// It stops early where the episode ends. The environment's own time limit goes on counting its own steps.
#[derive(Clone, Debug)]
pub struct ActionRepeat<E> {
    env: E,
    spec: EnvSpec,
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
        // An episode that ends on the way adds up fewer of them.
        let sum = |(low, high): (f64, f64)| {
            let times = f64::from(times);
            (low.min(low * times), high.max(high * times))
        };
        let spec = EnvSpec { reward_range: env.spec().reward_range.map(sum), ..env.spec().clone() };
        Ok(Self { env, spec, times })
    }
}

impl<E: Env> Env for ActionRepeat<E> {
    forward!(observation_space, action_space, reset, save, restore, scene, action_mask);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

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
