//! [`ActionRepeat`], which repeats actions so that fewer decisions are made.

use super::forward::forward;
use crate::{Action, AddedUp, Env, EnvError, EnvSpec, Step};

/// Takes each action several times in a row, sums the rewards, and returns the last observation.
///
/// It stops early if the episode ends. The environment's own time limit still counts the environment's steps.
#[derive(Clone, Debug)]
pub struct ActionRepeat<E> {
    env: E,
    spec: EnvSpec,
    times: u32,
    /// The metrics of the steps since the last action.
    metrics: Vec<AddedUp>,
    /// The metrics of one step.
    reported: Vec<f64>,
}

impl<E: Env> ActionRepeat<E> {
    /// `env`, each action taken `times` times.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `times` is 0.
    pub fn new(env: E, times: u32) -> Result<Self, EnvError> {
        if times == 0 {
            return Err(EnvError::Other(format!("{}: an action must be taken at least once", env.spec().id)));
        }
        // An episode that ends early sums fewer of them.
        let sum = |(low, high): (f64, f64)| {
            let times = f64::from(times);
            (low.min(low * times), high.max(high * times))
        };
        let spec = EnvSpec { reward_range: env.spec().reward_range.map(sum), ..env.spec().clone() };
        let (metrics, reported) = (vec![(0.0, 0); spec.metrics.len()], vec![f64::NAN; spec.metrics.len()]);
        Ok(Self { env, spec, times, metrics, reported })
    }

    fn step_once(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.env.step(action, observation)?;
        if !self.metrics.is_empty() {
            self.reported.fill(f64::NAN);
            self.env.metrics(&mut self.reported);
            for ((so_far, number), spec) in self.metrics.iter_mut().zip(&self.reported).zip(&self.spec.metrics) {
                *so_far = spec.over_episode.add(*so_far, *number);
            }
        }
        Ok(step)
    }
}

impl<E: Env> Env for ActionRepeat<E> {
    forward!(observation_space, action_space, reset, save, restore, scene, action_mask);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.metrics.fill((0.0, 0));
        let mut step = self.step_once(action, observation)?;
        for _ in 1..self.times {
            if step.ended() {
                break;
            }
            let next = self.step_once(action, observation)?;
            step = Step { reward: step.reward + next.reward, ..next };
        }
        Ok(step)
    }

    /// The combined metrics of the last action's steps, as for an episode.
    fn metrics(&self, numbers: &mut [f64]) {
        for ((number, so_far), spec) in numbers.iter_mut().zip(&self.metrics).zip(&self.spec.metrics) {
            *number = spec.over_episode.result(*so_far).unwrap_or(f64::NAN);
        }
    }
}
