//! [`TimeLimit`], the wrapper that truncates episodes.

use std::any::Any;

use crate::wrappers::forward::forward;
use crate::{Action, BatchEnv, Env, EnvError, EnvSpec, Scene, StateError, StateReader, StateWriter, Step};

/// Truncates an episode at its `max_episode_steps`-th step, like Gymnasium's wrapper with that name.
///
/// An environment that terminates in that very step reports both flags. The limit is part of the environment's [`EnvSpec`], which has no
/// goal if the limit is shorter than the environment's own; the remaining time is not part of the observation.
#[derive(Clone, Debug)]
pub struct TimeLimit<E> {
    env: E,
    spec: EnvSpec,
    limit: u32,
    elapsed: u32,
    /// The limit ended the episode; the environment inside may not know that.
    cut: bool,
}

impl<E: Env> TimeLimit<E> {
    /// `env`, cut off after `max_episode_steps` steps.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `max_episode_steps` is 0.
    pub fn new(env: E, max_episode_steps: u32) -> Result<Self, EnvError> {
        let mut spec = env.spec().clone();
        if max_episode_steps == 0 {
            let reason = "an episode has at least 1 step".into();
            return Err(EnvError::InvalidOption { id: spec.id, option: "max_episode_steps".into(), reason });
        }
        // In fewer steps an episode can gain or lose less: the goal for longer episodes does not apply.
        if spec.max_episode_steps.is_some_and(|own| max_episode_steps < own) {
            spec.reward_threshold = None;
        }
        spec.max_episode_steps = Some(max_episode_steps);
        Ok(Self { env, spec, limit: max_episode_steps, elapsed: 0, cut: false })
    }

    /// How many steps the current episode has had.
    pub fn elapsed_steps(&self) -> u32 {
        self.elapsed
    }
}

impl<E: Env> Env for TimeLimit<E> {
    forward!(observation_space, action_space, scene, action_mask, metrics);

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.elapsed = 0;
        self.cut = false;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if self.cut {
            return Err(EnvError::ResetNeeded { id: self.spec.id.clone() });
        }
        let mut step = self.env.step(action, observation)?;
        self.elapsed += 1;
        self.cut = self.elapsed >= self.limit;
        step.truncated |= self.cut;
        Ok(step)
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        Ok(write_state(self.elapsed, &self.env.save()?))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: StateError| EnvError::InvalidState { id: self.spec.id.clone(), reason: e.0 };
        let (elapsed, inner) = read_state(self.limit, state).map_err(invalid)?;
        self.env.restore(inner)?;
        self.elapsed = elapsed;
        self.cut = elapsed == self.limit;
        Ok(())
    }

    fn batch(&self) -> Option<Box<dyn BatchEnv>> {
        let (ids, limits) = (vec![self.spec.id.clone()], vec![self.limit]);
        Some(Box::new(TimeLimitBatch { envs: self.env.batch()?, ids, limits, elapsed: vec![self.elapsed] }))
    }
}

fn write_state(elapsed: u32, inner: &[u8]) -> Vec<u8> {
    let mut writer = StateWriter::new();
    writer.u32(elapsed);
    writer.bytes(inner);
    writer.into_bytes()
}

fn read_state(limit: u32, state: &[u8]) -> Result<(u32, &[u8]), StateError> {
    let mut reader = StateReader::new(state);
    let elapsed = reader.u32()?;
    let inner = reader.bytes()?;
    reader.finish()?;
    if elapsed > limit {
        return Err(StateError(format!("{elapsed} steps have passed, of at most {limit}")));
    }
    Ok((elapsed, inner))
}

/// Several environments at once, each with a time limit.
struct TimeLimitBatch {
    envs: Box<dyn BatchEnv>,
    ids: Vec<String>,
    limits: Vec<u32>,
    elapsed: Vec<u32>,
}

impl BatchEnv for TimeLimitBatch {
    fn slots(&self) -> usize {
        self.limits.len()
    }

    fn join(&mut self, other: Box<dyn BatchEnv>) -> bool {
        let Ok(other) = (other as Box<dyn Any>).downcast::<Self>() else { return false };
        let joined = self.envs.join(other.envs);
        if joined {
            self.ids.extend(other.ids);
            self.limits.extend(other.limits);
            self.elapsed.extend(other.elapsed);
        }
        joined
    }

    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.envs.reset(slot, seed, observation)?;
        self.elapsed[slot] = 0;
        Ok(())
    }

    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        let mut times = self.elapsed.iter().zip(&self.limits);
        if let Some(slot) = times.position(|(elapsed, limit)| elapsed >= limit) {
            return Err(EnvError::ResetNeeded { id: self.ids[slot].clone() });
        }
        self.envs.step(actions, steps, observations)?;
        for (slot, step) in steps.iter_mut().enumerate().filter(|(slot, _)| !self.envs.began(*slot)) {
            self.elapsed[slot] += 1;
            step.truncated |= self.elapsed[slot] >= self.limits[slot];
        }
        Ok(())
    }

    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.envs.action_mask(slot)
    }

    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        self.envs.metrics(slot, numbers);
    }

    fn began(&self, slot: usize) -> bool {
        self.envs.began(slot)
    }

    fn scene(&self, slot: usize) -> Option<Scene> {
        self.envs.scene(slot)
    }

    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        Ok(write_state(self.elapsed[slot], &self.envs.save(slot)?))
    }

    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: StateError| EnvError::InvalidState { id: self.ids[slot].clone(), reason: e.0 };
        let (elapsed, inner) = read_state(self.limits[slot], state).map_err(invalid)?;
        self.envs.restore(slot, inner)?;
        self.elapsed[slot] = elapsed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::CartPole;

    /// Gives `CartPole`'s environment under a limit of `limit` and the steps it makes when always pushed to the right.
    fn push_right(limit: u32) -> Vec<Step> {
        let mut env = TimeLimit::new(CartPole::default().into_env(), limit).unwrap();
        let mut observation = [0.0; 4];
        env.reset(Some(7), &mut observation).unwrap();
        let mut steps: Vec<Step> = Vec::new();
        while !steps.last().is_some_and(Step::ended) {
            steps.push(env.step(Action::Discrete(1), &mut observation).unwrap());
        }
        assert_eq!(env.elapsed_steps() as usize, steps.len());
        let refused = env.step(Action::Discrete(1), &mut observation);
        assert!(matches!(refused, Err(EnvError::ResetNeeded { .. })));
        steps
    }

    #[test]
    fn flags_stay_apart() {
        let falls = push_right(1000).len() as u32;
        let last = |limit| push_right(limit).last().copied().unwrap();
        let flags = |step: Step| (step.terminated, step.truncated);
        assert_eq!(flags(last(falls + 1)), (true, false));
        assert_eq!(flags(last(falls)), (true, true));
        assert_eq!(flags(last(falls - 1)), (false, true));
        assert_eq!(flags(last(1)), (false, true));
    }

    #[test]
    fn no_episode_without_steps() {
        assert!(TimeLimit::new(CartPole::default().into_env(), 0).is_err());
    }
}
